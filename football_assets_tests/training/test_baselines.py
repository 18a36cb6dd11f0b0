"""The baselines: fitted on training rows, and worked out by hand where they can be."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from football_assets.domain.scoring_rules import log_loss
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import bookmaker, class_prior, elo_logistic
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import planted_tensors, poisoned


@pytest.fixture(scope="module")
def made_up() -> SequenceTensors:
    return planted_tensors(matches=100)


def with_odds(
    tensors: SequenceTensors, *odds: tuple[float | None, float | None, float | None]
) -> SequenceTensors:
    padded = [*odds, *[(None, None, None)] * (len(tensors) - len(odds))]
    columns = {
        f"odds_{name}": pl.Series([row[i] for row in padded], dtype=pl.Float64)
        for i, name in enumerate(("home", "draw", "away"))
    }
    return replace(tensors, keys=tensors.keys.with_columns(**columns))


def test_the_class_prior_is_the_frequency_in_the_training_rows(made_up: SequenceTensors) -> None:
    outcome = np.array([0, 0, 0, 1, 2, 2] + [1] * 94)

    found = class_prior(replace(made_up, outcome=outcome), np.arange(6), np.array([50, 60]))

    np.testing.assert_allclose(found, [[1 / 2, 1 / 6, 1 / 3]] * 2)


def test_an_outcome_that_never_happened_in_training_has_no_probability(made_up: SequenceTensors) -> None:
    outcome = np.array([0, 2] * 50)

    for baseline in (class_prior, elo_logistic):
        found = baseline(replace(made_up, outcome=outcome), np.arange(50), np.arange(50, 53))
        assert (found[:, 1] == 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_stronger_home_team_is_more_likely_to_win(simulated: Fitted) -> None:
    tensors = simulated.tensors
    rows = np.flatnonzero(tensors.played)
    difference = (tensors.keys["home_elo"] - tensors.keys["away_elo"]).to_numpy()[rows]
    order = np.argsort(difference)

    found = elo_logistic(tensors, simulated.split.train, rows)[order]

    assert (np.diff(found[:, 0]) >= 0).all()
    assert (np.diff(found[:, 2]) <= 0).all()
    assert found[-1, 0] - found[0, 0] > 0.2


def test_the_elo_regression_is_the_maximum_of_the_likelihood_on_the_training_rows(simulated: Fitted) -> None:
    tensors, train = simulated.tensors, simulated.split.train
    found = elo_logistic(tensors, train, train)
    outcomes = tensors.outcome[train]

    # At the maximum the residuals are free of the intercept and of the rating difference.
    residuals = found - np.eye(3)[outcomes]
    difference = (tensors.keys["home_elo"] - tensors.keys["away_elo"]).to_numpy()[train] / 100
    np.testing.assert_allclose(residuals.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose((residuals * difference[:, None]).mean(axis=0), 0, atol=1e-3)
    assert log_loss(found, outcomes) < log_loss(class_prior(tensors, train, train), outcomes)


def test_baselines_are_fitted_on_training_rows_alone(simulated: Fitted) -> None:
    tensors, split = simulated.tensors, simulated.split
    others = np.setdiff1d(np.arange(len(tensors)), split.train)
    garbage = poisoned(tensors, others)
    rows = split.train[:20]

    for baseline in (class_prior, elo_logistic):
        np.testing.assert_array_equal(
            baseline(garbage, split.train, rows), baseline(tensors, split.train, rows)
        )


def test_odds_become_probabilities_without_the_margin(made_up: SequenceTensors) -> None:
    priced = with_odds(made_up, (2.0, 4.0, 4.0), (1.9, 3.8, 3.8), (1.25, 5.0, 10.0))

    found = bookmaker(priced, np.array([2, 0, 1]))

    np.testing.assert_allclose(found, [[8 / 11, 2 / 11, 1 / 11], [0.5, 0.25, 0.25], [0.5, 0.25, 0.25]])


@pytest.mark.parametrize("odds", [(None, None, None), (2.0, None, 4.0), (2.0, 1.0, 4.0), (2.0, 0.0, 4.0)])
def test_incomplete_and_impossible_odds_are_no_forecast(
    made_up: SequenceTensors, odds: tuple[float | None, float | None, float | None]
) -> None:
    assert np.isnan(bookmaker(with_odds(made_up, odds), np.array([0]))).all()


def test_no_rows_give_no_forecasts(made_up: SequenceTensors) -> None:
    none = np.array([], dtype=np.int64)

    for found in (class_prior(made_up, np.arange(50), none), elo_logistic(made_up, np.arange(50), none)):
        assert found.shape == (0, 3)
    assert bookmaker(made_up, none).shape == (0, 3)
