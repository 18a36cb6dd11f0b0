"""Inputs of the network for two teams that the model has never seen, from last matches that a caller gives.

Called by serving. Every input is defined as in the asset graph: a history holds matches of earlier days, form counts
the last five and ten, and ratings move by the results as `features.ratings` moves them.
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
from football_assets.sequences.spec import OBSERVED, FeatureSpec
from football_assets.sequences.state import TeamState
from football_assets.sequences.state_inputs import FORM_COLUMNS, NO_SEASON, Sides

MOST_MATCHES = 50
MOST_CUSTOM_GOALS = 30
HIGHEST_ELO = 4000.0
_EXACT = 1e-9  # rating points; float32 inputs tell 1e-4 Elo points apart


@dataclass(frozen=True, slots=True)
class CustomMatch:
    """A played match as one of its teams saw it, so many days before the kick-off of the match to forecast.

    An opponent that the model knows has its ratings of today. Another has `opponent_elo` and otherwise the ratings of
    the league's newcomers.
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
    """A team by its last matches in any order, and its Elo rating before the first of them.

    Without an Elo rating it enters with that of the league's newcomers, as its attack and defence do.
    """

    history: Sequence[CustomMatch] = ()
    elo: float | None = None


@dataclass(frozen=True, slots=True)
class CustomInputs:
    """Inputs of one match, and which opponents were named in vain: not known, and without an Elo rating."""

    batch: SequenceBatch
    league_id: str
    league_name: str
    unknown_opponents: tuple[str, ...]


def encode_custom(
    state: TeamState, league: str, kickoff_date: date, home: CustomTeam, away: CustomTeam
) -> CustomInputs:
    """Inputs of the network for a match of two given teams.

    Parameters
    ----------
    state
        What the model knows of the league and of the opponents.
    league
        Identifier or name of the league to forecast in; the given matches count as played in it.
    kickoff_date
        Day of the match to forecast.
    home, away
        The two teams. Nothing is known of their seasons.

    Raises
    ------
    UnknownLeague
        The league is not known.
    FootballError
        A history cannot be: too many matches or goals, two on a day, one not before the kick-off, a rating out of
        range, an opponent whose known ratings are of the kick-off's day or later. The message names team and match.
    """
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
    )
    return CustomInputs(
        batch=SequenceBatch(
            home_history[None], away_history[None], state.encode_sides(league_id, kickoff_date, sides)
        ),
        league_id=league_id,
        league_name=league_of(league_id).name,
        unknown_opponents=tuple(dict.fromkeys(name for _, unknown in found for name in unknown)),
    )


def _ordered(team: CustomTeam, side: str) -> list[CustomMatch]:
    """The team's matches, the oldest first.

    Raises
    ------
    FootballError
        They cannot be.
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
    """Ratings of the opponents, `[matches, 3]`, and the names of those that have none but the league's newcomers'."""
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
    """Ratings of both teams before each of their matches and after the last, `[matches + 1, 2, 3]`.

    The team with fewer matches keeps its ratings from its last one on.

    Parameters
    ----------
    start
        Ratings of each team before its first match, `[2, 3]`.
    histories
        Of each team its matches, the oldest first.
    opponents
        Of each team the ratings of its opponents, `[matches, 3]`; they do not move.
    league_goals
        The league's mean goals, home and away.
    """
    count = max(map(len, histories))
    place = np.zeros((count, 2), dtype=np.intp)  # of each team in its match: 0 at home, 1 away
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
    sides, results = now.reshape(-1, 2, len(RATINGS)), goals.reshape(-1, 2)  # one row a team and match
    own = (np.arange(2 * count), place.reshape(-1))
    means = np.tile(league_goals, (2 * count, 1))
    steps = np.concatenate([start[None], np.zeros((count, 2, len(RATINGS)))])
    before = steps.cumsum(axis=0)
    # A match moves the ratings of later ones alone. So a round over all matches at once makes one more of them exact,
    # and in practice several: the result is that of a walk from match to match, in fewer steps.
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
    """The last matches as `TeamHistory` has them, `[length, features]`, the most recent last, left-padded."""
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
    }
    missing = [name for name in spec.history_names if name not in values]
    if missing:
        raise FootballError(f"The model needs inputs that given matches do not have: {', '.join(missing)}.")
    padded = np.zeros((spec.history_length, len(spec.history_names)), dtype=np.float32)
    kept = min(len(matches), spec.history_length)
    if kept:
        padded[-kept:] = np.stack([values[name] for name in spec.history_names], axis=1)[-kept:]
    return padded


def _form(matches: list[CustomMatch], is_home: bool) -> list[float]:
    """`FORM_COLUMNS` of a team that is to play at home or away."""
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
