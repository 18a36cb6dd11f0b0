"""Pi-ratings: a home and an away rating per team, in the scale of goal differences against an average team [1].

References
----------
[1] Constantinou and Fenton, 2013, Determining the level of ability of football teams by dynamic ratings based on the
relative discrepancies in scores between adversaries.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PI_COLUMNS = ("home_team_at_home", "home_team_away", "away_team_at_home", "away_team_away")


@dataclass(frozen=True)
class PiConfig:
    """Constants of the ratings, as published.

    Parameters
    ----------
    rate
        λ: what a match moves the rating of the ground it is played on, per unit of weighted error.
    catch_up
        γ: share of that movement which the rating of the other ground makes too.
    base, scale
        b and c: a rating R is a goal difference of b^(|R| / c) − 1 against an average team, and an error of e goals
        weighs c · log10(1 + e).
    """

    rate: float = 0.035
    catch_up: float = 0.7
    base: float = 10.0
    scale: float = 3.0


def pi_ratings(
    days: NDArray[np.datetime64],
    home: NDArray[np.int64],
    away: NDArray[np.int64],
    goal_difference: NDArray[np.int64],
    played: NDArray[np.bool_],
    config: PiConfig | None = None,
) -> NDArray[np.float64]:
    """Compute the ratings before the day of each match, `[n, 4]` in the order of `PI_COLUMNS`.

    Ratings start at 0. All matches of a day are rated before any of them counts.

    Parameters
    ----------
    days
        Kick-off days `[n]`, in any order.
    home, away
        Numbers of the teams `[n]`, from 0.
    goal_difference
        Goals of the home team less those of the away team `[n]`; not read where a match is not played.
    played
        Which matches have a result `[n]`.
    """
    config = config or PiConfig()
    before = np.zeros((len(days), len(PI_COLUMNS)))
    if not len(days):
        return before
    teams = int(max(home.max(), away.max())) + 1
    at_home, on_road = np.zeros(teams), np.zeros(teams)
    order = np.argsort(days, kind="stable")
    for today in np.split(order, np.flatnonzero(np.diff(days[order]).astype(np.int64)) + 1):
        hosts, guests = home[today], away[today]
        before[today] = np.stack([at_home[hosts], on_road[hosts], at_home[guests], on_road[guests]], axis=1)
        settled = today[played[today]]
        moves = _moves(before[settled], goal_difference[settled], config)
        np.add.at(at_home, home[settled], moves)
        np.add.at(on_road, home[settled], config.catch_up * moves)
        np.add.at(on_road, away[settled], -moves)
        np.add.at(at_home, away[settled], -config.catch_up * moves)
    return before


def pi_goal_difference(ratings: NDArray[np.float64], config: PiConfig | None = None) -> NDArray[np.float64]:
    """Return the goal difference `[n]` that ratings `[n, 4]` expect, for the home team."""
    config = config or PiConfig()
    at_home, away = (
        np.sign(rating) * (config.base ** (np.abs(rating) / config.scale) - 1)
        for rating in (ratings[:, 0], ratings[:, 3])
    )
    difference: NDArray[np.float64] = at_home - away
    return difference


def _moves(
    ratings: NDArray[np.float64], goal_difference: NDArray[np.int64], config: PiConfig
) -> NDArray[np.float64]:
    """Return what each match adds to the home team's home rating, `[n]`."""
    error = goal_difference - pi_goal_difference(ratings, config)
    moves: NDArray[np.float64] = config.rate * np.sign(error) * config.scale * np.log10(1 + np.abs(error))
    return moves
