"""Boosted trees as a rival: the same inputs, flattened, and the same periods; they find a signal."""

from dataclasses import replace

import numpy as np
import pytest

from football_assets.comparison.trees import TreesForecasts, boosted_trees, flat_names, flatten
from football_assets.domain.scoring_rules import log_loss
from football_assets.sequences.spec import MATCH_ODDS, OBSERVED
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import class_prior
from football_assets.training.split import TimeSplit, split_by_time
from football_assets_tests.builders.planted import SMALL, planted_tensors, poisoned

pytest.importorskip("lightgbm", reason="lightgbm is in the extra compare")


@pytest.fixture(scope="module")
def planted() -> SequenceTensors:
    return planted_tensors()


@pytest.fixture(scope="module")
def split(planted: SequenceTensors) -> TimeSplit:
    return split_by_time(planted, SMALL.split)


@pytest.fixture(scope="module")
def found(planted: SequenceTensors, split: TimeSplit) -> TreesForecasts:
    return boosted_trees(planted, split, split.test)


def test_the_signal_of_the_histories_is_found(
    planted: SequenceTensors, split: TimeSplit, found: TreesForecasts
) -> None:
    outcomes = planted.outcome[split.test]

    prior = log_loss(class_prior(planted, split.train, split.test), outcomes)
    assert log_loss(found.probabilities, outcomes) < prior - 0.02
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert "goals_for" in next(iter(found.importances))
    assert sum(found.importances.values()) == pytest.approx(1, abs=1e-2)


def test_the_test_period_reaches_neither_trees_nor_temperature(
    planted: SequenceTensors, split: TimeSplit, found: TreesForecasts
) -> None:
    other = boosted_trees(poisoned(planted, split.test[1:]), split, split.test[:1])

    np.testing.assert_array_equal(other.probabilities, found.probabilities[:1])
    assert other.temperature == found.temperature


def test_odds_of_the_match_itself_are_no_input(planted: SequenceTensors) -> None:
    """The network is compared without them."""
    places = [planted.spec.context_names.index(name) for name in MATCH_ODDS]
    context = np.array(planted.context)
    context[:, places] = (0.5, 0.3, 0.2)

    table = flatten(replace(planted, context=context), np.arange(40))

    assert np.isnan(table[:, places]).all()


def test_a_column_is_what_its_name_says(planted: SequenceTensors) -> None:
    rows = np.arange(40)
    names, table = flat_names(planted), flatten(planted, rows)
    assert table.shape == (40, len(names))
    assert len(set(names)) == len(names)
    spec = planted.spec
    goals, seen = spec.history_names.index("goals_for"), spec.history_names.index(OBSERVED)

    for row in rows:
        column = dict(zip(names, table[row], strict=True))
        home = planted.take(np.array([row])).home_history[0]
        played = home[home[:, seen] > 0]
        assert column["home_matches_seen"] == len(played)
        assert column["home_all_goals_for"] == pytest.approx(played[:, goals].mean(), rel=1e-5)
        assert column["home_recent_goals_for"] == pytest.approx(played[-3:, goals].mean(), rel=1e-5)
        weights = 0.5 ** (np.arange(len(played))[::-1] / 3)
        fading = (weights * played[:, goals]).sum() / weights.sum()
        assert column["home_fading_goals_for"] == pytest.approx(fading, rel=1e-5)
        difference = column["home_all_goals_for"] - column["away_all_goals_for"]
        assert column["difference_all_goals_for"] == pytest.approx(difference, abs=1e-5)
        context = planted.context[row]
        elo = [context[spec.context_names.index(f"{side}_elo")] for side in ("home", "away")]
        np.testing.assert_allclose(column["difference_elo"], elo[0] - elo[1], rtol=1e-5)


def test_inputs_that_nobody_knows_take_no_part(planted: SequenceTensors, split: TimeSplit) -> None:
    """A country without odds and shots: whole columns are NaN, in context and histories."""
    names = planted.spec.history_names
    unknown = [names.index(name) for name in ("rest_days", "opponent_elo") if name in names]
    past, context = np.array(planted.past), np.array(planted.context)
    past[:, unknown] = np.nan
    context[:, : context.shape[1] // 2] = np.nan
    hidden = replace(planted, past=past, context=context)

    found = boosted_trees(hidden, split, split.test)

    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert all(found.importances[name] == 0 for name in planted.spec.context_names[: context.shape[1] // 2])
    assert found.importances["home_all_rest_days"] == 0
    prior = log_loss(class_prior(planted, split.train, split.test), planted.outcome[split.test])
    assert log_loss(found.probabilities, planted.outcome[split.test]) < prior - 0.02


def test_no_row_is_no_forecast(planted: SequenceTensors) -> None:
    assert flatten(planted, np.array([], dtype=np.int64)).shape == (0, len(flat_names(planted)))
