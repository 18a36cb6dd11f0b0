"""The workers of a training: one process, or a group that shares every batch and sums its gradients."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn

Losses = tuple[float, float]


class Workers(Protocol):
    """One process's view of its group. All workers must make the same calls in the same order."""

    rank: int
    size: int
    device: torch.device

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of a batch that belong to this worker; none where the batch has fewer rows than workers."""
        ...

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Replace each worker's gradients by those of the whole batch; `share` is this worker's share of its rows."""
        ...

    def total(self, value: float) -> float:
        """Sum the values of all workers."""
        ...

    def from_first(self, measure: Callable[[], Losses]) -> Losses:
        """Broadcast what the first worker measures, so that all workers decide alike."""
        ...


class Alone:
    """A single process, which owns every row."""

    rank, size = 0, 1

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return all rows."""
        return rows

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Leave the gradients: they are those of the whole batch."""

    def total(self, value: float) -> float:
        """Return the value."""
        return value

    def from_first(self, measure: Callable[[], Losses]) -> Losses:
        """Return what is measured."""
        return measure()


class Group:
    """A worker of torch's default process group, which must have been initialised.

    Gradients are reduced on the CPU: the network is small, and NCCL does not allow several workers to share a GPU.
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return every `size`-th row."""
        return rows[self.rank :: self.size]

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

    def total(self, value: float) -> float:
        """Sum the values over the group."""
        values = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(values)
        return float(values.item())

    def from_first(self, measure: Callable[[], Losses]) -> Losses:
        """Broadcast what rank 0 measures."""
        values = torch.tensor(measure() if self.rank == 0 else (0.0, 0.0), dtype=torch.float64)
        distributed.broadcast(values, src=0)
        first, second = values.tolist()
        return first, second
