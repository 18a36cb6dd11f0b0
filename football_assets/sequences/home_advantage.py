"""The shift of home advantage that all leagues share, as it was known on each day.

A league's mean goals have a memory of a thousand matches, about three seasons: a change in all leagues at once, such as
matches without crowds from May 2020 on, reaches them late. One number for all leagues adapts in weeks. It is computed
from all matches when the tensors are written, so that the tables of a country depend on no other country. It is added
to the logarithms of the expected goals: half to the home team's, minus half to the away team's.

In ordinary years the estimate is noise. Below two standard errors it is set to 0; far above them it is hardly changed.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT

MEMORY_MATCHES = 1000.0
_MEANS = ("league_home_goals", "league_away_goals")
COLUMNS_READ = [
    "match_id",
    "kickoff_date",
    "is_played",
    "home_goals",
    "away_goals",
    *_MEANS,
]  # of match_features
STANDARD_ERRORS = 2.0  # an estimate below so many standard errors is set to 0
_GOALS_A_MATCH = 2.7
SERIES_SCHEMA = {"day": pl.Date(), HOME_ADVANTAGE_SHIFT: pl.Float64()}


class HomeAdvantageShift:
    """The shift at the end of each day with a result, in log goals."""

    def __init__(self, series: pl.DataFrame) -> None:
        """Index a series with the columns of `SERIES_SCHEMA`, days ascending."""
        self.series = series
        self._days = series["day"].to_physical().to_numpy()
        self._values = np.append(
            0.0, series[HOME_ADVANTAGE_SHIFT].to_numpy()
        )  # the first is the value before any result

    def before(self, dates: pl.Series) -> NDArray[np.float64]:
        """Return the shift as known before each day, `[n]`: that of the latest earlier day with a result, else 0."""
        return self.before_days(dates.cast(pl.Date).to_physical().to_numpy())

    def before_days(self, days: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the shift as known before each day, given as days since 1970."""
        shift: NDArray[np.float64] = self._values[np.searchsorted(self._days, days)]
        return shift


def with_home_advantage(fixtures: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """Add the shift as known before each `kickoff_date`, computed from all `matches`."""
    shift = home_advantage_shift(matches).before(fixtures["kickoff_date"])
    return fixtures.with_columns(pl.Series(HOME_ADVANTAGE_SHIFT, shift))


def home_advantage_shift(
    matches: pl.DataFrame, memory: float = MEMORY_MATCHES, errors: float = STANDARD_ERRORS
) -> HomeAdvantageShift:
    """Estimate, day by day over all leagues, how far home advantage is from what the leagues' mean goals imply.

    A day's step is the gradient of the Poisson log-likelihood of its goals over its curvature, weighted by the share
    of the day's matches in a memory of `memory` matches.

    Parameters
    ----------
    matches
        One row per match, in any order, with the columns `COLUMNS_READ`; `league_home_goals` and `league_away_goals`
        are the league's mean goals as known before the day.
    memory
        Number of matches in the memory of the running mean. The defaults were chosen on the likelihood of goals from
        July 2000 to July 2020 (`benchmarks/research/home_advantage.py`).
    errors
        Number of standard errors below which an estimate counts as noise.
    """
    # The same matches must give the same bits, whether read from the table or from the tensors: sums depend on the
    # order of the summands, and the tensors hold the means as float32.
    played = matches.filter("is_played").sort("kickoff_date", "match_id")
    days = played["kickoff_date"].cast(pl.Date)
    starts = np.flatnonzero(days.to_physical().diff().fill_null(1).to_numpy())
    counts = np.diff(starts, append=len(played))
    goals = ("home_goals", "away_goals", *_MEANS)
    values_of = played.select(pl.col(goals).cast(pl.Float32).cast(pl.Float64)).to_numpy()
    totals = np.add.reduceat(values_of, starts, axis=0)
    shift = 0.0
    values = np.empty(len(starts))
    for day, (count, (home, away, mean_home, mean_away)) in enumerate(zip(counts, totals, strict=True)):
        factor = np.exp(shift / 2)
        expected_home, expected_away = mean_home * factor, mean_away / factor
        surplus = (home - expected_home) - (away - expected_away)
        shift += count / (memory + count) * 2 * surplus / (expected_home + expected_away)
        values[day] = _beyond_noise(shift, memory, errors)
    return HomeAdvantageShift(
        pl.DataFrame({"day": days.gather(starts), HOME_ADVANTAGE_SHIFT: values}, schema=SERIES_SCHEMA)
    )


def _beyond_noise(shift: float, memory: float, errors: float) -> float:
    """Shrink an estimate by its noise: the positive part of the James-Stein estimator [1].

    An exponentially weighted mean with a memory of `memory` matches has the variance of a plain mean over twice as
    many; a match carries information about a quarter of its goals.

    References
    ----------
    [1] Efron and Morris, 1973, Stein's estimation rule and its competitors.
    """
    variance = 1 / (2 * memory * _GOALS_A_MATCH / 4)
    noise = errors**2 * variance
    return shift * (1 - noise / shift**2) if shift**2 > noise else 0.0
