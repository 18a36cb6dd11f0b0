"""The shift of home advantage that all leagues share, as it was known on each day.

A league's mean goals forget over a thousand matches, about three seasons: what changes everywhere at once, such as
grounds without crowds from May 2020 on, reaches them late. One number for the whole world learns it in weeks. It is
computed from all matches when the tensors are written, so that the tables of a country depend on no other country, and
is added to the logarithms of the expected goals: half to the home team's, minus half to the away team's.

In ordinary years there is nothing to learn, and an estimate is noise. So it counts for nothing below two standard
errors, and for nearly all of itself far beyond them.
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
STANDARD_ERRORS = 2.0  # standard errors below which an estimate counts for nothing
_GOALS_A_MATCH = 2.7
SERIES_SCHEMA = {"day": pl.Date(), HOME_ADVANTAGE_SHIFT: pl.Float64()}


class HomeAdvantageShift:
    """The shift at the end of each day with a result, in log goals."""

    def __init__(self, series: pl.DataFrame) -> None:
        """`series` has the columns of `SERIES_SCHEMA`, days ascending."""
        self.series = series
        self._days = series["day"].to_physical().to_numpy()
        self._values = np.append(
            0.0, series[HOME_ADVANTAGE_SHIFT].to_numpy()
        )  # the first is that before any result

    def before(self, dates: pl.Series) -> NDArray[np.float64]:
        """The shift as known before each day, `[n]`: that of the latest earlier day with a result, or else 0."""
        return self.before_days(dates.cast(pl.Date).to_physical().to_numpy())

    def before_days(self, days: NDArray[np.integer]) -> NDArray[np.float64]:
        """The same for days given as numbers since 1970."""
        shift: NDArray[np.float64] = self._values[np.searchsorted(self._days, days)]
        return shift


def with_home_advantage(fixtures: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """Rows of a `kickoff_date` with the shift as known before it, by all `matches` of `home_advantage_shift`."""
    shift = home_advantage_shift(matches).before(fixtures["kickoff_date"])
    return fixtures.with_columns(pl.Series(HOME_ADVANTAGE_SHIFT, shift))


def home_advantage_shift(
    matches: pl.DataFrame, memory: float = MEMORY_MATCHES, errors: float = STANDARD_ERRORS
) -> HomeAdvantageShift:
    """Walk through the calendar of all leagues and keep how far home advantage is from what their means say.

    A day's step follows the gradient of the Poisson log-likelihood of its goals, over its curvature, for the share
    that the day's matches have in a memory of `memory` matches.

    Parameters
    ----------
    matches
        One row a match, in any order: the columns `COLUMNS_READ`, of which `league_home_goals` and `league_away_goals`
        are the league's mean goals as known before the day.
    memory
        The shift forgets like a mean over so many matches. The defaults were chosen on the likelihood of goals from
        July 2000 to July 2020 (`benchmarks/research/home_advantage.py`).
    errors
        Standard errors of an estimate that count as noise.
    """
    # The same matches must give the same bits, whether their table or their tensors are read: sums depend on the order
    # of what is added, and the tensors hold means as float32.
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
    """What is left of an estimate when its noise is taken off: the positive part of James and Stein's shrinkage [1].

    A mean over the last `memory` matches, which forgets exponentially, is as sure as one over twice as many; a match
    tells of the shift a quarter of its goals.

    References
    ----------
    [1] Efron and Morris, 1973, Stein's estimation rule and its competitors.
    """
    variance = 1 / (2 * memory * _GOALS_A_MATCH / 4)
    noise = errors**2 * variance
    return shift * (1 - noise / shift**2) if shift**2 > noise else 0.0
