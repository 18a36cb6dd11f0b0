"""Odds that are hidden in training: as the encoder leaves them where they are unknown, another draw every epoch."""

import numpy as np
import pytest
import torch

from football_assets.sequences.spec import FeatureGroup, FeatureSpec
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tiers import hide_groups
from football_assets.training.hidden_inputs import HiddenOdds
from football_assets.training.inputs import Inputs, MappedReader
from football_assets_tests.builders.priced import priced_tensors

CPU = torch.device("cpu")
COUNT = 400
ROWS = np.arange(5, COUNT, 3)


@pytest.fixture(scope="module")
def tensors() -> SequenceTensors:
    return priced_tensors(matches=COUNT)


def hider(tensors: SequenceTensors, share: float = 0.3, seed: int = 7) -> HiddenOdds:
    return HiddenOdds(tensors.spec, share, seed, len(tensors), CPU)


def read(tensors: SequenceTensors, rows: np.ndarray = ROWS) -> Inputs:
    return MappedReader(tensors, CPU).read(rows).inputs


def is_hidden(context: torch.Tensor, tensors: SequenceTensors) -> np.ndarray:
    """Which rows that had rated odds have none now."""
    column = tensors.spec.context_names.index("odds_rated")
    rated: np.ndarray = context[:, column].numpy() == 0
    return rated


def assert_equal(inputs: Inputs, expected: tuple[np.ndarray, ...], rows: np.ndarray) -> None:
    for found, values in zip(inputs, expected, strict=True):
        np.testing.assert_array_equal(found.numpy()[rows], values[rows])


def test_a_hidden_match_is_what_hide_groups_makes_of_it_and_others_lose_their_own_odds_alone(
    tensors: SequenceTensors,
) -> None:
    hidden = hider(tensors)
    hidden.draw()

    found = hidden.hide(read(tensors), ROWS)

    batch = tensors.take(ROWS)
    was_rated = batch.context[:, tensors.spec.context_names.index("odds_rated")] == 1
    gone = is_hidden(found[2], tensors) & was_rated
    assert 0.15 < gone.sum() / was_rated.sum() < 0.45
    cases: tuple[tuple[np.ndarray, tuple[FeatureGroup, ...]], ...] = (
        (gone, ("odds", "match_odds")),
        (~gone & was_rated, ("match_odds",)),
    )
    for rows, groups in cases:
        expected = hide_groups(batch, tensors.spec, groups)
        assert_equal(found, (expected.home_history, expected.away_history, expected.context), rows)


def test_the_draw_is_of_the_seed_and_the_epoch_and_not_of_the_batches(tensors: SequenceTensors) -> None:
    """Two workers, or another order of batches, hide the same matches."""
    first, again, other = hider(tensors), hider(tensors), hider(tensors, seed=8)
    rows = np.arange(COUNT)
    drawn = []
    for _ in range(2):
        for each in (first, again, other):
            each.draw()
        whole = is_hidden(first.hide(read(tensors, rows), rows)[2], tensors)
        halves = [
            is_hidden(again.hide(read(tensors, half), half)[2], tensors) for half in (rows[1::2], rows[::2])
        ]
        assert whole[1::2].tolist() == halves[0].tolist()
        assert whole[::2].tolist() == halves[1].tolist()
        drawn.append(whole)
        assert not np.array_equal(whole, is_hidden(other.hide(read(tensors, rows), rows)[2], tensors))
    assert not np.array_equal(drawn[0], drawn[1])


@pytest.mark.parametrize(("share", "groups"), [(0.0, ("match_odds",)), (1.0, ("odds", "match_odds"))])
def test_a_share_of_0_hides_no_past_odds_and_of_1_all(
    tensors: SequenceTensors, share: float, groups: tuple[FeatureGroup, ...]
) -> None:
    hidden = hider(tensors, share)
    hidden.draw()

    found = hidden.hide(read(tensors), ROWS)

    expected = hide_groups(tensors.take(ROWS), tensors.spec, groups)
    assert_equal(
        found,
        (expected.home_history, expected.away_history, expected.context),
        np.ones(len(ROWS), dtype=bool),
    )


def test_a_specification_without_odds_keeps_every_input(tensors: SequenceTensors) -> None:
    spec = FeatureSpec(
        history=tuple(f.model_copy(update={"group": "results"}) for f in tensors.spec.history),
        context=tuple(f.model_copy(update={"group": "results"}) for f in tensors.spec.context),
    )
    hidden = HiddenOdds(spec, 1.0, 7, COUNT, CPU)
    hidden.draw()

    batch = tensors.take(ROWS)
    assert_equal(
        hidden.hide(read(tensors), ROWS),
        (batch.home_history, batch.away_history, batch.context),
        np.ones(len(ROWS), dtype=bool),
    )
