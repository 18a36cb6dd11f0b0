"""The rolling backtest: one network per season, trained before it, compared with the first network."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.comparison.plots import rolling_plot
from football_assets.comparison.rolling import RollingBacktest, run_rolling_backtest, season_starts
from football_assets.domain.scoring_rules import score
from football_assets.errors import NotEnoughData
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.backtest import outcomes_of, run_backtest
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.evaluation import probabilities_of
from football_assets_tests.builders.figures import y_of

START, SECOND = date(2014, 8, 14), date(2015, 7, 1)
CONFIG = TrainingConfig(network=NetworkConfig(hidden=8, trunk=8), epochs=2)
FORECAST = ["p_home", "p_draw", "p_away", "xg_home", "xg_away"]


@pytest.fixture(scope="module")
def rolling(tensors: SequenceTensors) -> RollingBacktest:
    return run_rolling_backtest(tensors, START, config=CONFIG)


def test_a_network_is_trained_at_the_start_and_every_july() -> None:
    assert season_starts(date(2018, 7, 1), date(2020, 6, 30)) == [date(2018, 7, 1), date(2019, 7, 1)]
    assert season_starts(date(2018, 9, 1), date(2020, 7, 1)) == [
        date(2018, 9, 1),
        date(2019, 7, 1),
        date(2020, 7, 1),
    ]
    assert season_starts(date(2018, 1, 1), date(2018, 5, 1)) == [date(2018, 1, 1)]


def test_each_season_is_forecast_by_its_own_network(
    tensors: SequenceTensors, rolling: RollingBacktest
) -> None:
    frozen = run_backtest(tensors, START, config=CONFIG).forecasts
    second = run_backtest(tensors, SECOND, config=CONFIG).forecasts
    in_first = pl.col("date") < SECOND

    names = ["date", "home_team", *FORECAST]
    assert_frame_equal(
        rolling.forecasts.filter(in_first).select(names),
        frozen.filter(in_first).select(names),
        check_exact=True,
    )
    assert_frame_equal(
        rolling.forecasts.filter(~in_first).select(names), second.select(names), check_exact=True
    )
    assert rolling.forecasts["trained_before"].unique().sort().to_list() == [START, SECOND]


def test_the_frozen_network_stands_beside_on_the_same_matches(
    tensors: SequenceTensors, rolling: RollingBacktest
) -> None:
    frozen = run_backtest(tensors, START, config=CONFIG).forecasts

    assert_frame_equal(
        rolling.forecasts.select(
            "date", "home_team", *(pl.col(f"frozen_{name}").alias(name) for name in FORECAST)
        ),
        frozen.select("date", "home_team", *FORECAST),
        check_exact=True,
    )


def test_labels_of_a_season_reach_no_forecast_of_it(
    tensors: SequenceTensors, rolling: RollingBacktest
) -> None:
    walked = tensors.played & (tensors.days >= np.datetime64(SECOND))
    outcome, goals = np.array(tensors.outcome), np.array(tensors.goals)
    outcome[walked], goals[walked] = (outcome[walked] + 1) % 3, 9

    found = run_rolling_backtest(replace(tensors, outcome=outcome, goals=goals), START, config=CONFIG)

    assert_frame_equal(found.forecasts.select(FORECAST), rolling.forecasts.select(FORECAST), check_exact=True)


def test_scores_are_by_season_and_over_all(rolling: RollingBacktest) -> None:
    forecasts = rolling.forecasts
    first, second, every = rolling.seasons

    assert [season.season for season in rolling.seasons] == ["2014-15", "2015-16", "all"]
    assert first.matches + second.matches == every.matches == len(forecasts)
    assert first.frozen == first.retrained
    assert first.difference["log_loss"].value == 0
    part = forecasts.filter(pl.col("date") >= SECOND)
    ours, before = (score(probabilities_of(part, prefix), outcomes_of(part)) for prefix in ("", "frozen_"))
    assert (second.retrained, second.frozen) == (ours, before)
    assert second.difference["log_loss"].value == pytest.approx(ours.log_loss - before.log_loss)


def test_bets_are_reported_for_both_where_there_are_odds(
    tensors: SequenceTensors, rolling: RollingBacktest
) -> None:
    assert set(rolling.bets) == {"frozen", "retrained"}
    assert all(0 < bets.bets <= len(rolling.forecasts) for bets in rolling.bets.values())
    assert rolling.as_dict()["paper_bets"]["retrained"]["bets"] == rolling.bets["retrained"].bets
    equity = rolling_plot(rolling).axes[1]
    assert [y_of(line) for line in equity.lines[1:]] == [
        rolling.bets[name].curve["equity"].to_list() for name in ("frozen", "retrained")
    ]


def test_the_trainings_are_announced(tensors: SequenceTensors) -> None:
    seen: list[tuple[date, int, int]] = []

    run_rolling_backtest(tensors, START, date(2015, 9, 1), CONFIG, lambda *training: seen.append(training))

    assert seen == [(START, 1, 2), (SECOND, 2, 2)]


def test_a_period_without_a_match_is_told(tensors: SequenceTensors) -> None:
    with pytest.raises(NotEnoughData, match="No played match from 2030-01-01"):
        run_rolling_backtest(tensors, date(2030, 1, 1))
