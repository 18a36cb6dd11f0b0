"""`make bench`: time and memory of the graph, each with its limit and the figure of a naive implementation.

Runs on the folder FOOTBALL_BENCH_DATA, else on the bundled results. The limits hold for 252,000
matches on 2 cores. The time of the cold run includes the start of Python and Dagster.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import ROOT
from benchmarks.speed.figures import CostFigure, report
from benchmarks.speed.graph_run import GraphRun, graph_in_child, measured_graph
from benchmarks.speed.naive import NAIVE_MATCHES, naive_epoch, naive_features
from benchmarks.speed.processes import fastest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from football_assets.storage.bucket import Bucket
    from football_assets.training.config import TrainingConfig
    from football_assets.training.inputs import BatchReader

FORBIDDEN = ("torch", "ray", "evidently", "wandb")
FEATURE_ASSETS = (
    "team_matches",
    "team_form",
    "team_ratings",
    "team_market_ratings",
    "team_shot_ratings",
    "match_features",
)
NEW_MATCHES = 10


def main() -> int:
    """Measure, print a table, write `--json`; exit code 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of landing files")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="football-bench-") as home:
        figures = list(measure(arguments.data, Path(home)))
    report(figures, str(arguments.data), "naive way", "ratio")
    if arguments.json:
        records = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
        arguments.json.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def default_data() -> Path:
    """Folder of landing files to measure on."""
    from football_assets.sample import sample_folder

    named = os.environ.get("FOOTBALL_BENCH_DATA")
    return Path(named) if named else sample_folder()


def measure(data: Path, home: Path) -> Iterator[CostFigure]:
    """Every figure."""
    from football_assets.settings import get_settings
    from football_assets.storage.opening import open_bucket
    from football_assets.storage.tables import read_table

    whole = measured_graph(data, home)
    bucket = open_bucket(get_settings().bucket_url)
    matches = read_table(bucket, "stg_matches").sort("kickoff_date")
    yield CostFigure(
        f"landing files to tensors, cold, {whole.matches:,} matches", whole.seconds, "s", limit=45
    )
    yield CostFigure("peak memory of its processes", whole.peak / 2**30, "GiB", limit=2e9 / 2**30)
    yield from matchday_figure(bucket, whole)
    yield CostFigure(
        "features: " + ", ".join(FEATURE_ASSETS),
        sum(whole.assets[name] for name in FEATURE_ASSETS),
        "s",
        naive=naive_features(matches.head(NAIVE_MATCHES).to_dicts())
        * len(matches)
        / min(NAIVE_MATCHES, len(matches)),
        naive_way="a plain Python loop",
    )
    yield from training_figures(home)
    yield from loading_figures()


def matchday_figure(bucket: "Bucket", whole: GraphRun) -> Iterator[CostFigure]:
    """The last ten results of one league are taken away, and land again: the run that follows is measured.

    Where results are no lines, as in the bundled ones, nothing is.

    Raises
    ------
    SystemExit
        The tables or arrays are not those of the run that made everything.
    """
    from football_assets.raw.landing import inventory

    newest = inventory(bucket).seasons[-1]
    lined = (item for item in inventory(bucket).objects if item.info.name.endswith(".csv"))
    item = next((item for item in lined if item.season == newest), None)
    if item is None:
        return
    complete, digest = bucket.read(item.info.name), tables_digest(bucket)
    bucket.write(item.info.name, b"\n".join(complete.splitlines()[:-NEW_MATCHES]) + b"\n")
    graph_in_child(item.league.country)
    bucket.write(item.info.name, complete)
    run = graph_in_child(item.league.country)
    if tables_digest(bucket) != digest:
        raise SystemExit(f"A new matchday of {item.info.name} gave other tables than a full rebuild.")
    by_asset = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.assets.items() if seconds >= 0.1)
    yield CostFigure(
        f"one new matchday ({item.league.league_id}) to tensors, work beyond process start: {by_asset}",
        run.work,
        "s",
        limit=15,
        naive=whole.work,
        naive_way="a full rebuild",
    )


def tables_digest(bucket: "Bucket") -> str:
    """Digest of the content of all tables and arrays, in order."""
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.tables import read_table

    digest = hashlib.blake2b()
    for name in ("stg_matches", "team_form", *FEATURE_ASSETS):
        digest.update(read_table(bucket, name).hash_rows().to_numpy().tobytes())
    for path in sorted(fetch(bucket, "sequence_tensors", Path()).glob("*.npy")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def training_figures(home: Path) -> Iterator[CostFigure]:
    """A training to its end, its epochs beside one that reads one row at a time, and what reading batches takes of it.

    On a GPU the time of the first epoch holds the start of its libraries.
    """
    from football_assets.sequences.tensors import open_tensors
    from football_assets.settings import get_settings
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket
    from football_assets.training.config import TrainingConfig
    from football_assets.training.fit import fit_forecaster
    from football_assets.training.inputs import batch_reader
    from football_assets.training.split import split_by_time
    from football_assets.training.workers import Alone

    folder = fetch(open_bucket(get_settings().bucket_url), "sequence_tensors", home / "scratch")
    started = time.perf_counter()
    tensors = open_tensors(folder)
    config = TrainingConfig()
    split = split_by_time(tensors, config.split)
    fit = fit_forecaster(tensors, split, config)
    seconds = time.perf_counter() - started
    where = f"{len(split.train):,} matches, {fit.device}"
    yield CostFigure(
        f"training, {len(fit.epochs)} epochs of {where}",
        seconds,
        "s",
        limit=20 if fit.device == "cuda" else 180,
    )
    rows = split.train[:NAIVE_MATCHES]
    epoch = min(epoch.seconds for epoch in fit.epochs)
    yield CostFigure(
        f"its fastest epoch, {where}",
        epoch,
        "s",
        limit=8,
        naive=naive_epoch(tensors, rows, config) * len(split.train) / len(rows),
        naive_way="a DataLoader that reads one row at a time, on the CPU",
    )
    reader = batch_reader(tensors, Alone().device)
    yield CostFigure("of it reading batches", 100 * reading_seconds(reader, split.train, config) / epoch, "%")


def reading_seconds(reader: "BatchReader", rows: "NDArray[np.int64]", config: "TrainingConfig") -> float:
    """Seconds for reading one epoch's batches, each waited for, and nothing else."""
    import numpy as np
    import torch

    from football_assets.training.passes import batches, matches_per_step

    shuffled = list(batches(rows, matches_per_step(config, len(rows)), np.random.default_rng(0)))
    reader.read(shuffled[0])
    started = time.perf_counter()
    for batch in shuffled:
        reader.read(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    return time.perf_counter() - started


def loading_figures() -> Iterator[CostFigure]:
    """Loading the code location, without the interpreter's own start."""
    start = fastest([sys.executable, "-c", "pass"])
    validate = [sys.executable, "-m", "dagster", "definitions", "validate", "--workspace", "workspace.yaml"]
    imports = f"import {', '.join(FORBIDDEN)}"
    seconds = fastest(validate) - start
    yield CostFigure(
        "dagster definitions validate",
        seconds,
        "s",
        limit=4,
        naive=seconds + fastest([sys.executable, "-c", imports]) - start,
        naive_way=imports,
    )
    load = "import sys, football_assets.definitions as d; d.defs.get_repository_def().load_all_definitions()"
    yield CostFigure(
        "loading football_assets.definitions alone", fastest([sys.executable, "-c", load]) - start, "s"
    )
    loaded = f"{load}; print(*(name for name in {FORBIDDEN!r} if name in sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = output.stdout.split()
    yield CostFigure(f"of {', '.join(FORBIDDEN)} imported by it", len(found), "", limit=0)


if __name__ == "__main__":
    sys.exit(main())
