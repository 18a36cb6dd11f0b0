"""Ratings of teams from the shots of their earlier matches: three filters and weighted means of match statistics.

`rate_shots` is called by the asset `team_shot_ratings`, by the backtest and by tests. A match changes nothing unless
the shots on target of both teams are known.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.rating_columns import SHOT_HISTORY, SHOT_LEAGUE_STATE, SHOT_TEAM_STATE
from football_assets.features.rating_walk import RatingTable, walk
from football_assets.features.schedule import ROW_ORDER, Floats, Schedule, float_columns, schedule_of
from football_assets.features.strength_filter import Quantity, StrengthFilter
from football_assets.features.weighted_means import WeightedMeans

GOALS_PER_SHOT_ON_TARGET = 0.3  # stands for expected goals where a match has none
_FILTERED = ("shots_on_target", "shots", "corners")
_COUNT_OFFSETS = (2.0, 4.0, 2.0)  # added to both counts before the logarithm of their ratio
_NOISE = (0.26, 0.17, 0.31)  # variance of that logarithm around the two teams' strengths
_STRENGTH = Quantity(drift=2e-5, gap=0.003, team_variance=0.05, league_mean=0.15)
_SUM_PRIOR = 9.0  # shots on target of both sides in a match
_MEMORY = (4.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.0)  # matches, by weighted mean


def rate_shots(stg_matches: pl.DataFrame) -> pl.DataFrame:
    """Rate every team before and after every match by shots of earlier matches.

    Parameters
    ----------
    stg_matches
        One row per match; the columns that `ratings.rate_matches` reads and the statistics of the match; columns that
        the table lacks count as null.

    Returns
    -------
    pl.DataFrame
        One row per team and match in the order of `ROW_ORDER`: keys, `SHOT_TEAM_STATE` and `SHOT_LEAGUE_STATE` before
        the day of the match and `…_after` it, `SHOT_HISTORY` of the match itself, null until it is played.
    """
    matches = stg_matches.sort(*ROW_ORDER[:3])
    schedule = schedule_of(matches)
    is_played = schedule.is_played[:, None]
    counts = {
        name: np.where(is_played, float_columns(matches, [f"home_{name}", f"away_{name}"]), np.nan)
        for name in (*_FILTERED, "red_cards", "half_time_goals", "expected_goals")
    }
    is_known: NDArray[np.bool_] = np.isfinite(counts["shots_on_target"].sum(axis=1))
    means = WeightedMeans(
        schedule,
        is_known,
        _match_values(schedule.goals, counts),
        keep=[1.0 - 1.0 / memory for memory in _MEMORY],
        prior=[*[0.0] * (len(_MEMORY) - 1), _SUM_PRIOR],
    )
    strengths, averages = walk(schedule, (_shot_filter(schedule, is_known, counts), means))
    before, after = (
        _team_columns(getattr(strengths, name), means.means(getattr(averages, name)))
        for name in ("before", "after")
    )
    league = strengths.league_before, strengths.league_after
    return RatingTable(
        {name: (before[:, :, i], after[:, :, i]) for i, name in enumerate(SHOT_TEAM_STATE)},
        {name: (league[0][:, i], league[1][:, i]) for i, name in enumerate(SHOT_LEAGUE_STATE)},
        _of_the_match(schedule, is_known, counts),
    ).frame(matches)


def _team_columns(strengths: Floats, means: Floats) -> Floats:
    """Columns `SHOT_TEAM_STATE`, [matches, 2, columns]."""
    count = len(_FILTERED)
    day = strengths[:, :, 2 * count :]
    return np.concatenate([day, strengths[:, :, :count], np.where(np.isnan(day), np.nan, means)], axis=2)


def _shot_filter(
    schedule: Schedule, is_known: NDArray[np.bool_], counts: dict[str, Floats]
) -> StrengthFilter:
    """Filter the log ratios of home to away counts."""
    ratios = np.stack(
        [
            np.log((counts[name][:, 0] + offset) / (counts[name][:, 1] + offset))
            for name, offset in zip(_FILTERED, _COUNT_OFFSETS, strict=True)
        ],
        axis=1,
    )
    has_ratio = np.isfinite(ratios)
    return StrengthFilter(
        schedule,
        [_STRENGTH] * len(_FILTERED),
        is_known,
        [(np.where(has_ratio, ratios, 0.0), np.where(has_ratio, _NOISE, np.inf))],
    )


def _match_values(goals: Floats, counts: dict[str, Floats]) -> Floats:
    """Return what the weighted means average, [matches, 2, means], in the order of `SHOT_TEAM_STATE`."""
    on_target = counts["shots_on_target"]
    chances = _margin(counts["expected_goals"])
    chances = np.where(np.isnan(chances), GOALS_PER_SHOT_ON_TARGET * _margin(on_target), chances)
    margins = [
        _margin(on_target),
        _margin(on_target),
        _margin(counts["shots"]),
        chances,
        _margin(counts["red_cards"]),
        _margin(counts["half_time_goals"]),
        _margin(goals) - chances,
        on_target + on_target[:, ::-1],
    ]
    return np.stack(margins, axis=2)


def _margin(counts: Floats) -> Floats:
    """Own minus the opponent's, [matches, 2]."""
    return counts - counts[:, ::-1]


def _of_the_match(
    schedule: Schedule, is_known: NDArray[np.bool_], counts: dict[str, Floats]
) -> dict[str, Floats]:
    """Columns `SHOT_HISTORY`, each [matches, 2] from both sides."""
    known = np.where(schedule.is_played, is_known.astype(np.float64), np.nan)
    columns = {"shots_known": np.tile(known[:, None], 2)}
    for name in (*_FILTERED, "red_cards"):
        columns[f"{name}_for"] = counts[name]
        columns[f"{name}_against"] = counts[name][:, ::-1]
    return {name: columns[name] for name in SHOT_HISTORY}
