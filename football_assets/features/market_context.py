"""The odds columns of a match's context, from the states of both teams and the league before its day."""

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.implied_goals import outcome_probabilities
from football_assets.features.market_ratings import ODDS_SUPREMACY, RESULT_SUPREMACY
from football_assets.features.rating_columns import (
    MARKET_CONTEXT,
    MARKET_LEAGUE_STATE,
    MARKET_TEAM_STATE,
    RESULT_CONTEXT,
)
from football_assets.features.schedule import Floats

RATED_DAYS = 400  # a rating whose last observation is older is not shown
_FROM_ODDS = np.array([name not in (*RESULT_CONTEXT, "odds_rated") for name in MARKET_CONTEXT])
_LOG_GOALS_RANGE = (np.log(0.05), np.log(8.0))


def named_columns(states: Floats, names: tuple[str, ...]) -> dict[str, Floats]:
    """Return the columns of states [n, columns] by name, each contiguous."""
    return dict(zip(names, np.ascontiguousarray(states.T), strict=True))


def are_rated(home_day: Floats, away_day: Floats, days: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the last observations of both teams [n] are recent enough on days [n]."""
    return (days - home_day <= RATED_DAYS) & (days - away_day <= RATED_DAYS)  # NaN is not


def market_context(home: Floats, away: Floats, league: Floats, days: NDArray[np.int64]) -> Floats:
    """Compute what earlier odds say of matches. One match and many give the same bits.

    Parameters
    ----------
    home, away
        [n, `MARKET_TEAM_STATE`] before the day of the match, NaN where unknown.
    league
        [n, `MARKET_LEAGUE_STATE`] before the day of the match.
    days
        [n] day of kick-off, in days since 1970.

    Returns
    -------
    NDArray
        [n, `MARKET_CONTEXT`]. Unless both teams have a match with odds in the last `RATED_DAYS` days, `odds_rated` is 0
        and the columns of the odds are NaN; those of `RESULT_CONTEXT` are always known.
    """
    of_home, of_away = (named_columns(state, MARKET_TEAM_STATE) for state in (home, away))
    of_league = named_columns(league, MARKET_LEAGUE_STATE)
    day = days.astype(np.float64)
    is_rated = are_rated(of_home["odds_day"], of_away["odds_day"], days)
    columns = _odds_columns(of_home, of_away, of_league, day)
    columns |= _result_columns(of_home, of_away, of_league, day)
    columns["odds_rated"] = is_rated.astype(np.float64)
    context = np.array([columns[name] for name in MARKET_CONTEXT])  # [columns, n]
    context[_FROM_ODDS[:, None] & ~is_rated] = np.nan
    return context.T


def _odds_columns(
    home: dict[str, Floats], away: dict[str, Floats], league: dict[str, Floats], days: Floats
) -> dict[str, Floats]:
    def supremacy(kind: str) -> Floats:
        return home[f"{kind}_strength"] - away[f"{kind}_strength"] + league[f"{kind}_home_advantage"]

    variance = league["odds_home_advantage_variance"]
    for side in (home, away):
        variance = variance + ODDS_SUPREMACY.variance_on(side["odds_variance"], days - side["odds_day"])
    expected = supremacy("odds")
    total = home["odds_total"] + away["odds_total"] + league["odds_total_level"]
    goals = [np.exp(np.clip(0.5 * (total + sign * expected), *_LOG_GOALS_RANGE)) for sign in (1.0, -1.0)]
    outcomes = outcome_probabilities(*goals)
    columns = {
        "odds_supremacy": expected,
        "odds_supremacy_variance": variance,
        "odds_total": total,
        "odds_home_goals": goals[0],
        "odds_away_goals": goals[1],
        "odds_p_home": outcomes.home,
        "odds_p_draw": outcomes.draw,
        "odds_p_away": outcomes.away,
        **{f"odds_{speed}_supremacy": supremacy(f"odds_{speed}") for speed in ("fast", "only", "slow")},
        "odds_step_home_log_goals": league["odds_home_log_goals"]
        + home["odds_attack"]
        - away["odds_defence"],
        "odds_step_away_log_goals": league["odds_away_log_goals"]
        + away["odds_attack"]
        - home["odds_defence"],
        "odds_elo_difference": home["odds_elo"] - away["odds_elo"] + league["odds_elo_home_advantage"],
    }
    for venue, state in (("home", home), ("away", away)):
        columns[f"{venue}_odds_strength"] = state["odds_strength"]
        columns[f"{venue}_odds_trend"] = state["odds_strength"] - state["odds_slow_strength"]
        for name in ("odds_residual_goals_for", "odds_residual_goals_against", "odds_residual_points"):
            columns[f"{venue}_{name}"] = state[name]
    return columns


def _result_columns(
    home: dict[str, Floats], away: dict[str, Floats], league: dict[str, Floats], days: Floats
) -> dict[str, Floats]:
    """Columns of the filter over results; a team without a match enters as newcomers do."""
    strengths = []
    variance = league["result_home_advantage_variance"]
    for side in (home, away):
        is_new = np.isnan(side["result_day"])
        strengths.append(np.where(is_new, league["result_entry"], side["result_strength"]))
        grown = RESULT_SUPREMACY.variance_on(side["result_variance"], days - side["result_day"])
        variance = variance + np.where(is_new, RESULT_SUPREMACY.team_variance, grown)
    supremacy = strengths[0] - strengths[1] + league["result_home_advantage"]
    return dict(zip(RESULT_CONTEXT, (supremacy, variance), strict=True))
