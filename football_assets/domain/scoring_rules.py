"""Proper scores and calibration of outcome forecasts; used by training, the promotion gate and monitoring.

Probabilities are float arrays `[matches, 3]` in the order home win, draw, away win; outcomes int arrays `[matches]` of
0, 1, 2.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.floating]
Outcomes = NDArray[np.integer]
OUTCOMES = ("home", "draw", "away")
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Scores:
    """Mean scores of a set of forecasts; lower is better but for the accuracy."""

    log_loss: float
    rps: float
    brier: float
    accuracy: float
    ece: float

    def as_dict(self) -> dict[str, float]:
        """Return the scores by name."""
        return asdict(self)


def score(probabilities: Probabilities, outcomes: Outcomes) -> Scores:
    """Compute all scores of a set of forecasts.

    Raises
    ------
    ValueError
        The set is empty.
    """
    if len(outcomes) == 0:
        raise ValueError("scores of no matches are not defined")
    return Scores(
        log_loss=float(log_loss_each(probabilities, outcomes).mean()),
        rps=float(ranked_probability_score_each(probabilities, outcomes).mean()),
        brier=float(brier_score_each(probabilities, outcomes).mean()),
        accuracy=float((probabilities.argmax(axis=1) == outcomes).mean()),
        ece=expected_calibration_error(probabilities, outcomes),
    )


def log_loss_each(probabilities: Probabilities, outcomes: Outcomes) -> NDArray[np.float64]:
    """Return the negative natural logarithm of the probability of the observed outcome, `[matches]`."""
    chosen = probabilities[np.arange(len(outcomes)), outcomes].astype(np.float64)
    return -np.log(np.maximum(chosen, _SMALLEST))


def log_loss(probabilities: Probabilities, outcomes: Outcomes) -> float:
    """Return the mean logarithmic score."""
    return float(log_loss_each(probabilities, outcomes).mean())


def ranked_probability_score_each(probabilities: Probabilities, outcomes: Outcomes) -> NDArray[np.float64]:
    """Return the ranked probability score of each match, `[matches]`, between 0 and 1 [1].

    References
    ----------
    [1] Epstein, 1969, A scoring system for probability forecasts of ranked categories.
    """
    distance = np.cumsum(probabilities.astype(np.float64) - _one_hot(outcomes), axis=1)[:, :-1]
    total: NDArray[np.float64] = (distance**2).sum(axis=1)
    return total / (len(OUTCOMES) - 1)


def brier_score_each(probabilities: Probabilities, outcomes: Outcomes) -> NDArray[np.float64]:
    """Return the Brier score of each match summed over the three outcomes, `[matches]`, between 0 and 2."""
    total: NDArray[np.float64] = ((probabilities.astype(np.float64) - _one_hot(outcomes)) ** 2).sum(axis=1)
    return total


@dataclass(frozen=True)
class ReliabilityBin:
    """Forecasts of one outcome in one interval of probability, and how often it happened."""

    outcome: str
    forecast: float
    frequency: float
    matches: int


def reliability(probabilities: Probabilities, outcomes: Outcomes, bins: int = 10) -> list[ReliabilityBin]:
    """Return mean forecast and observed frequency by outcome, in bins of equal width; empty bins are left out."""
    table = []
    for outcome, name in enumerate(OUTCOMES):
        forecast = probabilities[:, outcome].astype(np.float64)
        index = np.minimum((forecast * bins).astype(int), bins - 1)
        for number in np.unique(index):
            inside = index == number
            table.append(
                ReliabilityBin(
                    outcome=name,
                    forecast=float(forecast[inside].mean()),
                    frequency=float((outcomes[inside] == outcome).mean()),
                    matches=int(inside.sum()),
                )
            )
    return table


def expected_calibration_error(probabilities: Probabilities, outcomes: Outcomes, bins: int = 10) -> float:
    """Return the classwise ECE: the mean distance of forecast and frequency over all bins, weighted by forecasts."""
    table = reliability(probabilities, outcomes, bins)
    total = sum(row.matches for row in table)
    return sum(row.matches * abs(row.forecast - row.frequency) for row in table) / total


def _one_hot(outcomes: Outcomes) -> NDArray[np.float64]:
    return np.eye(len(OUTCOMES))[outcomes]
