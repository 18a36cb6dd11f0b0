"""Dixon–Coles as a rival: it uses earlier days only, forecasts a simulated country well, and counts unknown teams."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.dixon_coles import DixonColesConfig, DixonColesForecasts, dixon_coles
from football_assets.domain.scoring_rules import log_loss
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import class_prior
from football_assets_tests.builders.worlds import REWRITTEN, REWRITTEN_FROM, SimulatedCountries

pytest.importorskip("penaltyblog", reason="penaltyblog is in the extra compare")
CONFIG = DixonColesConfig(refit_days=28)
START = np.datetime64("2014-08-14")


@pytest.fixture(scope="module")
def rows(tensors: SequenceTensors) -> np.ndarray:
    return np.flatnonzero(tensors.played & (tensors.days >= START))


@pytest.fixture(scope="module")
def forecasts(tensors: SequenceTensors, rows: np.ndarray) -> DixonColesForecasts:
    return dixon_coles(tensors, rows, CONFIG)


def test_it_learns_the_strengths_of_the_teams(
    tensors: SequenceTensors, rows: np.ndarray, forecasts: DixonColesForecasts
) -> None:
    learnt = np.flatnonzero(tensors.played & (tensors.days < START))
    outcomes = tensors.outcome[rows]

    np.testing.assert_allclose(forecasts.probabilities.sum(axis=1), 1, atol=1e-9)
    assert log_loss(forecasts.probabilities, outcomes) < log_loss(
        class_prior(tensors, learnt, rows), outcomes
    )


def test_results_of_a_day_and_later_move_no_forecast_of_that_day(
    countries: SimulatedCountries, tensors: SequenceTensors, rows: np.ndarray, tmp_path: Path
) -> None:
    rewritten = countries.tensors(REWRITTEN, tmp_path)
    daily = DixonColesConfig(refit_days=1)
    until = rows[tensors.days[rows] <= np.datetime64(REWRITTEN_FROM)][-8:]
    same = pl.DataFrame({"home_team": tensors.keys["home_team"][until]})
    there = np.array(
        [
            np.flatnonzero(
                (rewritten.keys["home_team"] == home).to_numpy() & (rewritten.days == tensors.days[row])
            )[0]
            for row, home in zip(until, same["home_team"], strict=True)
        ]
    )

    found, other = dixon_coles(tensors, until, daily), dixon_coles(rewritten, there, daily)

    np.testing.assert_allclose(found.probabilities, other.probabilities, atol=1e-9)


def test_a_fit_is_kept_for_as_long_as_it_may(
    tensors: SequenceTensors, rows: np.ndarray, forecasts: DixonColesForecasts
) -> None:
    days = np.unique(tensors.days[rows])
    span = int((days[-1] - days[0]).astype("timedelta64[D]").astype(int))

    assert 2 <= forecasts.fits <= span // 28 + 1
    assert dixon_coles(tensors, rows[:40], DixonColesConfig(refit_days=10_000)).fits == 1


def test_a_team_without_a_match_has_the_mean_of_its_league_and_is_counted(
    tensors: SequenceTensors, rows: np.ndarray
) -> None:
    row = rows[(tensors.keys["league_id"][rows] == "eng.1").to_numpy()][:1]
    home = pl.when(pl.int_range(pl.len()) == int(row[0])).then(pl.lit("Nobody")).otherwise("home_team")
    unknown = replace(tensors, keys=tensors.keys.with_columns(home_team=home))

    found = dixon_coles(unknown, row, CONFIG)

    assert (found.unknown_teams, found.unknown_leagues) == (1, 0)
    assert found.probabilities.sum() == pytest.approx(1)


def test_a_league_without_a_match_is_left_open_and_counted(tensors: SequenceTensors) -> None:
    first = np.flatnonzero(tensors.played)[:1]

    found = dixon_coles(tensors, first, CONFIG)

    assert np.isnan(found.probabilities).all()
    assert (found.fits, found.unknown_teams, found.unknown_leagues) == (0, 0, 1)


def test_progress_reaches_the_number_of_matches(tensors: SequenceTensors, rows: np.ndarray) -> None:
    seen: list[tuple[int, int]] = []

    dixon_coles(tensors, rows[:10], CONFIG, lambda *done: seen.append(done))

    assert seen[-1] == (10, 10)
