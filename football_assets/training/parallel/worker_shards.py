"""Divide the matches of a training among workers, and give each worker its own.

A worker owns a fixed set of matches and computes the part of each batch that consists of them. On one machine all
workers map the same files. On other machines each worker fetches its shard, a separate object, from Ray's object store.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from football_assets.sequences.shards import TensorShard, cut_shard
from football_assets.sequences.tensors import ARRAYS, SequenceTensors
from football_assets.training.inputs import TrainingTensors
from football_assets.training.parallel.worker_inputs import (
    WorkerInputs,
    inputs_for_workers,
    is_one_machine,
    mapped_file,
)
from football_assets.training.split import TimeSplit

if TYPE_CHECKING:
    from ray import ObjectRef


@dataclass(frozen=True)
class MappedShard:
    """A worker's matches in files that it maps.

    Attributes
    ----------
    rows
        Rows that the worker owns, ascending.
    inputs
        Paths of the files of all tensors.
    """

    rows: NDArray[np.int64]
    inputs: WorkerInputs

    def open(self, device: torch.device) -> TrainingTensors:
        """Map the files for a CPU; copy the worker's own matches for a GPU, which holds them in its memory."""
        tensors = self.inputs.tensors()
        return cut_shard(tensors, self.rows) if device.type == "cuda" else tensors


@dataclass(frozen=True)
class CopiedShard:
    """A worker's matches in memory."""

    shard: TensorShard

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that the worker owns, ascending."""
        return self.shard.rows

    def open(self, device: torch.device) -> TrainingTensors:
        """Return the shard, for any device."""
        return self.shard


WorkerShard = MappedShard | CopiedShard


def put_shards(tensors: SequenceTensors, split: TimeSplit, workers: int) -> list["ObjectRef"]:
    """Put a `WorkerShard` for each worker into the object store of the Ray cluster that this process is connected to.

    Shards are created one at a time, so this process holds only one of them in memory.
    """
    import ray

    are_files_shared = is_one_machine() and all(mapped_file(getattr(tensors, name)) for name in ARRAYS)
    inputs = inputs_for_workers(tensors) if are_files_shared else None
    return [
        ray.put(CopiedShard(cut_shard(tensors, rows)) if inputs is None else MappedShard(rows, inputs))
        for rows in divide_matches(tensors, split, workers)
    ]


def divide_matches(tensors: SequenceTensors, split: TimeSplit, workers: int) -> list[NDArray[np.int64]]:
    """Divide the training and validation matches into one set of rows per worker; sizes differ by at most one.

    Matches are divided in the order of their leagues. Each team's matches are then in one or few sets, and the shards
    share few past matches.

    Returns
    -------
    list
        Rows of each worker, ascending.
    """
    rows = np.union1d(split.train, split.validation)
    leagues = tensors.keys["league_id"].gather(rows).rank("dense").to_numpy()
    by_league = rows[np.argsort(leagues, kind="stable")]
    return [np.sort(part) for part in np.array_split(by_league, workers)]


def split_for_workers(split: TimeSplit) -> TimeSplit:
    """Return the split without the rows of the test period, which no worker reads."""
    return replace(split, test=split.test[:0])
