"""Shards: batches equal those of all tensors, and a shard has only past matches that its histories read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from football_assets.sequences.shards import TensorShard, contains, cut_shard
from football_assets.sequences.tensors import ARRAYS, SequenceTensors
from football_assets_tests.builders.planted import planted_tensors

TEAMS, MATCHES_OF_A_TEAM, MATCHES = 6, 15, 40  # a history has 10
LABELS = ("outcome", "goals", "market")


def linked_tensors() -> SequenceTensors:
    """Matches of few teams, whose histories overlap; each past match is another row of numbers."""
    drawn, generator = planted_tensors(matches=MATCHES), np.random.default_rng(5)
    features = drawn.past.shape[1]
    past = np.arange(1, TEAMS * MATCHES_OF_A_TEAM * features + 1, dtype=np.float32).reshape(-1, features)
    spans = np.zeros((2, MATCHES, 2), dtype=np.int32)
    for side in spans:
        first = generator.integers(0, TEAMS, MATCHES) * MATCHES_OF_A_TEAM
        known = generator.integers(0, MATCHES_OF_A_TEAM + 1, MATCHES)
        side[:] = np.where(known[:, None] > 0, np.stack([first, first + known], axis=1), 0)
    market = generator.random(drawn.market.shape).astype(np.float32)
    return replace(
        drawn,
        past=np.concatenate([past, np.zeros((1, features), dtype=np.float32)]),
        home_span=spans[0],
        away_span=spans[1],
        market=market,
    )


WHOLE = linked_tensors()


def assert_same_matches(shard: TensorShard, rows: Sequence[int] | NDArray[np.int64]) -> None:
    wanted = np.asarray(rows, dtype=np.int64)
    places = shard.positions(wanted)
    ours, theirs = shard.tensors.take(places), WHOLE.take(wanted)
    for name in ("home_history", "away_history", "context"):
        found, expected = getattr(ours, name), getattr(theirs, name)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, err_msg=name)
    for name in LABELS:
        np.testing.assert_array_equal(getattr(shard.tensors, name)[places], getattr(WHOLE, name)[wanted])


def rows_read(tensors: SequenceTensors, rows: NDArray[np.int64]) -> set[tuple[float, ...]]:
    """The past matches that the histories of some matches contain."""
    batch = tensors.take(rows)
    histories = np.concatenate([batch.home_history, batch.away_history]).reshape(-1, tensors.past.shape[1])
    return {tuple(row) for row in histories.tolist() if any(row)}


@given(st.lists(st.integers(0, 3), min_size=MATCHES, max_size=MATCHES))
def test_shards_of_any_owners_hold_every_match_and_no_past_match_that_no_history_reads(
    owners: list[int],
) -> None:
    shards = [cut_shard(WHOLE, np.flatnonzero(np.array(owners) == owner)) for owner in range(4)]

    assert sorted(np.concatenate([shard.rows for shard in shards]).tolist()) == list(range(MATCHES))
    for shard in shards:
        assert_same_matches(shard, shard.rows)
        assert_same_matches(shard, shard.rows[::-2])
        past = [tuple(row) for row in shard.tensors.past[:-1].tolist()]
        assert len(past) == len(set(past))
        assert set(past) == rows_read(WHOLE, shard.rows)
        assert not shard.tensors.past[-1].any()
        assert (len(shard.tensors), len(shard.tensors.keys)) == (len(shard.rows), 0)


def test_the_arrays_of_a_shard_have_the_types_of_all_tensors_and_its_bytes_are_theirs() -> None:
    shard = cut_shard(WHOLE, np.array([3, 4, 11]))

    for name in ARRAYS:
        found, whole = getattr(shard.tensors, name), getattr(WHOLE, name)
        assert (type(found), found.dtype, found.shape[1:]) == (np.ndarray, whole.dtype, whole.shape[1:])
        assert not np.shares_memory(found, whole)
    arrays = sum(getattr(shard.tensors, name).nbytes for name in ARRAYS)
    assert shard.nbytes == arrays + 3 * 8
    assert shard.spec == WHOLE.spec


def test_a_shard_without_a_history_or_a_match_has_the_padding_alone() -> None:
    debut = replace(WHOLE, home_span=np.zeros_like(WHOLE.home_span), away_span=np.zeros_like(WHOLE.away_span))
    for shard in (cut_shard(debut, np.array([2, 5])), cut_shard(WHOLE, np.array([], dtype=np.int64))):
        assert shard.tensors.past.shape == (1, WHOLE.past.shape[1])
        assert not shard.tensors.take(np.arange(len(shard.rows))).home_history.any()


def test_a_row_that_is_in_another_shard_is_an_error_and_not_another_match() -> None:
    shard = cut_shard(WHOLE, np.array([3, 4, 11]))

    assert shard.positions(np.array([11, 3])).tolist() == [2, 0]
    for missing in (5, 0, 39):
        with pytest.raises(IndexError, match=f"1 of 2 rows are not in the shard, such as {missing}: read"):
            shard.positions(np.array([4, missing]))


@pytest.mark.parametrize(
    ("ascending", "rows", "expected"),
    [
        ([2, 5, 9], [5, 2, 9, 1, 3, 10], [True, True, True, False, False, False]),
        ([], [1, 2], [False, False]),
        ([4], [], []),
    ],
)
def test_a_row_is_found_among_ascending_rows(
    ascending: list[int], rows: list[int], expected: list[bool]
) -> None:
    found = contains(np.array(ascending, dtype=np.int64), np.array(rows, dtype=np.int64))

    assert found.tolist() == expected
    assert found.dtype == bool
