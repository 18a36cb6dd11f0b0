"""Moments of rows in parts: those of NumPy on all rows, in one process or in several, and exact for large constants."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from football_assets.training.moments import Moments

GENERATOR = np.random.default_rng(3)
ROWS = GENERATOR.normal([0, 1500, -3, 0.2], [1, 300, 1e-3, 5], (60, 4))
ROWS[GENERATOR.random(ROWS.shape) < 0.2] = np.nan
ROWS[:30, 3] = np.nan  # unknown in the first half


def joined(processes: list[Moments]) -> list[tuple[Tensor, Tensor]]:
    """What each process computes when their values are summed, as a group does."""
    sums: list[Tensor] = []
    for reduction in range(2):
        given: list[list[Tensor]] = []
        for moments in processes:
            calls: list[Tensor] = []

            def total(values: Tensor, calls: list[Tensor] = calls) -> Tensor:
                calls.append(values)
                return sums[len(calls) - 1] if len(calls) <= len(sums) else values

            moments.joined(total)
            given.append(calls)
        sums.append(torch.stack([calls[reduction] for calls in given]).sum(dim=0))
    found = []
    for moments in processes:
        answers = iter(sums)

        def answer(_: Tensor, answers: Iterator[Tensor] = answers) -> Tensor:
            return next(answers)

        found.append(moments.joined(answer))
    return found


@given(
    st.lists(st.integers(0, len(ROWS)), max_size=6),
    st.lists(st.integers(0, 2), min_size=8, max_size=8),
)
def test_any_parts_of_any_processes_give_the_moments_of_all_rows(cuts: list[int], owners: list[int]) -> None:
    processes = [Moments(4) for _ in range(3)]
    edges = [0, *sorted(cuts), len(ROWS)]
    for number, (start, end) in enumerate(pairwise(edges)):
        processes[owners[number]].add(torch.from_numpy(ROWS[start:end]))

    for mean, variance in joined(processes):
        np.testing.assert_allclose(mean.numpy(), np.nanmean(ROWS, axis=0), rtol=1e-10)
        np.testing.assert_allclose(variance.numpy(), np.nanvar(ROWS, axis=0), rtol=1e-8)


def test_a_large_constant_has_no_variance_and_a_feature_without_a_value_neither() -> None:
    moments = Moments(2)
    for size in (7, 1000, 13):
        moments.add(torch.tensor([[2000.1, torch.nan]]).repeat(size, 1))

    mean, variance = moments.joined(lambda values: values)

    np.testing.assert_allclose(mean.numpy(), [2000.1, 0.0], rtol=1e-6)
    assert variance[0] < 1e-15
    assert variance[1] == 0
