"""Encode a match of two unknown teams from custom histories: last matches that the caller of serving sends.

Inputs are defined as in the asset graph: a history holds matches of earlier days, form is computed over the last five
and ten matches, and ratings follow the results as in `features.ratings`. The odds and shots of the matches are unknown.
`result_supremacy`, of the Kalman filter over results, is that of two new teams of the league.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.leagues import league_of
from football_assets.errors import FootballError
from football_assets.features.ratings import RATINGS, Floats, RatingConfig, rating_change
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.rating_context import check_odds
from football_assets.sequences.spec import FLAG, OBSERVED, FeatureSpec
from football_assets.sequences.state import TeamState
from football_assets.sequences.state_inputs import FORM_COLUMNS, NO_SEASON, Sides
from football_assets.sequences.tier_names import RESULTS

MOST_MATCHES = 50
MOST_CUSTOM_GOALS = 30
HIGHEST_ELO = 4000.0
_EXACT = 1e-9  # rating points; float32 inputs resolve 1e-4 Elo points


@dataclass(frozen=True, slots=True)
class CustomMatch:
    """A played match from the view of one of its teams, `days_ago` days before the kick-off of the match to forecast.

    An opponent that the model knows has its current ratings. Any other has `opponent_elo` and for the rest the ratings
    of the league's newcomers.
    """

    goals_for: int
    goals_against: int
    is_home: bool
    days_ago: int
    opponent: str | None = None
    opponent_elo: float | None = None
    is_cup: bool = False


@dataclass(frozen=True, slots=True)
class CustomTeam:
    """A team given by its last matches, in any order, and its Elo rating before the first of them.

    Attack and defence start at the ratings of the league's newcomers, and so does Elo if it is None.
    """

    history: Sequence[CustomMatch] = ()
    elo: float | None = None


@dataclass(frozen=True, slots=True)
class CustomInputs:
    """The inputs of one match, and the named opponents that are unknown and have no Elo rating."""

    batch: SequenceBatch
    league_id: str
    league_name: str
    unknown_opponents: tuple[str, ...]


def encode_custom(
    state: TeamState,
    league: str,
    kickoff_date: date,
    home: CustomTeam,
    away: CustomTeam,
    odds: tuple[float, float, float] | None = None,
) -> CustomInputs:
    """Encode a match of two teams with custom histories.

    Parameters
    ----------
    state
        Ratings of the league and of known opponents.
    league
        Identifier or name of the league; the custom matches count as played in it.
    kickoff_date
        Day of the match to forecast.
    home, away
        The two teams; their season totals are unknown.
    odds
        Pre-match decimal odds of home win, draw and away win; None: unknown.

    Raises
    ------
    UnknownLeague
        The league is not known.
    FootballError
        A history is invalid: too many matches or goals, two matches on a day, a match not before the kick-off, a
        rating out of range, an opponent whose last known match is not before the kick-off. The message names team and
        match. Or the odds are impossible.
    """
    if odds is not None:
        check_odds(odds)
    league_id = state.find_league(league)
    league_ratings = state.league_ratings(league_id)
    histories = [_ordered(team, side) for side, team in (("home", home), ("away", away))]
    found = [_opponents(history, state, league_id, kickoff_date) for history in histories]
    opponents = [ratings for ratings, _ in found]
    start = np.tile(league_ratings.entry, (2, 1))
    for side, team in enumerate((home, away)):
        if team.elo is not None:
            start[side, 0] = team.elo
    before = _rate(start, histories, opponents, league_ratings.goals, RatingConfig())
    home_history, away_history = (
        _history(state.spec, matches, before[: len(matches), team], opponents[team])
        for team, matches in enumerate(histories)
    )
    sides = Sides(
        ratings=before[-1][None],
        form=np.array([[_form(matches, side == 0) for side, matches in enumerate(histories)]]),
        season=np.stack([NO_SEASON] * 2)[None],
        rest_days=np.array([[matches[-1].days_ago if matches else np.nan for matches in histories]]),
        rated=state.unrated(),
    )
    return CustomInputs(
        batch=SequenceBatch(
            home_history[None], away_history[None], state.encode_sides(league_id, kickoff_date, sides, odds)
        ),
        league_id=league_id,
        league_name=league_of(league_id).name,
        unknown_opponents=tuple(dict.fromkeys(name for _, unknown in found for name in unknown)),
    )


def _ordered(team: CustomTeam, side: str) -> list[CustomMatch]:
    """Validate a team's matches and return them, the oldest first.

    Raises
    ------
    FootballError
        A match or the team is invalid.
    """
    if len(team.history) > MOST_MATCHES:
        raise FootballError(
            f"The {side} team has {len(team.history)} matches: give its last {MOST_MATCHES} at most."
        )
    _check_elo(team.elo, f"The {side} team's Elo rating")
    for number, match in enumerate(team.history, start=1):
        where = f"Match {number} of the {side} team"
        for goals in (match.goals_for, match.goals_against):
            if not 0 <= goals <= MOST_CUSTOM_GOALS:
                raise FootballError(f"{where}: {goals} goals are not between 0 and {MOST_CUSTOM_GOALS}.")
        if match.days_ago < 1:
            raise FootballError(
                f"{where}: {match.days_ago} days ago is not before the day of the kick-off: give 1 or more."
            )
        _check_elo(match.opponent_elo, f"{where}: the opponent's Elo rating")
    ordered = sorted(team.history, key=lambda match: -match.days_ago)
    for earlier, later in pairwise(ordered):
        if earlier.days_ago == later.days_ago:
            raise FootballError(
                f"The {side} team has two matches {later.days_ago} days ago: a team plays once a day."
            )
    return ordered


def _check_elo(elo: float | None, what: str) -> None:
    if elo is not None and not 0 <= elo <= HIGHEST_ELO:
        raise FootballError(f"{what} of {elo} is not between 0 and {HIGHEST_ELO:g} points.")


def _opponents(
    matches: list[CustomMatch], state: TeamState, league_id: str, kickoff_date: date
) -> tuple[Floats, list[str]]:
    """Look up the opponents' ratings, `[matches, 3]`, and the names of those that get only the newcomers' ratings."""
    entry = state.league_ratings(league_id).entry
    ratings = np.tile(entry, (len(matches), 1))
    unknown = []
    for row, match in enumerate(matches):
        team_id = None if match.opponent is None else state.known_team(league_id, match.opponent)
        if team_id is not None:
            last = state.last_match(team_id)
            if last is not None and last >= kickoff_date:
                raise FootballError(
                    f"The ratings of {match.opponent!r} are of {last} and the kick-off is on {kickoff_date}: choose a "
                    "later day, or give the opponent's Elo rating without its name."
                )
            ratings[row] = state.team_ratings(league_id, team_id)
        elif match.opponent_elo is not None:
            ratings[row, 0] = match.opponent_elo
        elif match.opponent is not None:
            unknown.append(match.opponent)
    return ratings, unknown


def _rate(
    start: Floats,
    histories: list[list[CustomMatch]],
    opponents: list[Floats],
    league_goals: Floats,
    config: RatingConfig,
) -> Floats:
    """Compute the ratings of both teams before each of their matches and after the last, `[matches + 1, 2, 3]`.

    The ratings of the team with fewer matches stay constant after its last one.

    Parameters
    ----------
    start
        Ratings of each team before its first match, `[2, 3]`.
    histories
        Each team's matches, the oldest first.
    opponents
        Ratings of each team's opponents, `[matches, 3]`; they do not change.
    league_goals
        The league's mean goals, home and away.
    """
    count = max(map(len, histories))
    place = np.zeros((count, 2), dtype=np.intp)  # 0 for a team at home, 1 away
    goals = np.zeros((count, 2, 2))  # [matches, teams, home and away]
    now = np.zeros((count, 2, 2, len(RATINGS)))  # [matches, teams, home and away, ratings]
    is_played = np.zeros((count, 2, 1))  # 1 or 0
    for team, matches in enumerate(histories):
        rows = np.arange(len(matches))
        away = np.array([not match.is_home for match in matches], dtype=np.intp)
        place[rows, team] = away
        goals[rows, team, away] = [match.goals_for for match in matches]
        goals[rows, team, 1 - away] = [match.goals_against for match in matches]
        now[rows, team, 1 - away] = opponents[team]
        is_played[rows, team] = 1.0
    sides, results = now.reshape(-1, 2, len(RATINGS)), goals.reshape(-1, 2)  # one row per team and match
    own = (np.arange(2 * count), place.reshape(-1))
    means = np.tile(league_goals, (2 * count, 1))
    steps = np.concatenate([start[None], np.zeros((count, 2, len(RATINGS)))])
    before = steps.cumsum(axis=0)
    # A match changes only the ratings of later matches. So each iteration over all matches at once makes at least one
    # more match exact, in practice several: the fixed point is the result of the sequential update, in fewer steps.
    for _ in range(count):
        sides[own] = before[:-1].reshape(-1, len(RATINGS))
        steps[1:] = rating_change(sides, means, results, config)[own].reshape(count, 2, -1) * is_played
        after = steps.cumsum(axis=0)
        moved = np.abs(after - before).max()
        before = after
        if moved < _EXACT:
            break
    return before


def _history(
    spec: FeatureSpec, matches: list[CustomMatch], before: Floats, opponents: Floats
) -> NDArray[np.float32]:
    """Encode the last matches as `TeamHistory` does, `[length, features]`, the most recent last, left-padded."""
    days_ago = np.array([match.days_ago for match in matches], dtype=np.float64)
    values: dict[str, Floats] = {
        "goals_for": np.array([match.goals_for for match in matches], dtype=np.float64),
        "goals_against": np.array([match.goals_against for match in matches], dtype=np.float64),
        "is_home": np.array([match.is_home for match in matches], dtype=np.float64),
        "is_cup": np.array([match.is_cup for match in matches], dtype=np.float64),
        "rest_days": -np.diff(days_ago, prepend=np.nan),
        OBSERVED: np.ones(len(matches)),
        **{name: before[:, i] for i, name in enumerate(RATINGS)},
        **{f"opponent_{name}": opponents[:, i] for i, name in enumerate(RATINGS)},
        **{
            feature.name: np.full(len(matches), 0.0 if feature.unit == FLAG else np.nan)
            for feature in spec.history
            if feature.group != RESULTS
        },
    }
    missing = [name for name in spec.history_names if name not in values]
    if missing:
        raise FootballError(f"The model needs inputs that custom matches do not have: {', '.join(missing)}.")
    padded = np.zeros((spec.history_length, len(spec.history_names)), dtype=np.float32)
    kept = min(len(matches), spec.history_length)
    if kept:
        padded[-kept:] = np.stack([values[name] for name in spec.history_names], axis=1)[-kept:]
    return padded


def _form(matches: list[CustomMatch], is_home: bool) -> list[float]:
    """Compute `FORM_COLUMNS` of a team that plays at home or away."""
    there = [match for match in matches if match.is_home == is_home]
    values = {"matches_known": float(len(matches))}
    for name, measure in _MEASURES.items():
        for window in (5, 10):
            values[f"{name}_{window}"] = _mean([measure(match) for match in matches[-window:]])
        values[f"venue_{name}_5"] = _mean([measure(match) for match in there[-5:]])
    return [values[column] for column in FORM_COLUMNS]


def _points(match: CustomMatch) -> int:
    if match.goals_for == match.goals_against:
        return 1
    return 3 if match.goals_for > match.goals_against else 0


_MEASURES: dict[str, Callable[[CustomMatch], int]] = {
    "points": _points,
    "goals_for": lambda match: match.goals_for,
    "goals_against": lambda match: match.goals_against,
}


def _mean(values: list[int]) -> float:
    return sum(values) / len(values) if values else math.nan
