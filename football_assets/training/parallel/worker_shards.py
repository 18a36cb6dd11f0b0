"""Divide the matches of a training among workers, and give each worker its own.

A worker owns a fixed set of matches and computes the part of each batch that consists of them. On one machine all
workers map the same files. To other machines each worker's shard goes through Ray's object store as an object of its
own, which only the machine of that worker fetches.
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

    Shards are cut one at a time: this process holds one of them, however many there are.
    """
    import ray

    are_files_shared = is_one_machine() and all(mapped_file(getattr(tensors, name)) for name in ARRAYS)
    inputs = inputs_for_workers(tensors) if are_files_shared else None
    return [
        ray.put(CopiedShard(cut_shard(tensors, rows)) if inputs is None else MappedShard(rows, inputs))
        for rows in divide_matches(tensors, split, workers)
    ]


def divide_matches(tensors: SequenceTensors, split: TimeSplit, workers: int) -> list[NDArray[np.int64]]:
    """Divide the training and validation matches into as many sets of rows as there are workers, equal in size by one.

    Matches are divided in the order of their leagues. A team's matches are then read by one worker, or by few, and
    the shards hardly overlap in past matches.

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
