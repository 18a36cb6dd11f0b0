"""Ratings of teams from the shots of their earlier matches: three filters and weighted means of match statistics.

`rate_shots` is called by the asset `team_shot_ratings`, by the backtest and by tests. A match changes nothing unless
the shots on target of both teams are known.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.rating_columns import SHOT_HISTORY, SHOT_LEAGUE_STATE, SHOT_TEAM_STATE
from football_assets.features.rating_walk import RatingTable, walk
from football_assets.features.schedule import Floats, Schedule, float_columns, matches_to_rate, schedule_of
from football_assets.features.strength_filter import Quantity, StrengthFilter
from football_assets.features.weighted_means import WeightedMeans

GOALS_PER_SHOT_ON_TARGET = 0.3  # stands for expected goals where a match has none
_FILTERED = ("shots_on_target", "shots", "corners")
_STATISTICS = (*_FILTERED, "red_cards", "half_time_goals", "expected_goals")
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
    pairs = {name: (f"home_{name}", f"away_{name}") for name in _STATISTICS}
    matches = matches_to_rate(stg_matches, [column for pair in pairs.values() for column in pair])
    schedule = schedule_of(matches)
    is_played = schedule.is_played[:, None]
    counts = {name: np.where(is_played, float_columns(matches, pair), np.nan) for name, pair in pairs.items()}
    is_known: NDArray[np.bool_] = np.isfinite(counts["shots_on_target"].sum(axis=1))
    means = WeightedMeans(
        schedule,
        is_known,
        _match_values(schedule.goals, counts),
        keep=[1.0 - 1.0 / memory for memory in _MEMORY],
        prior=[*[0.0] * (len(_MEMORY) - 1), _SUM_PRIOR],
    )
    strengths, averages = walk(schedule, (_shot_filter(schedule, is_known, counts), means))
    count = len(_FILTERED)

    def columns(name: str) -> list[Floats]:
        filtered, averaged = getattr(strengths, name), getattr(averages, name)  # [columns, matches, 2]
        day = filtered[2 * count]
        return [day, *filtered[:count], *np.where(np.isnan(day), np.nan, means.means(averaged))]

    team = zip(columns("before"), columns("after"), strict=True)
    league = zip(strengths.league_before[:count], strengths.league_after[:count], strict=True)
    return RatingTable(
        dict(zip(SHOT_TEAM_STATE, team, strict=True)),
        dict(zip(SHOT_LEAGUE_STATE, league, strict=True)),
        _of_the_match(schedule, is_known, counts),
    ).frame(matches)


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
