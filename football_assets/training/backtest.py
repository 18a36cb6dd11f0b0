"""The backtest: train on all matches before a day, then forecast later matches with the frozen network.

Histories and ratings are updated: each match is forecast from results of earlier days. Labels of the forecast period
affect neither weights nor calibration.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors as cs

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.errors import NotEnoughData
from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.training.config import TrainingConfig
from football_assets.training.evaluation import forecasts_beside_baselines, probabilities_of
from football_assets.training.fit import Epoch, Fit
from football_assets.training.parallel.distributed import fit_on_workers
from football_assets.training.split import TimeSplit, split_by_time

BACKTEST_COLUMNS = [
    "date",
    "league_id",
    "season",
    "home_team",
    "away_team",
    "home_goals",
    "away_goals",
    *PROBABILITY_COLUMNS,
    *EXPECTED_GOALS_COLUMNS,
]
"""Columns of a backtest's forecasts, before those of the baselines."""


@dataclass(frozen=True)
class Backtest:
    """Forecasts of the walked matches, their rows of the tensors, the fit behind them and its periods."""

    forecasts: pl.DataFrame
    rows: NDArray[np.int64]
    fit: Fit
    split: TimeSplit


def run_backtest(
    tensors: SequenceTensors,
    start: date | None = None,
    end: date | None = None,
    config: TrainingConfig | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    hidden: Collection[FeatureGroup] = OWN_ODDS,
) -> Backtest:
    """Forecast the played matches from `start` to `end`, both included.

    Parameters
    ----------
    start
        First day that is forecast; the network sees results of earlier days only. None: a year before the last
        result, or later where that leaves fewer matches to train on than to forecast.
    end
        Last day that is forecast; None stands for the last with a result.
    config
        Its split gives the share of the matches before `start` that stops and calibrates; the test share is not used.
    hidden
        Groups of inputs that are unknown when matches are forecast, as if a feed had stopped. Training sees them.

    Returns
    -------
    Backtest
        `forecasts` has one row per match: `date`, `league_id`, `season`, `home_team`, `away_team`, `home_goals`,
        `away_goals`, `p_home`, `p_draw`, `p_away`, `xg_home`, `xg_away`, and the baselines' `class_prior_p_home`,
        `elo_p_home`, ….

    Raises
    ------
    NotEnoughData
        No match lies in the period, or too few before it.
    """
    config = config or TrainingConfig()
    start = start or default_start(tensors)
    rows = rows_to_walk(tensors, start, end)
    split = split_by_time(tensors, config.split.model_copy(update={"test_start": start}))
    fit = fit_on_workers(tensors, split, config, on_epoch)
    forecasts = forecasts_beside_baselines(fit.network, tensors, split.train, rows, hidden).select(
        pl.col("kickoff_date").alias("date"),
        *BACKTEST_COLUMNS[1:],
        cs.starts_with("class_prior_", "elo_"),
    )
    return Backtest(forecasts, rows, fit, split)


def played_between(tensors: SequenceTensors, start: date, end: date | None) -> NDArray[np.int64]:
    """Rows of the played matches from `start` to `end`, both included; None stands for the last."""
    wanted = tensors.played & (tensors.days >= np.datetime64(start))
    if end is not None:
        wanted &= tensors.days <= np.datetime64(end)
    return np.flatnonzero(wanted)


def rows_to_walk(tensors: SequenceTensors, start: date, end: date | None) -> NDArray[np.int64]:
    """Return the rows of the played matches from `start` to `end`, of which there must be some.

    Raises
    ------
    NotEnoughData
        No match lies in the period.
    """
    rows = played_between(tensors, start, end)
    if len(rows) == 0:
        raise NotEnoughData(f"No played match from {start} to {end or 'the last result'}: choose other days.")
    return rows


def outcomes_of(forecasts: pl.DataFrame) -> NDArray[np.int64]:
    """Return the outcomes, int64 `[n]`: 0 home win, 1 draw, 2 away win."""
    home, away = (forecasts[f"{side}_goals"].cast(pl.Int64).to_numpy() for side in ("home", "away"))
    outcomes: NDArray[np.int64] = 1 - np.sign(home - away)
    return outcomes


def default_start(tensors: SequenceTensors) -> date:
    """Return the default start of a backtest: a year before the last result, or the middle result if that is later.

    Raises
    ------
    NotEnoughData
        No match was played.
    """
    days = np.sort(tensors.days[tensors.played]).astype("datetime64[D]")
    if not len(days):
        raise NotEnoughData("There is no played match to backtest on: land results first.")
    year_before = days[-1] - np.timedelta64(365, "D")
    first: date = max(year_before, days[len(days) // 2]).item()
    return first


def backtest_scores(forecasts: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Scores of the model and the baselines over a backtest's forecasts."""
    from football_assets.domain.scoring_rules import score

    outcomes = outcomes_of(forecasts)
    prefixes = {"model": "", "class_prior": "class_prior_", "elo": "elo_"}
    return {
        name: score(probabilities_of(forecasts, prefix), outcomes).as_dict()
        for name, prefix in prefixes.items()
    }
