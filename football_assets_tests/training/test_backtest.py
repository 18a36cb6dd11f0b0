"""The backtest: trained on matches before the start; each forecast uses results of earlier days only."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from football_assets.domain.scoring_rules import score
from football_assets.errors import NotEnoughData
from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.backtest import Backtest, backtest_scores, default_start, run_backtest
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.evaluation import probabilities_of
from football_assets.training.predictions import forecast
from football_assets_tests.builders.priced import PRICED, priced_tensors
from football_assets_tests.builders.worlds import REWRITTEN, REWRITTEN_FROM, SimulatedCountries

START = date(2014, 8, 14)
CONFIG = TrainingConfig(network=NetworkConfig(hidden=8, trunk=8), epochs=2)
FORECAST = ["p_home", "p_draw", "p_away", "xg_home", "xg_away"]
BASELINES = [f"{who}_p_{side}" for who in ("class_prior", "elo") for side in ("home", "draw", "away")]


@pytest.fixture(scope="module")
def backtest(tensors: SequenceTensors) -> Backtest:
    return run_backtest(tensors, START, config=CONFIG)


def test_every_match_played_from_the_start_on_is_forecast(
    tensors: SequenceTensors, backtest: Backtest
) -> None:
    expected = tensors.keys.filter(pl.col("is_played") & (pl.col("kickoff_date") >= START))
    names = ["league_id", "season", "home_team", "away_team"]

    assert backtest.forecasts.columns == [
        "date",
        *names,
        "home_goals",
        "away_goals",
        *FORECAST,
        *BASELINES,
    ]
    assert_frame_equal(backtest.forecasts.select(names), expected.select(names))
    assert backtest.forecasts["date"].min() == START
    sums = backtest.forecasts.select(pl.sum_horizontal("p_home", "p_draw", "p_away"))
    np.testing.assert_allclose(sums.to_numpy(), 1, atol=1e-6)


def test_the_network_is_trained_and_calibrated_before_the_start(
    tensors: SequenceTensors, backtest: Backtest
) -> None:
    learnt = np.concatenate([backtest.split.train, backtest.split.validation])

    assert tensors.days[learnt].max() < np.datetime64(START)
    assert tensors.days[backtest.split.train].max() < tensors.days[backtest.split.validation].min()


def test_results_on_a_day_and_after_it_move_no_forecast_of_that_day_or_earlier(
    countries: SimulatedCountries, backtest: Backtest, tmp_path: Path
) -> None:
    rewritten = run_backtest(countries.tensors(REWRITTEN, tmp_path), START, config=CONFIG)

    for name, tensor in backtest.fit.network.state_dict().items():
        assert torch.equal(tensor, rewritten.fit.network.state_dict()[name]), name
    teams = ["date", "home_team", "away_team"]
    both = backtest.forecasts.join(rewritten.forecasts, on=teams, suffix="_rewritten")
    until = pl.col("date") <= REWRITTEN_FROM
    assert len(both.filter(until)) > 30
    assert len(both.filter(pl.col("date") == REWRITTEN_FROM)) > 0
    for name in (*FORECAST, *BASELINES):
        early, late = both.filter(until), both.filter(~until)
        assert early[name].to_list() == early[f"{name}_rewritten"].to_list(), name
        if not name.startswith("class_prior"):
            assert late[name].to_list() != late[f"{name}_rewritten"].to_list(), name


def test_labels_of_the_walked_period_reach_no_forecast(tensors: SequenceTensors, backtest: Backtest) -> None:
    walked = tensors.played & (tensors.days >= np.datetime64(START))
    outcome, goals = np.array(tensors.outcome), np.array(tensors.goals)
    outcome[walked], goals[walked] = (outcome[walked] + 1) % 3, 9

    found = run_backtest(replace(tensors, outcome=outcome, goals=goals), START, config=CONFIG)

    columns = [*FORECAST, *BASELINES]
    assert_frame_equal(found.forecasts.select(columns), backtest.forecasts.select(columns), check_exact=True)


def test_results_before_the_start_do_reach_the_forecasts(
    tensors: SequenceTensors, backtest: Backtest
) -> None:
    outcome = np.where(tensors.days < np.datetime64(START), (tensors.outcome + 1) % 3, tensors.outcome)

    found = run_backtest(replace(tensors, outcome=outcome), START, config=CONFIG)

    assert not np.allclose(found.forecasts["p_home"], backtest.forecasts["p_home"], atol=1e-3)


def test_the_end_cuts_the_period_and_changes_no_forecast(
    tensors: SequenceTensors, backtest: Backtest
) -> None:
    end = START + timedelta(days=7)

    found = run_backtest(tensors, START, end, CONFIG)

    assert found.forecasts["date"].max() == end
    assert_frame_equal(found.forecasts, backtest.forecasts.filter(pl.col("date") <= end), check_exact=True)


def test_without_a_start_the_year_before_the_last_result_is_forecast(tensors: SequenceTensors) -> None:
    last = tensors.keys.filter("is_played")["kickoff_date"].to_list()[-1]

    found = run_backtest(tensors, config=CONFIG)

    year = tensors.keys.filter(pl.col("is_played") & (pl.col("kickoff_date") >= last - timedelta(days=365)))
    assert found.split.test_start == last - timedelta(days=365)
    assert found.forecasts["home_team"].to_list() == year["home_team"].to_list()


def test_without_a_start_a_short_history_is_trained_on_in_its_first_half(tensors: SequenceTensors) -> None:
    last = tensors.days[tensors.played].max()
    recent = tensors.days > last - np.timedelta64(200, "D")
    short = replace(tensors, outcome=np.where(recent, tensors.outcome, -1))

    start = default_start(short)

    earlier = (short.days[short.played] < np.datetime64(start)).mean()
    assert 0.4 < earlier <= 0.5
    assert default_start(tensors) == (last.astype("datetime64[D]") - np.timedelta64(365, "D")).item()


def test_a_period_without_a_match_is_told(tensors: SequenceTensors) -> None:
    with pytest.raises(NotEnoughData, match="No played match from 2030-01-01 to the last result"):
        run_backtest(tensors, date(2030, 1, 1))
    with pytest.raises(NotEnoughData, match=f"from {START} to 2014-08-01"):
        run_backtest(tensors, START, date(2014, 8, 1))
    with pytest.raises(NotEnoughData, match="no played match to backtest on: land results first"):
        run_backtest(replace(tensors, outcome=np.full(len(tensors), -1)))


def test_a_start_with_too_little_before_it_is_told(tensors: SequenceTensors) -> None:
    with pytest.raises(NotEnoughData, match="training period has"):
        run_backtest(tensors, date(2011, 8, 20))
    with pytest.raises(NotEnoughData, match="choose a later day"):
        run_backtest(tensors, date(2000, 1, 1))


def test_the_scores_are_those_of_the_forecasts(tensors: SequenceTensors, backtest: Backtest) -> None:
    rows = np.flatnonzero(tensors.played & (tensors.days >= np.datetime64(START)))
    forecasts = backtest.forecasts

    found = backtest_scores(forecasts)

    assert set(found) == {"model", "class_prior", "elo"}
    expected = score(forecasts.select("p_home", "p_draw", "p_away").to_numpy(), tensors.outcome[rows])
    assert found["model"] == expected.as_dict()


def test_hidden_inputs_are_unknown_to_the_forecasts_and_known_in_training() -> None:
    tensors = priced_tensors()
    start = date(2015, 8, 1)
    groups: tuple[tuple[FeatureGroup, ...], ...] = (("match_odds",), ("odds", "match_odds"), ())
    shown, hidden, blended = (
        run_backtest(tensors, start, config=PRICED.model_copy(update={"epochs": 2}), hidden=unseen)
        for unseen in groups
    )

    for other in (hidden, blended):
        weights = other.fit.network.state_dict()
        for name, tensor in shown.fit.network.state_dict().items():
            assert torch.equal(tensor, weights[name]), name
    expected, _ = forecast(shown.fit.network, tensors, shown.rows, ("odds", "match_odds"))
    np.testing.assert_array_equal(probabilities_of(hidden.forecasts), expected)
    losses = [backtest_scores(walk.forecasts)["model"]["log_loss"] for walk in (hidden, shown, blended)]
    assert losses[0] > losses[1] + 0.01 > losses[2] + 0.01
    default = run_backtest(tensors, start, config=PRICED.model_copy(update={"epochs": 2}))
    assert_frame_equal(default.forecasts, shown.forecasts)
