"""`python -m benchmarks.speed.bench_ticks`: seconds of a tick of `new_results_sensor` with 100,000 landing objects.

The bucket is first a folder, then a local server of the Google Cloud Storage API. A tick lists all landing objects and
compares them with the record of the last read. The first tick of a process on a folder reads every file once, for its
version; later ticks read sizes and times only. The server returns pages of a sorted list, 50 ms after each request. The
last figure is the listing alone, compared with requesting its pages one after another.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.speed.figures import CostFigure, report

OBJECTS = 100_000
LIMIT_SECONDS = 5.0
TICKS = 5
LATENCY_SECONDS = 0.05
_LEAGUES = 40


def main() -> int:
    """Measure and print a table; exit code 1 if a tick is slower than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--folder", type=Path, help="folder to work in")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="football-ticks-", dir=arguments.folder) as folder:
        figures = list(measure(Path(folder), arguments.objects))
    report(figures, f"{arguments.objects:,} landing objects", "", "")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def measure(folder: Path, objects: int) -> Iterator[CostFigure]:
    """Measure ticks on both kinds of bucket, first with all objects unread, then with all read."""
    land(folder / "objects" / "landing" / "raw", objects)
    shutil.copytree(folder / "objects", folder / "local_objects")
    yield from measure_bucket("folder", str(folder / "local_objects" / "landing"), folder / "local", objects)
    (folder / "server").mkdir()
    yield from measure_server(folder, objects)


def land(raw: Path, objects: int) -> None:
    """Write small result files into folders of sources and seasons."""
    for number in range(objects):
        source, league = divmod(number, _LEAGUES)
        path = raw / f"source{source // 100}" / f"{1900 + source % 100}-{(source + 1) % 100:02}"
        if not league:
            path.mkdir(parents=True, exist_ok=True)
        name = f"{('eng', 'de', 'es', 'it', 'fr', 'at', 'nl', 'be')[league % 8]}.{league // 8 + 1}.csv"
        (path / name).write_text(
            f"Date,Team 1,FT,HT,Team 2\nSat Aug 18 2012,Fulham,{number % 7}-{source % 5},?,Everton\n"
        )


def measure_bucket(kind: str, url: str, home: Path, objects: int) -> Iterator[CostFigure]:
    """Measure the first tick, the next ones while nothing has been read, and those after everything has been read."""
    from dagster import DagsterInstance

    from football_assets.automation.jobs import FROM_LANDING
    from football_assets.automation.new_results_sensor import evaluate_new_results
    from football_assets.definitions import defs
    from football_assets.orchestration.partitions import COUNTRY_PARTITIONS
    from football_assets.raw.landing import inventory
    from football_assets.raw.read_record import country_states, record_read
    from football_assets.runtime.home import prepare_home
    from football_assets.storage.opening import open_bucket

    prepare_home(home)
    bucket = open_bucket(url)
    graph = defs.get_repository_def().asset_graph
    keys = FROM_LANDING.resolve(graph)
    with DagsterInstance.get() as instance:

        def tick(cursor: str | None) -> tuple[float, float, str]:
            started, busy = time.perf_counter(), time.process_time()
            result = evaluate_new_results(instance, open_bucket(url), graph, keys, cursor, time.time())
            for request in result.dynamic_partitions_requests or ():
                instance.add_dynamic_partitions(COUNTRY_PARTITIONS, list(request.partition_keys))
            return time.perf_counter() - started, time.process_time() - busy, result.cursor or ""

        first, busy, cursor = tick(None)
        yield CostFigure(f"{kind}: first tick of a process", first, "s", limit=LIMIT_SECONDS)
        yield CostFigure("    processor time of it", busy, "s")
        yield from _figures("  a later tick, all objects unread", [tick(cursor) for _ in range(TICKS)])
        landed = country_states(inventory(bucket))
        if sum(country.objects for country in landed.values()) != objects:
            raise SystemExit("Not all objects were listed.")
        record_read(bucket, landed, landed, "a-run")
        yield from _figures("  a later tick, all objects read", [tick(cursor) for _ in range(TICKS)])


def _figures(name: str, ticks: list[tuple[float, float, str]]) -> Iterator[CostFigure]:
    """Yield the median duration of the ticks, and their processor time, which is shorter on a busy machine."""
    seconds, busy, _ = sorted(ticks)[len(ticks) // 2]
    yield CostFigure(name, seconds, "s", limit=LIMIT_SECONDS)
    yield CostFigure("    processor time of it", busy, "s")


def measure_server(folder: Path, objects: int) -> Iterator[CostFigure]:
    """Measure the same with a server that has the objects, and the listing alone."""
    import os

    from benchmarks.speed.listing_answers import ListingAnswers
    from football_assets_tests.builders.gcs_server import Answer, Request, run_front, run_gcs_server

    root = folder / "objects" / "landing"
    answers = ListingAnswers([path.relative_to(root).as_posix() for path in root.rglob("*.csv")])

    def list_late(request: Request, forward: Callable[[], Answer]) -> Answer:
        time.sleep(LATENCY_SECONDS)
        return answers.answer(request)

    with run_gcs_server(folder / "server") as server, run_front(server) as front:
        url = f"gs://{server.make_bucket()}"
        front.listing = list_late
        os.environ["STORAGE_EMULATOR_HOST"] = front.address
        try:
            yield from measure_bucket("server", url, folder / "remote", objects)
            yield measure_listing(url, objects)
        finally:
            del os.environ["STORAGE_EMULATOR_HOST"]


def measure_listing(url: str, objects: int) -> CostFigure:
    """Measure the listing of all objects, and the requests of its pages one after another."""
    from google.cloud.storage import Client

    from benchmarks.speed.listing_answers import PAGE
    from football_assets.storage.opening import open_bucket

    name = url.removeprefix("gs://")
    ways = (
        lambda: open_bucket(url).list("raw/"),
        lambda: Client(project=None).list_blobs(name, prefix="raw/", page_size=PAGE),
    )
    seconds = []
    for way in ways:
        started = time.perf_counter()
        if sum(1 for _ in way()) != objects:
            raise SystemExit("Not all objects were listed.")
        seconds.append(time.perf_counter() - started)
    return CostFigure("listing alone", seconds[0], "s", LIMIT_SECONDS, seconds[1], "page after page")


if __name__ == "__main__":
    sys.exit(main())
