"""Compute scorelines from expected goals that agree with the forecast outcome probabilities.

Called by forecasts of fixtures and by serving.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_GOALS = 10
LEAST_EXPECTED_GOALS = 0.01  # a rate of 0 would make every scoreline with a goal impossible

_GOALS = np.arange(MOST_GOALS + 1)
_LOG_FACTORIALS = np.array([math.lgamma(goals + 1) for goals in _GOALS])
_OUTCOME = np.where(_GOALS[:, None] > _GOALS, 0, np.where(_GOALS[:, None] == _GOALS, 1, 2))  # [home, away]


class Score(NamedTuple):
    """A final score and its probability."""

    home: int
    away: int
    probability: float


def score_matrix(
    xg_home: NDArray[np.floating], xg_away: NDArray[np.floating], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Compute the probability of every scoreline up to 10–10.

    Two independent Poisson distributions with the expected goals [1], rescaled within home wins, draws and away wins so
    that each of the three sums to the forecast's own probability. Independence alone would give too few draws [2];
    which scores are likelier within an outcome is left as it is.

    Parameters
    ----------
    xg_home, xg_away
        [n] expected goals.
    probabilities
        [n, 3] home win, draw, away win.

    Returns
    -------
    NDArray
        [n, 11, 11]: home goals, away goals.

    References
    ----------
    [1] Maher, 1982; [2] Dixon and Coles, 1997.
    """
    home, away = (
        np.maximum(np.asarray(xg, dtype=np.float64), LEAST_EXPECTED_GOALS) for xg in (xg_home, xg_away)
    )
    logarithms = _log_poisson(home)[:, :, None] + _log_poisson(away)[:, None, :]  # [n, home, away]
    scorelines = np.empty_like(logarithms)
    for outcome in range(3):
        inside = outcome == _OUTCOME
        part = logarithms[:, inside]  # [n, scorelines of the outcome]
        part = np.exp(part - part.max(axis=1, keepdims=True))
        scorelines[:, inside] = (
            part / part.sum(axis=1, keepdims=True) * np.asarray(probabilities)[:, outcome, None]
        )
    return scorelines


def likeliest_scores(scorelines: NDArray[np.floating], count: int = 3) -> list[list[Score]]:
    """Return the likeliest scorelines of each match, the likeliest first; of equal ones that with fewer home goals.

    Parameters
    ----------
    scorelines
        [n, 11, 11] from `score_matrix`.
    """
    left = scorelines.reshape(len(scorelines), (MOST_GOALS + 1) ** 2).copy()
    rows = np.arange(len(left))
    best = []
    for _ in range(count):  # a maximum at a time is faster than sorting all
        cells = left.argmax(axis=1)
        home, away = np.divmod(cells, MOST_GOALS + 1)
        best.append(map(Score, home.tolist(), away.tolist(), left[rows, cells].tolist()))
        left[rows, cells] = -1.0
    return [list(scores) for scores in zip(*best, strict=True)]


def scores_text(scores: Sequence[Score]) -> str:
    """Format scorelines: `1-1 12 %, 1-0 10 %`."""
    return ", ".join(f"{home}-{away} {probability * 100:.0f} %" for home, away, probability in scores)


def _log_poisson(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithms: NDArray[np.float64] = _GOALS * np.log(rate)[:, None] - rate[:, None] - _LOG_FACTORIALS
    return logarithms  # [n, goals]
