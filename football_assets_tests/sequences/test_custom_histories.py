"""Custom histories: the inputs that the asset graph builds from the same matches, and clear errors."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from football_assets.errors import FootballError, UnknownLeague
from football_assets.features.ratings import RatingConfig, rating_change
from football_assets.sequences.custom_histories import CustomMatch, CustomTeam, encode_custom
from football_assets.sequences.spec import DEFAULT_SPEC, Feature
from football_assets.sequences.state import Fixture, TeamState
from football_assets_tests.builders.worlds import NEVER_PLAYED, TRUTH, VILLAGE, SimulatedCountries

HISTORY = DEFAULT_SPEC.history_names
CONTEXT = DEFAULT_SPEC.context_names
KNOWN = ("Town 11", "Town 12")


@pytest.fixture(scope="module")
def state(countries: SimulatedCountries) -> TeamState:
    tables = countries.tables.of(TRUTH)
    return TeamState(tables.team_state(), DEFAULT_SPEC)


@pytest.fixture
def kickoff(state: TeamState) -> date:
    return state.as_of + timedelta(days=3)


def custom_from(countries: SimulatedCountries, name: str, kickoff: date, count: int) -> CustomTeam:
    """A known team's last matches, as a person would give them."""
    played = countries.tables.of(TRUTH).team_matches.filter(
        pl.col("is_played") & (pl.col("team_id") == f"eng:{name}")
    )
    return CustomTeam(
        [
            CustomMatch(
                goals_for=row["goals_for"],
                goals_against=row["goals_against"],
                is_home=row["is_home"],
                days_ago=(kickoff - row["kickoff_date"]).days,
                opponent=row["opponent_id"].removeprefix("eng:"),
                is_cup=row["is_cup"],
            )
            for row in played.sort("kickoff_date").tail(count).iter_rows(named=True)
        ]
    )


def columns(tensor: np.ndarray, names: list[str], wanted: list[str]) -> np.ndarray:
    return tensor[..., [names.index(name) for name in wanted]]


def test_a_known_teams_matches_given_by_hand_are_its_inputs_in_the_graph(
    countries: SimulatedCountries, state: TeamState, kickoff: date
) -> None:
    home, away = (custom_from(countries, name, kickoff, 40) for name in KNOWN)

    found = encode_custom(state, "Premier League", kickoff, home, away)

    expected = state.encode([Fixture("eng.1", *KNOWN, kickoff)])
    plain = ["goals_for", "goals_against", "is_home", "rest_days", "is_cup", "observed"]
    for side in ("home_history", "away_history"):
        mine, theirs = getattr(found.batch, side), getattr(expected, side)
        assert mine.dtype == np.float32
        assert mine.shape == theirs.shape
        np.testing.assert_array_equal(columns(mine, HISTORY, plain), columns(theirs, HISTORY, plain))
    form = [
        f"{side}_{name}"
        for side in ("home", "away")
        for name in ("points_10", "goals_for_10", "goals_against_10", "venue_points_5", "rest_days")
    ]
    form += ["league_home_goals", "league_away_goals", "tier", "is_cup"]
    np.testing.assert_array_equal(
        columns(found.batch.context, CONTEXT, form), columns(expected.context, CONTEXT, form)
    )
    assert found.batch.context.dtype == np.float32
    assert (found.league_id, found.league_name, found.unknown_opponents) == ("eng.1", "Premier League", ())
    # The ratings forget where they began, and end near those of the whole history.
    elo = columns(found.batch.context, CONTEXT, ["home_elo", "away_elo"])
    assert np.abs(elo - columns(expected.context, CONTEXT, ["home_elo", "away_elo"])).max() < 60


def test_a_season_is_not_known_and_matches_are_counted(
    countries: SimulatedCountries, state: TeamState, kickoff: date
) -> None:
    home = custom_from(countries, KNOWN[0], kickoff, 13)

    batch = encode_custom(state, "eng.1", kickoff, home, CustomTeam()).batch

    context = dict(zip(CONTEXT, batch.context[0].tolist(), strict=True))
    assert (context["home_matches_known"], context["away_matches_known"]) == (13, 0)
    assert (context["home_season_played"], context["away_season_played"]) == (0, 0)
    assert np.isnan(context["home_season_points_per_match"])
    assert np.isnan([context["away_points_10"], context["away_rest_days"]]).all()
    assert not batch.away_history.any()
    assert context["away_elo"] == np.float32(state.league_ratings("eng.1").entry[0])


def test_only_the_last_matches_become_the_sequence_whatever_their_order(
    countries: SimulatedCountries, state: TeamState, kickoff: date
) -> None:
    home = custom_from(countries, KNOWN[0], kickoff, 12)
    backwards = replace(home, history=home.history[::-1])

    one, other = (
        encode_custom(state, "eng.1", kickoff, team, CustomTeam()).batch for team in (home, backwards)
    )

    np.testing.assert_array_equal(one.home_history, other.home_history)
    np.testing.assert_array_equal(one.context, other.context)
    days = [match.days_ago for match in home.history]
    assert columns(one.home_history, HISTORY, ["rest_days"])[0, :, 0].tolist() == [
        earlier - later for earlier, later in pairwise(days[1:])
    ]


def test_the_rest_before_the_first_given_match_is_not_known_and_padding_is_on_the_left(
    state: TeamState, kickoff: date
) -> None:
    home = CustomTeam([CustomMatch(2, 1, True, 5), CustomMatch(0, 3, False, 12)])

    batch = encode_custom(state, "eng.1", kickoff, home, CustomTeam()).batch

    rows = columns(batch.home_history, HISTORY, ["goals_for", "is_home", "rest_days", "observed"])[0]
    assert not rows[:-2].any()
    np.testing.assert_array_equal(rows[-2:], [[0, 0, np.nan, 1], [2, 1, 7, 1]])
    context = dict(zip(CONTEXT, batch.context[0].tolist(), strict=True))
    assert (context["home_points_10"], context["home_venue_points_5"], context["home_rest_days"]) == (
        1.5,
        3,
        5,
    )


@pytest.mark.parametrize("count", [1, 10, 50])
def test_ratings_move_as_in_a_walk_from_match_to_match(
    countries: SimulatedCountries, state: TeamState, kickoff: date, count: int
) -> None:
    home = replace(custom_from(countries, KNOWN[0], kickoff, count), elo=1900.0)
    away = CustomTeam([CustomMatch(30, 0, i % 2 == 0, 1 + i) for i in range(count // 2)], elo=100.0)
    league = state.league_ratings("eng.1")

    batch = encode_custom(state, "eng.1", kickoff, home, away).batch

    for side, team in (("home", home), ("away", away)):
        ratings = np.array([team.elo, *league.entry[1:]])
        seen = []
        for match in sorted(team.history, key=lambda match: -match.days_ago):
            opponent = (
                league.entry
                if match.opponent is None
                else state.team_ratings("eng.1", f"eng:{match.opponent}")
            )
            seen.append([*ratings, *opponent])
            pair, goals = [ratings, opponent], [match.goals_for, match.goals_against]
            order = slice(None) if match.is_home else slice(None, None, -1)
            change = rating_change(
                np.array([pair[order]]), league.goals[None], np.array([goals[order]], float), RatingConfig()
            )
            ratings = ratings + change[0, 0 if match.is_home else 1]
        names = ["elo", "attack", "defence", "opponent_elo", "opponent_attack", "opponent_defence"]
        kept = min(len(seen), DEFAULT_SPEC.history_length)
        if kept:
            found = columns(getattr(batch, f"{side}_history")[0, -kept:], HISTORY, names)
            np.testing.assert_allclose(found, np.array(seen)[-kept:], rtol=1e-6, atol=1e-6)
        after = columns(batch.context[0], CONTEXT, [f"{side}_{name}" for name in names[:3]])
        np.testing.assert_allclose(after, ratings, rtol=1e-6, atol=1e-6)


def test_a_win_away_is_worth_more_than_a_win_at_home(state: TeamState, kickoff: date) -> None:
    at_home, away = (CustomTeam([CustomMatch(1, 0, is_home, 7)]) for is_home in (True, False))

    batch = encode_custom(state, "eng.1", kickoff, at_home, away).batch

    home_elo, away_elo = columns(batch.context[0], CONTEXT, ["home_elo", "away_elo"])
    assert state.league_ratings("eng.1").entry[0] < home_elo < away_elo


def test_an_opponent_has_its_known_ratings_or_the_given_elo_or_those_of_newcomers(
    state: TeamState, kickoff: date
) -> None:
    entry = state.league_ratings("eng.1").entry
    home = CustomTeam(
        [
            CustomMatch(1, 1, True, 40, opponent="TOWN 12", opponent_elo=3000.0),
            CustomMatch(1, 1, True, 30, opponent="Rovers", opponent_elo=1700.0),
            CustomMatch(1, 1, True, 20, opponent="Wanderers"),
            CustomMatch(1, 1, True, 10),
            CustomMatch(1, 1, True, 5, opponent=NEVER_PLAYED[0]),
        ]
    )

    found = encode_custom(
        state, "eng.1", kickoff, home, CustomTeam([CustomMatch(0, 0, True, 3, "Wanderers")])
    )

    rows = columns(found.batch.home_history, HISTORY, ["opponent_elo", "opponent_attack", "opponent_defence"])
    expected = [
        state.team_ratings("eng.1", "eng:Town 12"),
        [1700, *entry[1:]],
        entry,
        entry,
        entry,
    ]
    np.testing.assert_array_equal(rows[0, -5:], np.array(expected, dtype=np.float32))
    assert found.unknown_opponents == ("Wanderers",)


def test_without_any_history_both_teams_enter_as_newcomers(state: TeamState, kickoff: date) -> None:
    batch = encode_custom(state, "eng.2", kickoff, CustomTeam(), CustomTeam(elo=1650.0)).batch

    assert len(batch) == 1
    assert not batch.home_history.any()
    home_elo, away_elo = columns(batch.context[0], CONTEXT, ["home_elo", "away_elo"])
    assert (home_elo, away_elo) == (np.float32(state.league_ratings("eng.2").entry[0]), 1650)


GOOD = CustomMatch(1, 0, True, 7)


@pytest.mark.parametrize(
    ("team", "message"),
    [
        (
            CustomTeam([GOOD, replace(GOOD, goals_for=-1)]),
            "Match 2 of the away team: -1 goals are not between",
        ),
        (CustomTeam([replace(GOOD, goals_against=31)]), "31 goals are not between 0 and 30"),
        (CustomTeam([replace(GOOD, days_ago=0)]), "0 days ago is not before the day of the kick-off"),
        (CustomTeam([replace(GOOD, days_ago=-3)]), "-3 days ago is not before"),
        (CustomTeam([GOOD, replace(GOOD, goals_for=3)]), "The away team has two matches 7 days ago"),
        (
            CustomTeam([replace(GOOD, opponent_elo=float("nan"))]),
            "opponent's Elo rating of nan is not between",
        ),
        (CustomTeam(elo=9000.0), "The away team's Elo rating of 9000.0 is not between 0 and 4000"),
        (
            CustomTeam([replace(GOOD, days_ago=day) for day in range(1, 52)]),
            "has 51 matches: give its last 50",
        ),
    ],
)
def test_a_history_that_cannot_be_is_refused(
    state: TeamState, kickoff: date, team: CustomTeam, message: str
) -> None:
    with pytest.raises(FootballError, match=message):
        encode_custom(state, "eng.1", kickoff, CustomTeam(), team)


def test_ratings_of_the_kickoffs_day_or_later_are_refused(state: TeamState) -> None:
    team = CustomTeam([replace(GOOD, opponent=VILLAGE)])
    last = state.last_match(f"eng:{VILLAGE}")
    assert last is not None

    with pytest.raises(FootballError) as error:
        encode_custom(state, "eng.1", last, team, CustomTeam())
    assert str(error.value) == (
        f"The ratings of '{VILLAGE}' are of {last} and the kick-off is on {last}: choose a later day, or give the "
        "opponent's Elo rating without its name."
    )
    encode_custom(state, "eng.1", last + timedelta(days=1), team, CustomTeam())


def test_the_league_must_be_known(state: TeamState, kickoff: date) -> None:
    with pytest.raises(UnknownLeague):
        encode_custom(state, "handball", kickoff, CustomTeam(), CustomTeam())


def test_an_input_that_given_matches_do_not_have_is_told(
    countries: SimulatedCountries, state: TeamState, kickoff: date
) -> None:
    odds = Feature(name="points", unit="points", lower=0, upper=3, description="Points.")
    spec = DEFAULT_SPEC.model_copy(update={"history": (*DEFAULT_SPEC.history, odds)})
    tables = countries.tables.of(TRUTH)
    table = tables.team_state(spec)

    with pytest.raises(FootballError, match="custom matches do not have: points"):
        encode_custom(TeamState(table, spec), "eng.1", kickoff, CustomTeam(), CustomTeam())
