"""Workers: one process alone, and a group of two processes that shares a batch."""

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.nn import functional

from football_assets.training.workers import Alone, Group

ROWS = np.arange(10, 15)
INPUTS = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0], [2.0, 2.0], [-1.0, 1.0]])
TARGETS = torch.tensor([[1.0], [0.0], [2.0], [3.0], [-2.0]])


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(2, 1)


def gradients(network: nn.Module) -> list[list[float]]:
    return [
        parameter.grad.flatten().tolist() for parameter in network.parameters() if parameter.grad is not None
    ]


def backward(network: nn.Module, rows: list[int]) -> None:
    functional.mse_loss(network(INPUTS[rows]), TARGETS[rows]).backward()


def test_a_process_alone_owns_every_row_and_keeps_its_gradients() -> None:
    alone, network = Alone(), linear()
    backward(network, [0, 1, 2, 3, 4])
    before = gradients(network)

    alone.join_gradients(network, 1.0)

    assert gradients(network) == before
    assert (alone.rank, alone.size) == (0, 1)
    assert alone.owns(ROWS).tolist() == [True] * 5
    assert alone.total(torch.tensor([2.5, 1.0])).tolist() == [2.5, 1.0]
    assert alone.total(torch.tensor(3)).dtype == torch.float64
    assert alone.from_first((1.0, 2.0)) == (1.0, 2.0)


OWNED = (np.array([3, 10, 12, 13, 40]), np.array([11, 14, 20]))


def _in_group(rank: int, store: str) -> dict[str, Any]:
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    try:
        group, network = Group(OWNED[rank]), linear()
        own = ROWS[group.owns(ROWS)] - ROWS[0]
        backward(network, own.tolist())
        group.join_gradients(network, len(own) / len(ROWS))
        joined = gradients(network)
        network.zero_grad(set_to_none=True)
        if rank == 1:
            backward(network, [1, 4])
        group.join_gradients(network, float(rank))  # the first worker owns no match of the batch
        values = torch.tensor([rank + 1.5, 1.0], dtype=torch.float64)
        summed = group.total(values)
        return {
            "rank": (group.rank, group.size),
            "own": own.tolist(),
            "gradients": joined,
            "gradients of one": gradients(network),
            "total": summed.tolist(),
            "given": values.tolist(),
            "types": (summed.dtype, group.total(torch.tensor(rank)).dtype),
            "first": group.from_first((rank + 0.25, rank + 0.5)),
        }
    finally:
        distributed.destroy_process_group()


@pytest.mark.slow
def test_a_group_divides_a_batch_by_owner_and_joins_its_gradients_to_those_of_the_whole(
    tmp_path: Path,
) -> None:
    """One worker has three of the five rows, the other two; then one has none."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        first, second = pool.starmap(
            _in_group, [(rank, str(tmp_path / "store")) for rank in range(2)], chunksize=1
        )
    whole, of_one = linear(), linear()
    backward(whole, [0, 1, 2, 3, 4])
    backward(of_one, [1, 4])

    assert [first["rank"], second["rank"]] == [(0, 2), (1, 2)]
    assert (first["own"], second["own"]) == ([0, 2, 3], [1, 4])
    assert first["total"] == second["total"] == [4.0, 2.0]
    assert first["types"] == second["types"] == (torch.float64, torch.float64)
    assert (first["given"], second["given"]) == ([1.5, 1.0], [2.5, 1.0])  # they are not summed in place
    assert first["first"] == second["first"] == (0.25, 0.5)
    for found in (first, second):
        for joined, expected in zip(found["gradients"], gradients(whole), strict=True):
            assert joined == pytest.approx(expected, rel=1e-5)
        for joined, expected in zip(found["gradients of one"], gradients(of_one), strict=True):
            assert joined == pytest.approx(expected, rel=1e-5)
