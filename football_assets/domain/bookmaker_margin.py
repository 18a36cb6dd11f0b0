"""Remove the margin from decimal odds: the probabilities of the outcomes that a bookmaker offers."""

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.odds_rules import OVERROUND_BOUNDS


def implied_probabilities(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute probabilities proportional to 1 / odds.

    Shin's method and the power method were tried: on the odds themselves they lower the log loss of July 2015 to June
    2020 by 0.37 and 0.43 thousandths, but a rating of the teams by 0.1 only, so the simplest method is used.

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
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(odds > 1.0, 1.0 / odds, np.nan)
    overround = inverse[:, 0]
    for outcome in range(1, odds.shape[1]):
        overround = overround + inverse[:, outcome]
    lowest, highest = OVERROUND_BOUNDS
    is_plausible = (overround >= lowest) & (overround <= highest)
    return np.where(is_plausible[:, None], inverse / overround[:, None], np.nan)
