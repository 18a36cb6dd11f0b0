"""Who trains: one process alone, or a group that shares every batch and joins its gradients. The loop is the same."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn

Losses = tuple[float, float]


class Workers(Protocol):
    """One process's view of those it trains with. All of them must make the same calls in the same order."""

    rank: int
    size: int
    device: torch.device

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """This worker's part of a batch; none where the batch has fewer rows than there are workers."""
        ...

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Make everybody's gradients those of the whole batch; `share` is this worker's part of its rows."""
        ...

    def total(self, value: float) -> float:
        """Sum of everybody's values."""
        ...

    def from_first(self, measure: Callable[[], Losses]) -> Losses:
        """What the first worker measures, for everybody, so that all decide alike."""
        ...


class Alone:
    """One process: it owns every row, and there is nobody to agree with."""

    rank, size = 0, 1

    def __init__(self) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """All rows."""
        return rows

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """Gradients are those of the whole batch already."""

    def total(self, value: float) -> float:
        """The value."""
        return value

    def from_first(self, measure: Callable[[], Losses]) -> Losses:
        """What is measured."""
        return measure()


class Group:
    """A worker of torch's default process group, which must have been initialised.

    Gradients travel through the CPU: the network is small, and so a GPU may be shared by several workers, which its
    own library of collectives refuses.
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def own(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Every `size`th row."""
        return rows[self.rank :: self.size]

    def join_gradients(self, network: nn.Module, share: float) -> None:
        """The sum over workers of their mean gradients, weighted by their rows, is the batch's mean gradient."""
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
        """Sum over the group."""
        values = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(values)
        return values.item()

    def from_first(self, measure: Callable[[], Losses]) -> Losses:
        """What rank 0 measured, broadcast."""
        values = torch.tensor(measure() if self.rank == 0 else (0.0, 0.0), dtype=torch.float64)
        distributed.broadcast(values, src=0)
        first, second = values.tolist()
        return first, second
