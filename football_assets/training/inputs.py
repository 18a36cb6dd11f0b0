"""Read batches of the tensors on the device that trains.

On a CPU a batch is read from the memory-mapped files. A GPU holds all tensors in its own memory, 62 MB for a quarter of
a million matches, and reads its batches there without transfers.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from football_assets.sequences.shards import TensorShard
from football_assets.sequences.tensors import ARRAYS, SequenceTensors

TrainingTensors = SequenceTensors | TensorShard
Inputs = tuple[Tensor, Tensor, Tensor]
_LARGEST_SHARE = 0.5  # of a GPU's free memory for the tensors; the rest is for training


class Batch(NamedTuple):
    """Inputs and labels of some matches, on the network's device."""

    inputs: Inputs
    outcome: Tensor  # int64 [n]
    goals: Tensor  # float32 [n, 2]
    market: (
        Tensor  # float32 [n, 5]: what the odds of the matches imply, as `SequenceTensors.market`; NaN unknown
    )


class BatchReader(Protocol):
    """A reader of batches of some tensors."""

    def read(self, rows: NDArray[np.int64]) -> Batch:
        """Read inputs and labels of some rows, on the network's device."""
        ...

    def has_odds(self, rows: NDArray[np.int64]) -> bool:
        """Return whether the odds of at least one of the matches are known: its row of `Batch.market` is not NaN."""
        ...


def batch_reader(tensors: TrainingTensors, device: torch.device) -> BatchReader:
    """Return the reader for a device: a GPU with enough memory holds the tensors, other devices map the files.

    Rows of a shard are those of the tensors that it was cut from.
    """
    if isinstance(tensors, TensorShard):
        return ShardReader(tensors, batch_reader(tensors.tensors, device))
    if device.type == "cuda":
        size = sum(getattr(tensors, name).nbytes for name in ARRAYS)
        if size <= _LARGEST_SHARE * torch.cuda.mem_get_info(device)[0]:
            return ResidentReader(tensors, device)
    return MappedReader(tensors, device)


class MappedReader:
    """Read batches from the memory-mapped files and copy them to the device, through pinned memory for a GPU."""

    def __init__(self, tensors: SequenceTensors, device: torch.device) -> None:
        self._tensors, self._device = tensors, device

    def read(self, rows: NDArray[np.int64]) -> Batch:
        """Read a batch. See `BatchReader.read`."""
        batch = self._tensors.take(rows)
        home, away, context = (
            self._sent(torch.from_numpy(array))
            for array in (batch.home_history, batch.away_history, batch.context)
        )
        outcome, goals = targets(self._tensors, rows)
        market = torch.from_numpy(np.asarray(self._tensors.market[rows]))
        return Batch((home, away, context), *(self._sent(label) for label in (outcome, goals, market)))

    def has_odds(self, rows: NDArray[np.int64]) -> bool:
        """Read the columns of `market`. See `BatchReader.has_odds`."""
        return bool(np.isfinite(self._tensors.market[rows]).any())

    def _sent(self, values: Tensor) -> Tensor:
        if self._device.type == "cuda":
            values = values.pin_memory()
        return values.to(self._device, non_blocking=True)


class ResidentReader:
    """Read batches from the device's own memory."""

    def __init__(self, tensors: SequenceTensors, device: torch.device) -> None:
        self._device = device
        self._past = self._held(tensors.past)
        self._home_span, self._away_span = self._held(tensors.home_span), self._held(tensors.away_span)
        self._context = self._held(tensors.context)
        self._outcome = self._held(tensors.outcome)
        self._goals = self._held(tensors.goals)
        self._market = self._held(tensors.market)
        self._back = torch.arange(-tensors.spec.history_length, 0, device=device)

    def read(self, rows: NDArray[np.int64]) -> Batch:
        """Read a batch. See `BatchReader.read`."""
        index = torch.from_numpy(rows).to(self._device, non_blocking=True)
        home, away = self._history(self._home_span[index]), self._history(self._away_span[index])
        inputs = (home, away, self._context[index])
        return Batch(inputs, self._outcome[index], self._goals[index].float(), self._market[index])

    def has_odds(self, rows: NDArray[np.int64]) -> bool:
        """Read the columns of `market`. See `BatchReader.has_odds`."""
        return bool(torch.isfinite(self._market[torch.from_numpy(rows).to(self._device)]).any())

    def _history(self, spans: Tensor) -> Tensor:
        """Gather the last matches of teams, as `read_histories` does."""
        rows = spans[:, 1:] + self._back  # [n, length]
        rows = torch.where(rows < spans[:, :1], len(self._past) - 1, rows)
        return self._past[rows]

    def _held(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.array(array)).to(self._device)


class ShardReader:
    """Read batches of a shard by the rows that its matches have in all tensors.

    Parameters
    ----------
    shard
        The matches.
    reader
        Reads the shard's own tensors.
    """

    def __init__(self, shard: TensorShard, reader: BatchReader) -> None:
        self._shard, self._reader = shard, reader

    def read(self, rows: NDArray[np.int64]) -> Batch:
        """Read a batch. See `BatchReader.read`; a row that is not in the shard raises IndexError."""
        return self._reader.read(self._shard.positions(rows))

    def has_odds(self, rows: NDArray[np.int64]) -> bool:
        """Read the columns of `market`. See `BatchReader.has_odds`."""
        return self._reader.has_odds(self._shard.positions(rows))


def targets(tensors: SequenceTensors, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return outcomes `[n]` and goals `[n, 2]` (float32) of some rows."""
    outcome = torch.from_numpy(np.asarray(tensors.outcome[rows]))
    return outcome, torch.from_numpy(tensors.goals[rows].astype(np.float32))
