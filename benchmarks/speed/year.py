"""`python -m benchmarks.speed.year`: many days of a small world, and what grows with them.

A loop is a day: results land, the sensors tick, a run reads them, a version is published and promoted, an artifact and
a drift report are stored, serving's segments are compacted, and the retention prunes. The raw assets are the real ones;
the network's assets are stand-ins, so that a day takes seconds. Objects get the time of their simulated day, and the
age of a run is counted in loops, so that the limits of the retention apply. The process that evaluates the sensors
stands for Dagster's daemon.
"""

import argparse
import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.speed.processes import resident_bytes

LOOPS = 200
SHOWN = 10  # rows of the table
LEVEL = 1.15  # how much more the last quarter may have than the one before
LIMITS = {"log_days": 91, "versions": 5, "version_days": 10, "report_days": 30, "run_days": 15}
_RECORDS = 200  # of a day's log


@dataclass
class Day:
    """Figures after a day: sizes in MB, times in seconds."""

    loop: int
    bucket: float
    dagster: float
    event_index: float
    runs: int
    versions: int
    results_tick: float
    registry_tick: float
    drift_tick: float
    load: float
    memory: float


FIGURES = {
    "bucket": "bucket, MB",
    "dagster": "Dagster's storage, MB",
    "event_index": "of it the index of events, MB",
    "runs": "runs",
    "versions": "model versions",
    "results_tick": "tick of new_results_sensor, s",
    "registry_tick": "tick of registry_sensor, s",
    "drift_tick": "tick of drift_sensor, s",
    "load": "load of instance and latest materializations, s",
    "memory": "memory of the process of the sensors, MB",
}


@dataclass
class SimulatedRuns:
    """Dagster's runs, their age counted in loops."""

    runs: Any
    ended: dict[datetime, datetime] = field(
        default_factory=dict
    )  # real time of the end of each simulated day

    def _real(self, before: datetime) -> datetime:
        return max(
            (real for day, real in self.ended.items() if day < before),
            default=datetime.min.replace(tzinfo=UTC),
        )

    def ended_runs(self, before: datetime) -> Iterable[Any]:
        """Runs of the days before a day."""
        real = self._real(before)
        return self.runs.ended_runs(real) if real.year > 1 else ()

    def left_files(self, before: datetime) -> Iterable[Any]:
        """Files that Dagster left of them."""
        real = self._real(before)
        return self.runs.left_files(real) if real.year > 1 else ()

    def remove(self, run_id: str) -> bool:
        """Remove a run."""
        removed: bool = self.runs.remove(run_id)
        return removed


def main() -> int:
    """Run the loops and print a table of what levels off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=LOOPS)
    parser.add_argument("--keep", action="store_true", help="do not prune, for comparison")
    parser.add_argument("--json", type=Path, help="file for the figures of every loop")
    parser.add_argument("--folder", type=Path, help="folder to work in")
    arguments = parser.parse_args()
    days: list[Day] = []
    with TemporaryDirectory(prefix="football-year-", dir=arguments.folder) as folder:
        for day in run_days(Path(folder), arguments.loops, prunes=not arguments.keep):
            days.append(day)
            if arguments.json:
                records = [asdict(item) for item in days]
                arguments.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(table(days)) + "\n")
    return 0


def run_days(folder: Path, loops: int, *, prunes: bool) -> Iterator[Day]:
    """Simulate the days and measure each."""
    os.environ["FOOTBALL_HOME"] = str(folder / "home")
    from football_assets.automation.drift_sensor import evaluate_drift
    from football_assets.automation.registry_sensor import evaluate_registry
    from football_assets.definitions import defs
    from football_assets.orchestration.run_history import InstanceRuns
    from football_assets.registry.store import Registry
    from football_assets.retention.policy import RetentionPolicy
    from football_assets.retention.pruning import World, prune
    from football_assets.runtime.home import prepare_home
    from football_assets.settings import get_settings
    from football_assets_tests.builders.dagster_home import open_instance
    from football_assets_tests.builders.small_graph import SmallHome

    settings = prepare_home(folder / "home")
    graph = defs.get_repository_def().asset_graph
    start = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=loops)
    with open_instance(settings.dagster_home) as instance:
        home = SmallHome(settings.bucket_url, settings.home, instance, now=time.time())
        runs = SimulatedRuns(InstanceRuns(instance))
        world = World(home.bucket, settings.scratch, runs=runs)
        for loop in range(loops):
            today = start + timedelta(days=loop)
            before = time.time()
            simulate_day(home, folder, loop, today)
            runs.ended[today] = datetime.now(UTC)
            date_objects(Path(settings.bucket_url), before, today)
            if prunes:
                prune(world, RetentionPolicy(**LIMITS), today, dry_run=False)
            bucket = home.bucket
            yield Day(
                loop=loop + 1,
                bucket=megabytes(Path(settings.bucket_url)),
                dagster=megabytes(settings.dagster_home),
                event_index=megabytes(settings.dagster_home / "history" / "runs" / "index.db"),
                runs=instance.get_runs_count(),
                versions=len(Registry(bucket).versions()),
                results_tick=seconds(home.tick),
                registry_tick=seconds(
                    lambda: evaluate_registry(instance, home.bucket, graph, get_settings(), time.time())
                ),
                drift_tick=seconds(
                    lambda: evaluate_drift(instance, home.bucket, get_settings(), time.time())
                ),
                load=seconds(lambda: load(settings.dagster_home)),
                memory=resident(),
            )


def simulate_day(home: Any, folder: Path, loop: int, today: datetime) -> None:
    """Land, read, publish, promote, log, compact and report."""
    from football_assets.monitoring.compaction import compact
    from football_assets.registry.store import Registry
    from football_assets.sequences.spec import DEFAULT_SPEC
    from football_assets.storage.artifacts import publish
    from football_assets.storage.log_segments import COMPRESSED, SEGMENTS, compress_segment
    from football_assets_tests.builders.prediction_logs import lines, record

    rows = [
        f"{today - timedelta(days=back):%a %b %d %Y},Fulham,{(loop - back) % 5}-1,?,Everton"
        for back in range(0, min(loop, 30) + 1, 7)
    ]
    home.land(f"{today.year}-{(today.year + 1) % 100:02}/eng.1.csv", *rows)
    request = home.ticks()
    if request is not None and not home.launch(request):
        raise SystemExit(f"The run of loop {loop} failed.")
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    (source / "data.json").write_text(json.dumps({"loop": loop, "data": "x" * 20_000}))
    publish(home.bucket, "trained_lstm", source)
    DEFAULT_SPEC.save(source)
    registry = Registry(home.bucket)
    version = registry.publish(source, {"loop": loop})
    registry.promote(version)
    date_version(home.bucket, version, today)
    moment = f"{today:%Y-%m-%d}T12:00:00.000000Z"
    for segment in range(3):
        content = lines(*(record(n, time=moment, model_version=version) for n in range(_RECORDS // 3)))
        name = f"{SEGMENTS}/{today.date()}/{loop:08x}-{segment:06}.jsonl{COMPRESSED}"
        home.bucket.write(name, compress_segment(iter([content])))
    compact(home.bucket, folder / "home" / "scratch")
    write_report(home.bucket, today, version)


def date_version(bucket: Any, version: int, today: datetime) -> None:
    """Give a version the simulated day of its publication."""
    from football_assets.registry.store import VERSIONS

    name = f"{VERSIONS}{version}/manifest.json"
    manifest = json.loads(bucket.read(name)) | {"published": today.isoformat()}
    bucket.write(name, json.dumps(manifest).encode())


def write_report(bucket: Any, today: datetime, version: int) -> None:
    """A drift report of little data."""
    from football_assets.monitoring.config import DriftConfig
    from football_assets.monitoring.drift import Evidence, examine
    from football_assets.monitoring.summary import save_summary
    from football_assets_tests.builders.prediction_logs import no_matches

    empty = no_matches()
    summary = examine(Evidence(today, None, None, empty, empty, empty), DriftConfig()).summary
    save_summary(bucket, summary.model_copy(update={"model_version": version}))


def date_objects(bucket: Path, since: float, today: datetime) -> None:
    """Give the objects that were written since a time the time of the simulated day."""
    for path in bucket.rglob("*"):
        if path.is_file() and path.stat().st_ctime >= since - 1 and path.stat().st_mtime >= since - 1:
            os.utime(path, (today.timestamp(), today.timestamp()))


def load(dagster_home: Path) -> None:
    """Open the instance again and read the latest materialization of each asset, as the UI's first page does."""
    from football_assets_tests.builders.dagster_home import open_instance

    with open_instance(dagster_home) as instance:
        instance.get_asset_records(list(instance.get_asset_keys()))
        instance.get_run_records(limit=30)


def seconds(work: Callable[[], object]) -> float:
    """Seconds that a call takes, the faster of two."""
    times = []
    for _ in range(2):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def megabytes(path: Path) -> float:
    """Size on disk of a file or of the files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file()) / 1e6


def resident() -> float:
    """Memory of this process in MB, after what is garbage is gone."""
    gc.collect()
    return resident_bytes(os.getpid()) / 1e6


def table(days: list[Day]) -> Iterator[str]:
    """Lines of a Markdown table: each figure at some loops, and whether it levels off."""
    step = max(1, len(days) // SHOWN)
    shown = [*days[step - 1 :: step]]
    yield f"| figure | {' | '.join(f'loop {day.loop}' for day in shown)} | levels off |"
    yield f"|---|{'---:|' * len(shown)}---|"
    for name, label in FIGURES.items():
        cells = " | ".join(number(getattr(day, name)) for day in shown)
        yield f"| {label} | {cells} | {'yes' if levels_off([getattr(day, name) for day in days]) else 'no'} |"


def levels_off(values: list[float]) -> bool:
    """Whether the median of the last quarter is at most `LEVEL` times that of the quarter before."""
    quarter = max(1, len(values) // 4)
    last, before = sorted(values[-quarter:]), sorted(values[-2 * quarter : -quarter] or values[:1])
    return last[len(last) // 2] <= LEVEL * before[len(before) // 2]


def number(value: float) -> str:
    """Format a figure with three digits."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    if "--table" in sys.argv:  # of the figures of an earlier run
        records = json.loads(Path(sys.argv[-1]).read_text(encoding="utf-8"))
        sys.stdout.write("\n".join(table([Day(**record) for record in records])) + "\n")
        sys.exit(0)
    sys.exit(main())
