"""Figures of the comparison and of the rolling backtest: whose number stands where, in thousandths, with its sign."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.betting import PaperBets
from football_assets.comparison.blocks import Block, Row
from football_assets.comparison.comparison import ForecasterComparison
from football_assets.comparison.plots import comparison_plot, rolling_plot
from football_assets.comparison.rolling import RollingBacktest, SeasonScores
from football_assets.domain.block_bootstrap import Difference
from football_assets.domain.scoring_rules import Scores
from football_assets.training.backtest import Backtest
from football_assets_tests.builders.figures import legend, notes, points, texts, unnamed_lines, x_of, y_of

DAYS = [date(2021, 8, 1), date(2021, 8, 2)]
NO_BACKTEST: Backtest = None  # type: ignore[assignment]  # no figure reads it


def scores(log_loss: float) -> Scores:
    return Scores(log_loss=log_loss, rps=0.21, brier=0.6, accuracy=0.5, ece=0.02)


def row(forecaster: str, log_loss: float, difference: Difference | None = None) -> Row:
    others = {"rps": Difference(9.0, 8.0, 10.0)}
    return Row(forecaster, scores(log_loss), {} if difference is None else {"log_loss": difference, **others})


def block(name: str, matches: int, *rows: Row) -> Block:
    return Block(name, matches, league_weeks=7, rows=list(rows), known={})


@pytest.fixture
def comparison() -> ForecasterComparison:
    """Two of six matches have odds; the network and the bookmaker forecast something else of each outcome."""
    prior = row("class prior", 1.08, Difference(0.06, 0.05, 0.07))
    ours = row("LSTM", 1.02)
    elo = row("Elo, logistic", 1.025, Difference(0.005, 0.002, 0.009))
    bookmaker = row("bookmaker", 1.01, Difference(-0.01, -0.015, -0.004))
    forecasts = pl.DataFrame({"home_goals": [1, 1, 1, 0, 0, 0], "away_goals": [0, 0, 1, 0, 1, 1]})
    for prefix, chances in {
        "": (0.65, 0.25, 0.1),
        "elo_": (0.35, 0.25, 0.4),
        "bookmaker_": (0.55, 0.15, 0.3),
    }.items():
        forecasts = forecasts.with_columns(
            pl.lit(chance).alias(f"{prefix}{name}")
            for name, chance in zip(("p_home", "p_draw", "p_away"), chances, strict=True)
        )
    has_odds = pl.int_range(pl.len()).is_in([0, 2])
    forecasts = forecasts.with_columns(pl.when(has_odds).then(pl.col("^bookmaker_.*$")))
    blocks = [
        block("all matches", 1234, prior, elo, ours),
        block("all matches, tier 1", 600, prior, elo, ours),
        block("with odds", 567, prior, elo, ours, bookmaker),
    ]
    prefixes = {"LSTM": "", "Elo, logistic": "elo_", "bookmaker": "bookmaker_"}
    return ForecasterComparison(forecasts, blocks, [], {}, prefixes, NO_BACKTEST)


def test_differences_are_in_thousandths_with_their_intervals_beside_the_forecaster(
    comparison: ForecasterComparison,
) -> None:
    every, priced, *_ = comparison_plot(comparison).axes

    # Places count from below: the last forecaster of the block is the lowest.
    assert texts(every.get_yticklabels()) == ["LSTM", "Elo, logistic"]
    assert unnamed_lines(every)[1:] == [[(0, 0)], [(2, 1), (9, 1)], [(5, 1)]]
    assert texts(priced.get_yticklabels()) == ["bookmaker", "LSTM", "Elo, logistic"]
    assert unnamed_lines(priced)[1:] == [
        [(-15, 0), (-4, 0)],
        [(-10, 0)],
        [(0, 1)],
        [(2, 2), (9, 2)],
        [(5, 2)],
    ]
    assert every.get_xlabel() == "log loss less the LSTM's, ×1000"


def test_each_forecaster_has_its_own_log_loss_at_its_place(comparison: ForecasterComparison) -> None:
    _, priced, *_ = comparison_plot(comparison).axes

    assert notes(priced) == {0: "1.0100", 1: "1.0200", 2: "1.0250"}


def test_a_level_says_its_matches_and_what_the_class_prior_scores(comparison: ForecasterComparison) -> None:
    every, priced, *_ = comparison_plot(comparison).axes

    assert every.get_title() == "all matches: 1,234; class prior 1.0800"
    assert priced.get_title() == "with odds: 567; class prior 1.0800"


def test_below_each_forecaster_has_a_reliability_diagram_of_the_matches_it_forecast(
    comparison: ForecasterComparison,
) -> None:
    _, _, elo, ours, bookmaker = comparison_plot(comparison).axes

    assert [axes.get_title() for axes in (elo, ours, bookmaker)] == ["Elo, logistic", "LSTM", "bookmaker (2)"]
    assert points(ours, "home") == [(0.65, 0.333333333)]
    assert points(ours, "away") == [(0.1, 0.333333333)]
    assert points(elo, "home") == [(0.35, 0.333333333)]
    assert [points(bookmaker, outcome) for outcome in ("home", "draw", "away")] == [
        [(0.55, 0.5)],
        [(0.15, 0.5)],
        [(0.3, 0.0)],
    ]
    assert (ours.get_xlabel(), elo.get_ylabel()) == ("forecast", "observed frequency")
    assert ours.get_xlim() == ours.get_ylim() == (0, 1)
    assert legend(elo) == ["home", "draw", "away"]


def test_without_odds_one_level_is_drawn(comparison: ForecasterComparison) -> None:
    without = replace(comparison, blocks=comparison.blocks[:2])

    titles = [axes.get_title() for axes in comparison_plot(without).axes]

    assert titles == ["all matches: 1,234; class prior 1.0800", "Elo, logistic", "LSTM"]


def season(name: str, log_loss: Difference) -> SeasonScores:
    differences = {"log_loss": log_loss, "rps": Difference(9.0, 8.0, 10.0)}
    return SeasonScores(name, DAYS[0], DAYS[1], 100, scores(1.03), scores(1.02), differences)


def bets(equity: list[float], profit: float) -> PaperBets:
    curve = pl.DataFrame({"date": DAYS, "bets": [600, 634], "profit": [0.0, 0.0], "equity": equity})
    return PaperBets(1234, 500, profit, -0.01, -0.05, 0.03, 2.9, 12.5, curve)


@pytest.fixture
def rolling() -> RollingBacktest:
    seasons = [
        season("2020-21", Difference(-0.004, -0.006, -0.001)),
        season("all", Difference(0.002, 0, 0.003)),
    ]
    placed = {"frozen": bets([-3.0, -20.4], -20.4), "retrained": bets([2.0, 7.5], 7.5)}
    return RollingBacktest(pl.DataFrame(), seasons, placed, NO_BACKTEST)


def test_a_season_in_which_retraining_lowers_the_log_loss_is_above_zero(rolling: RollingBacktest) -> None:
    gains = rolling_plot(rolling).axes[0]

    level, *drawn = unnamed_lines(gains)
    assert {y for _, y in level} == {0}
    assert drawn == [[(0, 6), (0, 1)], [(0, 4)], [(1, 0), (1, -3)], [(1, -2)]]
    assert texts(gains.get_xticklabels()) == ["2020-21", "all"]
    assert gains.get_ylabel() == "log loss saved by retraining, ×1000"


def test_the_equity_of_each_network_is_drawn_by_day(rolling: RollingBacktest) -> None:
    equity = rolling_plot(rolling).axes[1]

    labels = ["frozen: 1,234 bets, -20 units", "retrained: 1,234 bets, +8 units"]
    assert legend(equity) == labels
    found = {line.get_label(): (x_of(line), y_of(line)) for line in equity.lines}
    days = np.array(DAYS, dtype="datetime64[D]").tolist()
    assert [np.array(found[name][0], dtype="datetime64[D]").tolist() for name in labels] == [days, days]
    assert [found[name][1] for name in labels] == [[-3.0, -20.4], [2.0, 7.5]]
    assert equity.get_ylabel() == "units won, stakes of 1"


def test_without_odds_only_the_gains_are_drawn(rolling: RollingBacktest) -> None:
    without = RollingBacktest(pl.DataFrame(), rolling.seasons, {}, NO_BACKTEST)

    assert [axes.get_ylabel() for axes in rolling_plot(without).axes] == [
        "log loss saved by retraining, ×1000"
    ]
