"""`python -m benchmarks.speed.bench_loading`: bytes, memory and waiting time of the workers of a distributed training.

The workers run on Ray nodes with separate object stores, which represent machines. A small network is trained on
several multiples of the data in two ways: with a shard for each worker, and with all arrays for every worker, as in the
trials of the sweep. The original tensors are repeated under the names of other leagues.

Shards and arrays have all matches. The epoch uses every tenth match, since its time is proportional to the matches.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.speed.bench import default_data
from benchmarks.speed.figures import CostFigure, report
from benchmarks.speed.graph_run import measured_graph
from benchmarks.speed.processes import own_bytes, process_tree
from football_assets.sequences.tensors import ARRAYS
from football_assets.training.parallel.worker_inputs import WorkerInputs, inputs_for_workers
from football_assets.training.parallel.worker_shards import divide_matches

if TYPE_CHECKING:
    import torch
    from ray import ObjectRef

    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.training.split import TimeSplit

SCALE = 10
WORKERS = (2, 4)
SHARDS, WHOLE = "shards", "whole"
EVERY = 10  # the epoch uses one of so many training matches
BATCH = 1024
STORE = 1 << 31  # bytes of each node's object store
RESULT = "loading.json"
_WORKER_PROCESS = b"ray::RayTrainWorker"
_POLL_SECONDS = 0.5


def main() -> int:
    """Measure, print a table, write `--json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=SCALE, help="how many times the data")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of landing files")
    parser.add_argument("--tensors", type=Path, help="folder of tensors, in place of those of `--data`")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS, help="numbers of workers")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--folder", type=Path, help="folder to work in: 0.2 GB a unit of scale")
    parser.add_argument("--child", choices=(SHARDS, WHOLE), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        train(arguments.tensors, arguments.child, *arguments.workers)
        return 0
    with TemporaryDirectory(prefix="football-loading-", dir=arguments.folder) as folder:
        tensors = arguments.tensors or tensors_of(arguments.data, Path(folder) / "one")
        repeated = Path(folder) / "tensors"
        matches = repeat_tensors(tensors, repeated, arguments.scale)
        figures = [figure for count in arguments.workers for figure in measure(repeated, count)]
    report(figures, f"{matches:,} matches", "all arrays for every worker", "ratio")
    if arguments.json:
        records = [
            {"name": figure.name, "value": figure.value, "unit": figure.unit, "whole": figure.naive}
            for figure in figures
        ]
        arguments.json.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return 0


@dataclass(frozen=True)
class Loading:
    """A training of one epoch."""

    received: int  # bytes, the most of a worker
    first_batch: float  # seconds from the tensors to the first batch of the last worker, without the start of processes
    epoch: float  # seconds per million training matches, validation included
    worker_peak: (
        int  # bytes, the most of a worker: private memory and the pages of its object store that it reads
    )
    driver_peak: int  # bytes of the process that starts the training, without mapped files and object store


def measure(tensors: Path, workers: int) -> Iterator[CostFigure]:
    """Yield the figures of one epoch with shards, compared with one with all arrays."""
    ours, theirs = (measured_training(tensors, way, workers) for way in (SHARDS, WHOLE))
    for name, field, divisor, unit in (
        ("received by a worker", "received", 2**30, "GiB"),
        ("peak memory of a worker", "worker_peak", 2**30, "GiB"),
        ("peak memory of the process that starts the training", "driver_peak", 2**30, "GiB"),
        ("tensors to first batch", "first_batch", 1, "s"),
        ("an epoch of a million matches", "epoch", 1, "s"),
    ):
        value, whole = (getattr(loading, field) / divisor for loading in (ours, theirs))
        yield CostFigure(f"{workers} workers: {name}", value, unit, naive=whole, naive_way="all arrays")


def measured_training(tensors: Path, way: str, workers: int) -> Loading:
    """Train in a separate process."""
    command = [sys.executable, "-m", "benchmarks.speed.bench_loading", "--child", way]
    command += ["--tensors", str(tensors), "--workers", str(workers)]
    worker_peak = driver_peak = 0
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None:
            driver_peak = max(driver_peak, private_bytes(process.pid))
            worker_peak = max([worker_peak, *map(own_bytes, worker_processes(process.pid))])
            time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    found = json.loads((tensors / RESULT).read_bytes())
    return Loading(**found, worker_peak=worker_peak, driver_peak=driver_peak)


def worker_processes(pid: int) -> list[int]:
    """Return the identifiers of Ray Train's workers among the descendants of a process."""
    found = []
    for descendant in process_tree(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            if _WORKER_PROCESS in Path(f"/proc/{descendant}/cmdline").read_bytes():
                found.append(descendant)
    return found


def private_bytes(pid: int) -> int:
    """Return the private memory of a process in bytes, 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


def train(tensors_folder: Path, way: str, workers: int) -> None:
    """Train one epoch on Ray nodes and write the figures beside the tensors; runs in a child process."""
    import ray

    from football_assets.sequences.tensors import open_tensors
    from football_assets.training.config import NetworkConfig, TrainingConfig
    from football_assets.training.parallel import distributed
    from football_assets.training.split import split_by_time
    from football_assets_tests.builders.ray_nodes import ray_nodes

    tensors = open_tensors(tensors_folder)
    config = TrainingConfig(epochs=1, workers=workers, network=NetworkConfig(hidden=8, trunk=8))
    split = split_by_time(tensors, config.split)
    trained = replace(split, train=split.train[::EVERY], validation=split.validation[::EVERY])
    put = distributed.put_shards if way == SHARDS else put_whole
    with ray_nodes(workers, STORE):
        started = time.perf_counter()
        objects = put(tensors, split, workers)
        put_seconds = time.perf_counter() - started
        reading = [ray.remote(first_batch).remote([each]) for each in objects]  # one CPU each: on all nodes
        first_seconds = put_seconds + max(ray.get(reading))
        with patch.object(distributed, "put_shards", lambda *_: objects):
            fit = distributed.fit_on_workers(tensors, trained, config)
        sizes = ray.experimental.get_object_locations(objects)
        most = max(found["object_size"] for found in sizes.values())
        if way == WHOLE:
            most += sum(getattr(tensors, name).nbytes for name in ARRAYS)
    (epoch,) = fit.epochs
    figures = {
        "received": most + split.train.nbytes + split.validation.nbytes,
        "first_batch": first_seconds,
        "epoch": epoch.seconds / len(trained.train) * 1e6,
    }
    (tensors_folder / RESULT).write_text(json.dumps(figures), encoding="utf-8")


def first_batch(shards: "list[ObjectRef]") -> float:
    """Return the seconds in which a worker fetches its object and reads a batch; a Ray task."""
    import ray
    import torch

    from football_assets.training.inputs import batch_reader

    started = time.perf_counter()
    (shard,) = ray.get(shards)
    device = torch.device("cpu")
    batch_reader(shard.open(device), device).read(shard.rows[:: len(shard.rows) // BATCH])
    return time.perf_counter() - started


@dataclass(frozen=True)
class WholeTensors:
    """All arrays in the object store, passed instead of a worker's shard."""

    rows: NDArray[np.int64]
    inputs: "ObjectRef"

    def open(self, device: "torch.device") -> "SequenceTensors":
        """Fetch them."""
        import ray

        inputs: WorkerInputs = ray.get(self.inputs)
        return inputs.tensors()


def put_whole(tensors: "SequenceTensors", split: "TimeSplit", workers: int) -> "list[ObjectRef]":
    """Put all arrays once, and a reference to them for every worker."""
    import ray

    inputs = ray.put(inputs_for_workers(tensors))
    return [ray.put(WholeTensors(rows, inputs)) for rows in divide_matches(tensors, split, workers)]


def tensors_of(data: Path, home: Path) -> Path:
    """Land a folder in a new home, and build its tensors."""
    from football_assets.settings import get_settings
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket

    measured_graph(data, home)
    settings = get_settings()
    return fetch(open_bucket(settings.bucket_url), "sequence_tensors", settings.scratch)


def repeat_tensors(source: Path, target: Path, scale: int) -> int:
    """Write each match `scale` times, each time with other leagues and past matches; returns the number of matches."""
    from football_assets.sequences.tensors import KEYS, open_tensors

    target.mkdir()
    one = open_tensors(source)
    older = len(one.past) - 1
    for name in ARRAYS:
        array = np.asarray(getattr(one, name))
        count = scale * older + 1 if name == "past" else scale * len(array)
        file = np.lib.format.open_memmap(target / f"{name}.npy", "w+", array.dtype, (count, *array.shape[1:]))
        for copy in range(scale):
            if name == "past":
                file[copy * older : (copy + 1) * older] = array[:-1]
            elif name.endswith("_span"):
                is_empty = array[:, :1] == array[:, 1:]
                file[copy::scale] = np.where(is_empty, 0, array + copy * older)
            else:
                file[copy::scale] = array
        file.flush()
    rows = np.repeat(np.arange(len(one)), scale)
    copies = pl.Series("copy", np.tile(np.arange(scale), len(one))).cast(pl.String)
    keys = one.keys.select("kickoff_date", "league_id")[rows]
    keys.with_columns(league_id=copies + pl.lit(":") + pl.col("league_id")).write_parquet(target / KEYS)
    one.spec.save(target)
    return len(rows)


if __name__ == "__main__":
    sys.exit(main())
