"""Compare a backtest that retrains every season with one that keeps its first network.

Both forecast the same matches from histories and ratings that walk forward; they differ in the matches that the network
was fitted on. For `football backtest --retrain season`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.betting import PaperBets, paper_bets
from football_assets.domain.block_bootstrap import Difference, league_weeks, paired_differences
from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.domain.scoring_rules import Scores, score
from football_assets.domain.seasons import season_label
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.backtest import (
    Backtest,
    outcomes_of,
    played_between,
    rows_to_walk,
    run_backtest,
)
from football_assets.training.baselines import decimal_odds
from football_assets.training.config import TrainingConfig
from football_assets.training.evaluation import probabilities_of
from football_assets.training.fit import Epoch

SEASON_START = (7, 1)  # month and day between the seasons of most leagues
FROZEN, RETRAINED = "frozen", "retrained"
PREFIXES = {FROZEN: "frozen_", RETRAINED: ""}
ALL_SEASONS = "all"


@dataclass(frozen=True)
class SeasonScores:
    """Scores of both networks on the matches of a season; `difference` is retrained − frozen."""

    season: str
    first: date
    last: date
    matches: int
    frozen: Scores
    retrained: Scores
    difference: dict[str, Difference]

    def as_dict(self) -> dict[str, Any]:
        """Return the season as JSON values."""
        return {**asdict(self), "first": str(self.first), "last": str(self.last)}


@dataclass(frozen=True)
class RollingBacktest:
    """Forecasts of all seasons, scores by season and over all, and the result of paper bets.

    `forecasts` has the columns of a backtest with the probabilities and expected goals of the retrained network, those
    of the frozen network with the prefix `frozen_`, and `trained_before`: all training matches of the retrained network
    are before this day. `bets` is by network, empty without odds.
    """

    forecasts: pl.DataFrame
    seasons: list[SeasonScores]
    bets: dict[str, PaperBets]
    first: Backtest

    def as_dict(self) -> dict[str, Any]:
        """Return the figures that `--json` writes."""
        return {
            "test_matches": len(self.forecasts),
            "trainings": len(self.seasons) - 1,
            "seasons": [season.as_dict() for season in self.seasons],
            "paper_bets": {name: bets.as_dict() for name, bets in self.bets.items()},
        }


def season_starts(start: date, end: date) -> list[date]:
    """List the days on which a network is trained: the first, and every 1 July after it.

    Leagues that play in calendar years are in mid-season then; their histories continue across the training.
    """
    julys = (date(year, *SEASON_START) for year in range(start.year, end.year + 1))
    return [start, *(day for day in julys if start < day <= end)]


def run_rolling_backtest(
    tensors: SequenceTensors,
    start: date,
    end: date | None = None,
    config: TrainingConfig | None = None,
    on_season: Callable[[date, int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> RollingBacktest:
    """Forecast the played matches from `start` to `end` with one network per season, and with the first alone.

    Parameters
    ----------
    on_season
        Called before each training with its first day to forecast, its number from 1, and the number of trainings.

    Raises
    ------
    NotEnoughData
        No match lies in the period, or too few before it.
    """
    rows = rows_to_walk(tensors, start, end)
    last: date = end or tensors.days[rows[-1]].astype("datetime64[D]").item()
    starts = season_starts(start, last)
    ends = [day - timedelta(days=1) for day in starts[1:]] + [last]
    periods = [
        (first, until)
        for first, until in zip(starts, ends, strict=True)
        if len(played_between(tensors, first, until))
    ]
    announce = on_season or _silent
    announce(start, 1, len(periods))
    frozen = run_backtest(tensors, start, last, config, on_epoch)
    parts = []
    for number, (first, until) in enumerate(periods, start=1):
        if first == start:  # the first season's network is the frozen one
            walked = frozen.forecasts.filter(pl.col("date") <= until)
        else:
            announce(first, number, len(periods))
            walked = run_backtest(tensors, first, until, config, on_epoch).forecasts
        parts.append(walked.with_columns(trained_before=pl.lit(first)))
    forecasts = pl.concat(parts).with_columns(
        frozen.forecasts[name].alias(f"frozen_{name}")
        for name in (*PROBABILITY_COLUMNS, *EXPECTED_GOALS_COLUMNS)
    )
    odds = decimal_odds(tensors)[rows]
    return RollingBacktest(forecasts, _scores(forecasts), bets_of(forecasts, odds, PREFIXES), frozen)


def bets_of(
    forecasts: pl.DataFrame, odds: NDArray[np.float64], prefixes: dict[str, str]
) -> dict[str, PaperBets]:
    """Place paper bets of some forecasters at the odds `[n, 3]`, NaN where unknown; empty without any odds."""
    priced = ~np.isnan(odds).any(axis=1)
    if not priced.any():
        return {}
    weeks = league_weeks(forecasts["league_id"], forecasts["date"])
    return {
        name: paper_bets(
            probabilities_of(forecasts, prefix), odds, outcomes_of(forecasts), forecasts["date"], weeks
        )
        for name, prefix in prefixes.items()
    }


def _scores(forecasts: pl.DataFrame) -> list[SeasonScores]:
    """Score by season, then over all."""
    parts = [part for _, part in forecasts.group_by("trained_before", maintain_order=True)]
    return [_season(_label(part), part) for part in parts] + [_season(ALL_SEASONS, forecasts)]


def _season(name: str, part: pl.DataFrame) -> SeasonScores:
    outcomes = outcomes_of(part)
    probabilities = {who: probabilities_of(part, prefix) for who, prefix in PREFIXES.items()}
    blocks = league_weeks(part["league_id"], part["date"])
    return SeasonScores(
        season=name,
        first=part["date"].min(),  # type: ignore[arg-type]
        last=part["date"].max(),  # type: ignore[arg-type]
        matches=len(part),
        frozen=score(probabilities[FROZEN], outcomes),
        retrained=score(probabilities[RETRAINED], outcomes),
        difference=paired_differences(probabilities, FROZEN, outcomes, blocks)[RETRAINED],
    )


def _label(part: pl.DataFrame) -> str:
    first: date = part["trained_before"][0]
    return season_label(first.year if (first.month, first.day) >= SEASON_START else first.year - 1)


def _silent(_: date, __: int, ___: int) -> None:
    """Ignore the progress."""
