"""Baseline forecasts: class prior, Elo logistic regression, and the bookmaker where there are odds."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.scoring_rules import log_loss
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit

ODDS_COLUMNS = ("odds_home", "odds_draw", "odds_away")
_ELO_SCALE = 100.0  # points; brings the regression's input near 1


def class_prior(
    tensors: SequenceTensors, train: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Forecast the outcomes' frequencies in the training period, `[n, 3]`, equal for every match."""
    counts = np.bincount(tensors.outcome[train], minlength=3)
    return np.tile(counts / counts.sum(), (len(rows), 1))


def elo_logistic(
    tensors: SequenceTensors, train: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Forecast by multinomial logistic regression on the Elo difference, fitted on training rows, `[n, 3]` [1].

    References
    ----------
    [1] Hvattum and Arntzen, 2010, Using ELO ratings for match result prediction in association football.
    """
    from sklearn.linear_model import LogisticRegression

    difference = (tensors.keys["home_elo"] - tensors.keys["away_elo"]).to_numpy()[:, None] / _ELO_SCALE
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(difference[train], tensors.outcome[train])
    forecast = np.zeros((len(rows), 3))
    if len(rows):
        forecast[:, model.classes_] = model.predict_proba(difference[rows])
    return forecast


def elo_log_loss(tensors: SequenceTensors, split: TimeSplit) -> float:
    """Compute the log loss of the Elo regression on the validation period, in nats."""
    return log_loss(elo_logistic(tensors, split.train, split.validation), tensors.outcome[split.validation])


def bookmaker(
    tensors: SequenceTensors, rows: NDArray[np.int64], columns: Sequence[str] = ODDS_COLUMNS
) -> NDArray[np.float64]:
    """Scale inverse decimal odds to a sum of 1, `[n, 3]`; NaN where the odds of a match are incomplete."""
    odds = decimal_odds(tensors, columns)[rows]
    inverse = 1.0 / np.where(odds > 1.0, odds, np.nan)
    return inverse / inverse.sum(axis=1, keepdims=True)


def decimal_odds(tensors: SequenceTensors, columns: Sequence[str] = ODDS_COLUMNS) -> NDArray[np.float64]:
    """Return the decimal odds of every match, `[matches, 3]`, NaN where unknown.

    Parameters
    ----------
    columns
        Columns of the keys with the odds of a home win, a draw and an away win. Tensors without them know no odds.
    """
    if not set(columns) <= set(tensors.keys.columns):
        return np.full((len(tensors), len(columns)), np.nan)
    return tensors.keys.select(pl.col(columns).cast(pl.Float64).fill_null(np.nan)).to_numpy()
