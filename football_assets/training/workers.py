"""The workers of a training: one process, or a group that divides every batch and sums the gradients."""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from football_assets.sequences.shards import contains

Losses = tuple[float, float]


class Workers(Protocol):
    """One process's view of its group. All workers must make the same calls in the same order."""

    rank: int
    size: int
    device: torch.device

    def owns(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows this worker owns, `[n]`; each row of training and validation belongs to one worker."""
        ...

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Replace each worker's gradients by those of the whole batch; `share` is this worker's share of its rows."""
        ...

    def total(self, values: Tensor) -> Tensor:
        """Sum the values of all workers; float64, on the CPU."""
        ...

    def from_first(self, losses: Losses) -> Losses:
        """Broadcast the losses of the first worker, so that all workers make the same decision."""
        ...


class Alone:
    """A single process, which owns every row."""

    rank, size = 0, 1

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def owns(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return True for each row."""
        return np.ones(len(rows), dtype=bool)

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Do nothing: the gradients are those of the whole batch."""

    def total(self, values: Tensor) -> Tensor:
        """Return the values as float64 on the CPU."""
        return values.to("cpu", torch.float64)

    def from_first(self, losses: Losses) -> Losses:
        """Return the losses."""
        return losses


class Group:
    """A worker of torch's default process group, which must have been initialised.

    Gradients are reduced on the CPU: the network is small, and NCCL does not allow several workers to share a GPU.

    Parameters
    ----------
    rows
        Rows of the matches that this worker owns, ascending.
    """

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self._rows = rows
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def owns(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows are among the worker's own."""
        return contains(self._rows, rows)

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Sum the workers' mean gradients, weighted by their rows: the batch's mean gradient."""
        parameters = list(network.parameters())
        gradients = [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for parameter in parameters
        ]
        joined = torch.cat([gradient.flatten() for gradient in gradients]).mul_(share).cpu()
        distributed.all_reduce(joined)
        parts = joined.to(self.device).split([parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def total(self, values: Tensor) -> Tensor:
        """Sum the values over the group; the sums are equal on all workers."""
        total = values.to("cpu", torch.float64, copy=True)
        distributed.all_reduce(total)
        return total

    def from_first(self, losses: Losses) -> Losses:
        """Broadcast the losses of rank 0."""
        values = torch.tensor(losses, dtype=torch.float64)
        distributed.broadcast(values, src=0)
        first, second = values.tolist()
        return first, second
