"""Expected goals of both sides that agree with the odds of a match, and the outcome probabilities of expected goals.

Goals are Poisson with the Dixon-Coles correction of low scores [1], cut at ten goals a side. Sums over goals are loops
over whole columns, or accumulated in order: a reduction of NumPy or a matrix product would round differently for one
match and for many.

[1] Dixon and Coles, 1997: Modelling Association Football Scores and Inefficiencies in the Football Betting Market.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

GOALS_CUT = 10  # a side
LOW_SCORE_CORRELATION = -0.06  # rho of [1]
GAUSS_NEWTON_STEPS = 8  # 99.9 % of matches with odds are within 1e-9 of the minimum
_MOST_LOG_STEP = 1.0
_LOG_GOALS_RANGE = (np.log(0.05), np.log(8.0))
_START_LOG_GOALS = np.log(1.3)
_START_SLOPE = 0.8  # of log goals a side over p_home - p_away
_LEAST_DETERMINANT = 1e-12
_COUNTS = np.arange(GOALS_CUT + 1.0)[:, None, None].clip(1.0)  # [goals, 1, 1]
_CHUNK = 4096  # matches whose columns stay in the cache


class OutcomeProbabilities(NamedTuple):
    """Probabilities [n] of a home win, a draw, an away win and more than 2.5 goals."""

    home: _Floats
    draw: _Floats
    away: _Floats
    over: _Floats


def outcome_probabilities(home_goals: _Floats, away_goals: _Floats) -> OutcomeProbabilities:
    """Compute outcome probabilities of expected goals [n]. One match costs some twenty calls of NumPy.

    Products and sums over goals are accumulated in order, so one match and many give the same bits.
    """
    steps = np.stack([home_goals, away_goals]) / _COUNTS  # [goals, 2, n]
    steps[0] = 1.0
    terms = np.multiply.accumulate(steps, axis=0)
    terms /= np.add.accumulate(terms, axis=0)[-1]
    home, away = terms[:, 0], terms[:, 1]  # [goals, n]
    below = np.add.accumulate(away[:-1], axis=0)
    win = np.add.accumulate(home[1:] * below, axis=0)[-1]
    draw = np.add.accumulate(home * away, axis=0)[-1]
    under = home[0] * below[2] + home[1] * below[1] + home[2] * below[0]
    low = LOW_SCORE_CORRELATION * home[1] * away[1]
    return _outcomes(1.0, win + low, draw - 2.0 * low, 1.0 - under)


def implied_goals(probabilities: _Floats, over: _Floats) -> _Floats:
    """Fit expected goals to outcome probabilities by least squares: Gauss-Newton in log goals, all matches at once.

    Parameters
    ----------
    probabilities
        [n, 3] home win, draw, away win; NaN where unknown.
    over
        [n] probability of more than 2.5 goals; where NaN, the three outcomes alone are fitted.

    Returns
    -------
    NDArray
        [n, 2] home and away goals, NaN where the outcome probabilities are.
    """
    goals = np.full((len(probabilities), 2), np.nan)
    known = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    for start in range(0, len(known), _CHUNK):
        rows = known[start : start + _CHUNK]
        goals[rows] = _fit(probabilities[rows], over[rows])
    return goals


def _fit(probabilities: _Floats, over: _Floats) -> _Floats:
    target = [*np.ascontiguousarray(probabilities.T), np.nan_to_num(over)]
    one, over_weight = np.ones_like(over), np.isfinite(over).astype(np.float64)
    half = _START_SLOPE * (target[0] - target[2])
    log_home, log_away = _START_LOG_GOALS + half, _START_LOG_GOALS - half
    for _ in range(GAUSS_NEWTON_STEPS):
        now, by_home, by_away = _with_slopes(np.exp(log_home), np.exp(log_away))
        hh, ha, aa, h, a = (np.zeros_like(log_home) for _ in range(5))
        for i, weight in enumerate((one, one, one, over_weight)):
            error = weight * (target[i] - now[i])
            hh += weight * by_home[i] ** 2
            ha += weight * by_home[i] * by_away[i]
            aa += weight * by_away[i] ** 2
            h += by_home[i] * error
            a += by_away[i] * error
        determinant = hh * aa - ha * ha + _LEAST_DETERMINANT
        log_home = _stepped(log_home, (aa * h - ha * a) / determinant)
        log_away = _stepped(log_away, (hh * a - ha * h) / determinant)
    return np.stack([np.exp(log_home), np.exp(log_away)], axis=1)


def _stepped(log_goals: _Floats, step: _Floats) -> _Floats:
    return np.clip(log_goals + np.clip(step, -_MOST_LOG_STEP, _MOST_LOG_STEP), *_LOG_GOALS_RANGE)


def _poisson(goals: _Floats) -> list[_Floats]:
    """Probabilities [n] of 0 to `GOALS_CUT` goals, which sum to 1."""
    terms = [np.ones_like(goals)]
    for count in range(1, GOALS_CUT + 1):
        terms.append(terms[-1] * goals / count)
    total = np.zeros_like(goals)
    for term in terms:
        total += term
    return [term / total for term in terms]


def _with_slopes(
    home_goals: _Floats, away_goals: _Floats
) -> tuple[OutcomeProbabilities, OutcomeProbabilities, OutcomeProbabilities]:
    """Outcome probabilities, and their derivatives by the log of home goals and of away goals.

    A Poisson term p(i) has the derivative (i - mean) p(i), so the derivative of a sum over scores is the sum of goals
    times probability, less the mean goals times the sum. The correction of [1] adds `low` to 1-0 and 0-1 and takes it
    from 0-0 and 1-1, which leaves the total and the probability of 2.5 goals as they are.
    """
    home, away = _poisson(home_goals), _poisson(away_goals)
    zero = np.zeros_like(home_goals)
    home_mean, away_mean, home_below, away_below = (zero.copy() for _ in range(4))
    win, draw, win_by_home, win_by_away, draw_goals = (zero.copy() for _ in range(5))
    for goals, (at_home, at_away) in enumerate(zip(home, away, strict=True)):
        won = at_home * away_below
        win += won
        win_by_home += goals * won
        win_by_away += goals * (at_away * (1.0 - home_below - at_home))
        drawn = at_home * at_away
        draw += drawn
        draw_goals += goals * drawn
        home_mean += goals * at_home
        away_mean += goals * at_away
        home_below += at_home
        away_below += at_away
    win_by_home -= home_mean * win
    win_by_away -= away_mean * win
    draw_by_home = draw_goals - home_mean * draw
    draw_by_away = draw_goals - away_mean * draw
    upto_one, upto_two = away[0] + away[1], away[0] + away[1] + away[2]
    under = home[0] * upto_two + home[1] * upto_one + home[2] * away[0]
    under_by_home = home[1] * upto_one + 2.0 * home[2] * away[0] - home_mean * under
    under_by_away = home[0] * (away[1] + 2.0 * away[2]) + home[1] * away[1] - away_mean * under
    low = LOW_SCORE_CORRELATION * home[1] * away[1]
    low_by_home, low_by_away = (1.0 - home_mean) * low, (1.0 - away_mean) * low
    return (
        _outcomes(1.0, win + low, draw - 2.0 * low, 1.0 - under),
        _outcomes(0.0, win_by_home + low_by_home, draw_by_home - 2.0 * low_by_home, -under_by_home),
        _outcomes(0.0, win_by_away + low_by_away, draw_by_away - 2.0 * low_by_away, -under_by_away),
    )


def _outcomes(total: float, home: _Floats, draw: _Floats, over: _Floats) -> OutcomeProbabilities:
    return OutcomeProbabilities(home, draw, total - home - draw, over)
