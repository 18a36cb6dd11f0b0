"""`make bench-scale`: landing files to tensors for several times as many matches, made by replicating the leagues.

Each country is copied under new country codes, with all its leagues, clubs and seasons. Times are reported as ratios to
a run of the original data on the same machine. Peak memory is that of all processes of the run. For a training it
excludes the pages of the mapped tensors, which the operating system can reclaim. The last training is on Ray, with the
largest data.
"""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_lowercase
from tempfile import TemporaryDirectory

from benchmarks.speed.bench import default_data
from benchmarks.speed.figures import CostFigure, report
from benchmarks.speed.graph_run import measured_graph
from benchmarks.speed.processes import own_bytes, run_measured

SCALE = 10
MEMORY_LIMIT = 6e9  # bytes, at ten times 252,000 matches
TIME_LIMIT = 12 / 10  # times the scale
EPOCH = "epoch.json"  # seconds, in the home that was trained on
_LEAGUE_FILE = re.compile(r"([a-z]{2,3})\.(\w+)\.(csv|json)")


def main() -> int:
    """Measure, print a table, write `--json`; exit code 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=SCALE, help="how many times the data")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of landing files")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--folder", type=Path, help="folder to work in, with room for 1.5 GB a unit of scale")
    parser.add_argument("--workers", type=int, default=2, help="of Ray Train, for the last training")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train, arguments.workers)
        return 0
    with TemporaryDirectory(prefix="football-scale-", dir=arguments.folder) as folder:
        figures = list(measure(arguments.data, Path(folder), arguments.scale, arguments.workers))
    report(figures, str(arguments.data), "naive way", "ratio")
    if arguments.json:
        records = [{"name": figure.name, "value": figure.value, "unit": figure.unit} for figure in figures]
        arguments.json.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def measure(data: Path, folder: Path, scale: int, workers: int) -> Iterator[CostFigure]:
    """Time and memory of one time the data, and of `scale` times: to tensors, then an epoch of training."""
    replicate(data, folder / "replicas", scale)
    one = measured_graph(data, folder / "one")
    yield CostFigure(f"landing files to tensors, {one.matches:,} matches", one.seconds, "s")
    yield CostFigure("peak memory", one.peak / 2**30, "GiB")
    many = measured_graph(folder / "replicas", folder / "many")
    if many.matches != scale * one.matches:
        raise SystemExit(f"{many.matches:,} matches were made, not {scale} times {one.matches:,}.")
    yield CostFigure(f"landing files to tensors, {many.matches:,} matches", many.seconds, "s")
    yield CostFigure("peak memory", many.peak / 2**30, "GiB", limit=MEMORY_LIMIT / 2**30)
    yield CostFigure(
        "time against one time the data", many.seconds / one.seconds, "x", limit=scale * TIME_LIMIT
    )
    for asset, seconds in many.assets.items():
        before = one.assets[asset]
        if before > 0:
            yield CostFigure(f"{asset}: {before:.1f} s, then", seconds, "s")
    alone = measured_training(folder / "one", 1)
    yield CostFigure(f"one epoch, {one.matches:,} matches", alone.seconds, "s")
    yield CostFigure("peak memory", alone.peak / 2**30, "GiB")
    for count in (1, workers):
        training = measured_training(folder / "many", count)
        where = "this process" if count == 1 else f"{count} workers of Ray Train"
        yield CostFigure(f"one epoch, {many.matches:,} matches, {where}", training.seconds, "s")
        yield CostFigure("peak memory", training.peak / 2**30, "GiB", limit=MEMORY_LIMIT / 2**30)
        limit = scale * TIME_LIMIT if count == 1 else None
        yield CostFigure("time against one time the data", training.seconds / alone.seconds, "x", limit=limit)


@dataclass(frozen=True)
class TrainingRun:
    """An epoch of training in a process of its own. `peak`: bytes, of all its processes."""

    seconds: float  # of the epoch, validation included
    peak: int


def measured_training(home: Path, workers: int) -> TrainingRun:
    """Train on the tensors of a home."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.speed.bench_scale",
        "--train",
        str(home),
        "--workers",
        str(workers),
    ]
    _, peak = run_measured(command, own_bytes)
    return TrainingRun(json.loads((home / EPOCH).read_bytes()), peak)


def train(home: Path, workers: int) -> None:
    """Child process: one epoch on the tensors of a home; writes its seconds there."""
    from football_assets.runtime.home import prepare_home
    from football_assets.sequences.tensors import open_tensors
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket
    from football_assets.training.config import TrainingConfig
    from football_assets.training.parallel.distributed import fit_on_workers
    from football_assets.training.split import split_by_time

    settings = prepare_home(home)
    tensors = open_tensors(fetch(open_bucket(settings.bucket_url), "sequence_tensors", settings.scratch))
    config = TrainingConfig(epochs=1, workers=workers)
    fit = fit_on_workers(tensors, split_by_time(tensors, config.split), config)
    (home / EPOCH).write_text(json.dumps(fit.epochs[0].seconds), encoding="utf-8")


def replicate(data: Path, target: Path, scale: int) -> None:
    """The files of results, and `scale` - 1 copies of each under other countries."""
    files = [path for path in sorted(data.rglob("*")) if _LEAGUE_FILE.fullmatch(path.name)]
    if not files:
        raise SystemExit(f"There are no files of results named like eng.1.csv in {data}.")
    countries = sorted({path.name.split(".")[0] for path in files})
    # Codes that no country has. There are 676: enough for 20 times the data.
    free = ("q" + "".join(letters) for letters in product(ascii_lowercase, repeat=2))
    codes = {(country, copy): next(free) for copy in range(1, scale) for country in countries}
    for path in files:
        country, _, league = path.name.partition(".")
        folder = target / path.parent.relative_to(data)
        folder.mkdir(parents=True, exist_ok=True)
        for copy in range(scale):
            name = path.name if copy == 0 else f"{codes[country, copy]}.{league}"
            shutil.copyfile(path, folder / name)


if __name__ == "__main__":
    sys.exit(main())
