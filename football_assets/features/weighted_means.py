"""Exponentially weighted means of what teams did in their matches, for several quantities at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from football_assets.features.schedule import Floats, Indices, Schedule

PRIOR_MATCHES = (
    2.0  # weight of the prior mean beside the matches, which keeps the first means from being extreme
)


class WeightedMeans:
    """Means of all teams that forget by a factor a match; a `RatingPart`.

    Parameters
    ----------
    schedule
        Matches, teams and leagues.
    is_known
        [matches] whether the match counts.
    values
        [matches, 2, quantities] of home and away team, NaN where unknown: such a mean stays as it is.
    keep
        Factor of the weights a match, by quantity.
    prior
        Mean before the first match, by quantity.
    """

    def __init__(
        self,
        schedule: Schedule,
        is_known: NDArray[np.bool_],
        values: Floats,
        keep: Sequence[float],
        prior: Sequence[float],
    ) -> None:
        count = len(keep)
        self.schedule = schedule
        self.is_known = is_known
        self.values = values
        self.keep, self.prior = np.array(keep), np.array(prior)
        self.teams = np.zeros((len(schedule.team_pools), 2 * count))  # sums, weights
        self.leagues = np.zeros((len(schedule.tiers), 0))

    def observe(self, matches: Indices) -> None:
        """Add matches of one day a country, in which no team plays twice."""
        teams = self.schedule.teams[matches]
        values = self.values[matches]
        is_known = ~np.isnan(values)
        added = np.concatenate([np.where(is_known, values, 0.0), is_known], axis=2)
        keep = np.where(np.concatenate([is_known, is_known], axis=2), np.tile(self.keep, 2), 1.0)
        self.teams[teams] = keep * self.teams[teams] + added

    def means(self, states: Floats) -> Floats:
        """Means [quantities, …] of states [columns, …] of `teams`."""
        sums, weights = np.split(states, 2)
        prior = self.prior.reshape(-1, *[1] * (states.ndim - 1))
        means: Floats = (sums + PRIOR_MATCHES * prior) / (weights + PRIOR_MATCHES)
        return means
