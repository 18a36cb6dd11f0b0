"""penaltyblog's goals model as a rival: unmodified; it uses earlier days only and reports missing forecasts."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.goals_models import GoalsModelConfig, GoalsModelRival, forecast_goals_model
from football_assets.domain.scoring_rules import log_loss
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import class_prior
from football_assets.training.split import split_by_time
from football_assets_tests.builders.planted import SMALL, planted_tensors

models = pytest.importorskip("penaltyblog", reason="penaltyblog is in the extra compare").models
CONFIG = GoalsModelConfig()
START = np.datetime64("2014-08-14")


@pytest.fixture(scope="module")
def rows(tensors: SequenceTensors) -> np.ndarray:
    return np.flatnonzero(tensors.played & (tensors.days >= START))


def test_it_forecasts_as_penaltyblog_does_on_the_weighted_matches_of_the_window(
    tensors: SequenceTensors, rows: np.ndarray
) -> None:
    row, day = rows[0], tensors.days[rows[0]]
    config = GoalsModelConfig(model="PoissonGoalsModel", xi=0.002, window_days=400)
    age = (day - tensors.days).astype("timedelta64[D]").astype(int)
    country = tensors.keys["league_id"].str.starts_with(
        tensors.keys["league_id"][int(row)].split(".")[0] + "."
    )
    window = np.flatnonzero(tensors.played & (age > 0) & (age <= 400) & country.to_numpy())
    keys = tensors.keys[window]
    model = models.PoissonGoalsModel(
        tensors.goals[window, 0].astype(int),
        tensors.goals[window, 1].astype(int),
        keys["home_team"].to_list(),
        keys["away_team"].to_list(),
        np.exp(-0.002 * age[window]),
    )
    model.fit()
    sides = tensors.keys.select("home_team", "away_team").row(int(row))

    found = forecast_goals_model(tensors, rows[:1], config)

    np.testing.assert_allclose(found.probabilities[0], model.predict(*sides).home_draw_away, atol=1e-6)


def test_it_learns_the_strengths_of_the_teams(tensors: SequenceTensors, rows: np.ndarray) -> None:
    found = forecast_goals_model(tensors, rows, CONFIG)

    known = ~np.isnan(found.probabilities[:, 0])
    learnt = np.flatnonzero(tensors.played & (tensors.days < START))
    outcomes = tensors.outcome[rows][known]
    prior = log_loss(class_prior(tensors, learnt, rows)[known], outcomes)
    assert known.mean() > 0.9
    assert log_loss(found.probabilities[known], outcomes) < prior - 0.01
    np.testing.assert_allclose(found.probabilities[known].sum(axis=1), 1, atol=1e-6)


def test_results_of_a_day_and_later_move_no_forecast_of_that_day(
    tensors: SequenceTensors, rows: np.ndarray
) -> None:
    day = tensors.days[rows[len(rows) // 2]]
    until = rows[tensors.days[rows] <= day][-6:]
    later = tensors.days >= day
    goals = np.array(tensors.goals)
    goals[later & tensors.played] = (7, 0)
    daily = GoalsModelConfig(model="PoissonGoalsModel", refit_days=1)

    found = forecast_goals_model(tensors, until, daily)
    other = forecast_goals_model(replace(tensors, goals=goals), until, daily)

    np.testing.assert_array_equal(found.probabilities, other.probabilities)
    assert not np.isnan(found.probabilities).all()


def test_a_fit_is_kept_for_as_long_as_it_may(tensors: SequenceTensors, rows: np.ndarray) -> None:
    one_country = rows[tensors.keys["league_id"][rows].str.starts_with("eng").to_numpy()][:60]
    days = np.unique(tensors.days[one_country])

    assert forecast_goals_model(tensors, one_country, GoalsModelConfig(refit_days=1)).fits == len(days)
    assert forecast_goals_model(tensors, one_country, GoalsModelConfig(refit_days=10_000)).fits == 1


def test_a_match_of_a_team_without_a_past_is_left_open(tensors: SequenceTensors, rows: np.ndarray) -> None:
    first = int(rows[0])
    home = pl.when(pl.int_range(pl.len()) == first).then(pl.lit("Nobody")).otherwise("home_team")
    unknown = replace(tensors, keys=tensors.keys.with_columns(home_team=home))

    assert np.isnan(forecast_goals_model(unknown, rows[:1], CONFIG).probabilities).all()


def test_a_country_with_few_matches_has_no_fit(tensors: SequenceTensors) -> None:
    first = np.flatnonzero(tensors.played)[:1]

    found = forecast_goals_model(tensors, first, CONFIG)

    assert (found.fits, found.failed) == (0, 0)
    assert np.isnan(found.probabilities).all()


def test_fits_that_do_not_converge_are_counted_and_leave_the_forecast_open(
    tensors: SequenceTensors, rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ValueError("Optimization failed")

    monkeypatch.setattr(models.PoissonGoalsModel, "fit", fail)

    found = forecast_goals_model(tensors, rows[:1], GoalsModelConfig(model="PoissonGoalsModel"))

    assert (found.fits, found.failed) == (0, 1)
    assert np.isnan(found.probabilities).all()


def test_the_rival_says_its_model_and_reports_its_progress() -> None:
    tensors, seen = planted_tensors(), list[tuple[int, int]]()
    split = split_by_time(tensors, SMALL.split)

    found = GoalsModelRival().forecast(tensors, split, split.test[:5], lambda *done: seen.append(done))

    assert seen[-1] == (5, 5)
    assert (
        found.note
        == "penaltyblog, goals model: ZeroInflatedPoissonGoalsModel, 1 fits, 0 more did not converge."
    )
