"""Remove the margin from decimal odds: the probabilities of the outcomes that a bookmaker offers."""

import numpy as np
from numpy.typing import NDArray

LEAST_OVERROUND = 0.97  # sum of 1 / odds; averages over bookmakers may lie a little below 1
MOST_OVERROUND = 1.35


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
        [n, outcomes]; NaN in rows that lack a price, hold a price of 1 or less, or whose 1 / odds sum to less than
        `LEAST_OVERROUND` or more than `MOST_OVERROUND`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(odds > 1.0, 1.0 / odds, np.nan)
    overround = inverse[:, 0]
    for outcome in range(1, odds.shape[1]):
        overround = overround + inverse[:, outcome]
    is_plausible = (overround >= LEAST_OVERROUND) & (overround <= MOST_OVERROUND)
    return np.where(is_plausible[:, None], inverse / overround[:, None], np.nan)
