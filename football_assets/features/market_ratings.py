"""Ratings of teams from the odds of their earlier matches, and from results alone by the same filter.

`rate_markets` is called by the asset `team_market_ratings`, by the backtest and by tests. The odds of a match are read
once it is played, so they never describe the match that is forecast. A match without odds changes no rating that comes
from odds. Readouts of a team are null until it has a match with odds behind it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.market_steps import MarketSteps
from football_assets.features.match_odds import IMPLYING_ODDS, implied_by_odds
from football_assets.features.rating_columns import MARKET_LEAGUE_STATE, MARKET_TEAM_STATE
from football_assets.features.rating_walk import PartStates, RatingTable, StateColumns, walk
from football_assets.features.schedule import Floats, Schedule, matches_to_rate, schedule_of
from football_assets.features.strength_filter import Quantity, StrengthFilter
from football_assets.features.weighted_means import WeightedMeans

MOST_MARGIN = 4.0  # goals; a wider win says no more
GOALS_PER_LOG_SUPREMACY = 1.35  # goal difference per log-supremacy between teams of average goals
RESULT_NOISE = 1.5  # variance of the result as an observation of the log-supremacy
RESIDUAL_HALF_LIFE = 12.0  # matches

ODDS_SUPREMACY = Quantity(drift=3e-4, gap=0.01)
RESULT_SUPREMACY = Quantity(drift=1e-4, gap=0.01)
_TOTAL = Quantity(drift=1e-4, gap=0.005, team_variance=0.1, league_mean=0.5, league_variance=0.1, is_sum=True)


@dataclass(frozen=True)
class _FromOdds:
    """A quantity, and the variances with which odds and result observe it."""

    quantity: Quantity
    noise: float
    result_noise: float = RESULT_NOISE


# In the order of `MARKET_TEAM_STATE`. Log loss is flat in the settings: a quarter to four times the drift changes the
# rating by 0.0003 at most.
_FROM_ODDS = (
    _FromOdds(ODDS_SUPREMACY, noise=0.012),
    _FromOdds(Quantity(drift=3e-3, gap=0.01), noise=0.012),  # fast
    _FromOdds(ODDS_SUPREMACY, noise=0.012, result_noise=np.inf),  # odds only
    _FromOdds(Quantity(drift=3e-5, gap=0.01), noise=0.05),  # slow
    _FromOdds(_TOTAL, noise=0.01, result_noise=np.inf),
)


def rate_markets(stg_matches: pl.DataFrame) -> pl.DataFrame:
    """Rate every team before and after every match by odds of earlier matches.

    Parameters
    ----------
    stg_matches
        One row per match, with the columns that `ratings.rate_matches` reads and the odds that `match_odds_implied`
        reads.

    Returns
    -------
    pl.DataFrame
        One row per team and match in the order of `ROW_ORDER`: keys; `MARKET_TEAM_STATE` and `MARKET_LEAGUE_STATE`
        before the day of the match and `…_after` it; `MARKET_HISTORY` and `MARKET_IMPLIED` of the match itself.
        A team's `…_after` and what the match itself adds are null until it is played.
    """
    matches = matches_to_rate(stg_matches, IMPLYING_ODDS)
    schedule = schedule_of(matches)
    odds = _PlayedOdds.of(matches, schedule)
    residuals = _residuals(schedule, odds)
    states = walk(
        schedule, (_odds_filter(schedule, odds), _steps(schedule, odds), residuals, _results(schedule))
    )
    team = _team_columns(states, residuals)
    return RatingTable(team, _league_columns(states), _of_the_match(schedule, odds, team)).frame(matches)


@dataclass(frozen=True)
class _PlayedOdds:
    """What the odds of played matches imply, NaN elsewhere."""

    probabilities: Floats  # [matches, 3]
    goals: Floats  # [matches, 2]
    log_goals: Floats
    is_known: NDArray[np.bool_]  # [matches]

    @classmethod
    def of(cls, matches: pl.DataFrame, schedule: Schedule) -> "_PlayedOdds":
        implied = implied_by_odds(matches)
        probabilities, goals = (np.where(schedule.is_played[:, None], values, np.nan) for values in implied)
        return cls(probabilities, goals, np.log(goals), np.isfinite(goals[:, 0]))


def _odds_filter(schedule: Schedule, odds: _PlayedOdds) -> StrengthFilter:
    """Build the filter whose observations are the odds, then the result."""
    supremacy = odds.log_goals[:, 0] - odds.log_goals[:, 1]
    total = odds.log_goals[:, 0] + odds.log_goals[:, 1]
    quantities = [item.quantity for item in _FROM_ODDS]
    values = np.stack([total if quantity.is_sum else supremacy for quantity in quantities], axis=1)
    results = np.repeat(_supremacy_of_results(schedule)[:, None], len(quantities), axis=1)
    noise = np.broadcast_to([item.noise for item in _FROM_ODDS], values.shape)
    result_noise = np.broadcast_to([item.result_noise for item in _FROM_ODDS], values.shape)
    return StrengthFilter(schedule, quantities, odds.is_known, [(values, noise), (results, result_noise)])


def _steps(schedule: Schedule, odds: _PlayedOdds) -> MarketSteps:
    expected_score = odds.probabilities[:, 0] + 0.5 * odds.probabilities[:, 1]
    return MarketSteps(schedule, odds.is_known, odds.log_goals, expected_score)


def _residuals(schedule: Schedule, odds: _PlayedOdds) -> WeightedMeans:
    """Average goals for, goals against and points, minus what the odds implied."""
    surplus = schedule.goals - odds.goals  # [matches, 2]
    points = _points(schedule.goals) - _implied_points(odds.probabilities)
    values = np.stack([surplus, surplus[:, ::-1], points], axis=2)
    keep = 0.5 ** (1.0 / RESIDUAL_HALF_LIFE)
    return WeightedMeans(schedule, odds.is_known, values, keep=[keep] * 3, prior=[0.0] * 3)


def _results(schedule: Schedule) -> StrengthFilter:
    """Build the filter over results alone."""
    values = _supremacy_of_results(schedule)[:, None]
    noise = np.full_like(values, RESULT_NOISE)
    return StrengthFilter(
        schedule, [RESULT_SUPREMACY], schedule.is_played, [(values, noise)], keeps_entry=True
    )


def _supremacy_of_results(schedule: Schedule) -> Floats:
    margin = schedule.goals[:, 0] - schedule.goals[:, 1]
    return np.clip(margin, -MOST_MARGIN, MOST_MARGIN) / GOALS_PER_LOG_SUPREMACY


def _points(goals: Floats) -> Floats:
    margin = goals - goals[:, ::-1]
    return np.where(margin > 0, 3.0, np.where(margin == 0, 1.0, 0.0))


def _implied_points(probabilities: Floats) -> Floats:
    """Points that both sides can expect, [matches, 2]."""
    return 3.0 * probabilities[:, ::2] + probabilities[:, 1:2]


def _team_columns(states: list[PartStates], residuals: WeightedMeans) -> StateColumns:
    count = len(_FROM_ODDS)

    def columns(name: str) -> list[Floats]:
        odds, steps, means, results = (getattr(state, name) for state in states)  # [columns, matches, 2]
        strengths, variances, day = odds[:count], odds[count : 2 * count], odds[2 * count]
        has_odds = ~np.isnan(day)
        beside = [np.where(has_odds, values, np.nan) for values in (*steps, *residuals.means(means))]
        strength, variance, last_day = results
        return [day, strengths[0], variances[0], *strengths[1:], *beside, last_day, strength, variance]

    pairs = zip(columns("before"), columns("after"), strict=True)
    return dict(zip(MARKET_TEAM_STATE, pairs, strict=True))


def _league_columns(states: list[PartStates]) -> StateColumns:
    count = len(_FROM_ODDS)

    def columns(name: str) -> list[Floats]:
        odds, steps, _, results = (getattr(state, name) for state in states)  # [columns, matches]
        means, variances = odds[:count], odds[count:]
        return [means[0], variances[0], *means[1:], *steps, *results]

    pairs = zip(columns("league_before"), columns("league_after"), strict=True)
    return dict(zip(MARKET_LEAGUE_STATE, pairs, strict=True))


def _of_the_match(schedule: Schedule, odds: _PlayedOdds, team: StateColumns) -> dict[str, Floats]:
    """Columns `MARKET_HISTORY` and `MARKET_IMPLIED`, each [matches, 2] from both sides."""
    strength, _ = team["odds_strength"]
    surplus = schedule.goals - odds.goals
    known = np.where(schedule.is_played, odds.is_known.astype(np.float64), np.nan)
    return {
        "odds_known": np.repeat(known[:, None], 2, axis=1),
        "implied_supremacy": odds.log_goals - odds.log_goals[:, ::-1],
        "implied_goals_for": odds.goals,
        "implied_goals_against": odds.goals[:, ::-1],
        "odds_surprise": surplus - surplus[:, ::-1],
        "own_odds_rating": strength,
        "opponent_odds_rating": strength[:, ::-1],
        "implied_p_own": odds.probabilities[:, ::2],
        "implied_p_draw": np.repeat(odds.probabilities[:, 1:2], 2, axis=1),
        "implied_p_opponent": odds.probabilities[:, ::-2],
    }
