"""Which entries of a pair at one ground are the same match."""

from datetime import date
from itertools import permutations

import polars as pl
import pytest

from football_assets.raw.matching.legs import (
    PAIR,
    Entry,
    LeagueContext,
    pairs_that_meet_again,
    resolve_legs,
    with_meetings_of_others,
)

Listing = tuple[int, str, str | None, str | None]
MEETS_AGAIN = LeagueContext(meets_again=True)
CUP = LeagueContext(is_cup=True)


def entry(row: int, listing: Listing) -> Entry:
    """An entry of an object on a day, in a round, with a score like 2-1 or None."""
    order, day, round_name, score = listing
    home, _, away = (score or "").partition("-")
    return Entry(order, row, date.fromisoformat(day), round_name, (int(home), int(away)) if score else None)


def legs_of(listings: list[Listing], league: LeagueContext = LeagueContext()) -> list[int]:  # noqa: B008
    found = dict(resolve_legs([entry(row, listing) for row, listing in enumerate(listings)], league))
    return [found[row] for row in range(len(listings))]


AUGUST, FEBRUARY = "2014-08-16", "2015-02-16"


@pytest.mark.parametrize(
    ("listings", "legs"),
    [
        # The same day is surer than a near one.
        (
            [(0, AUGUST, None, "0-0"), (0, "2014-08-19", None, "3-2"), (1, "2014-08-19", None, "3-2")],
            [0, 1, 1],
        ),
        # The same round is surer than a near day.
        (
            [
                (0, AUGUST, "Round 1", "1-0"),
                (0, "2014-09-30", "Round 2", "2-0"),
                (1, "2014-08-18", "Round 2", "2-0"),
            ],
            [0, 1, 1],
        ),
        # Two results with two scores on distant days are two matches.
        ([(0, AUGUST, None, "1-0"), (1, FEBRUARY, None, "2-0")], [0, 1]),
        # The same result on distant days is one match.
        ([(0, AUGUST, None, "1-0"), (1, FEBRUARY, None, "1-0")], [0, 0]),
        # Two scores on near days are one match of two lists, two matches of one list.
        ([(0, AUGUST, None, "1-0"), (1, "2014-08-18", None, "2-0")], [0, 0]),
        ([(0, AUGUST, None, "1-0"), (0, "2014-08-18", None, "2-0")], [0, 1]),
        # A fixture moves from list to list; one list has two fixtures.
        ([(0, AUGUST, None, None), (1, FEBRUARY, None, None)], [0, 0]),
        ([(0, AUGUST, None, None), (0, FEBRUARY, None, None)], [0, 1]),
        ([(0, AUGUST, "Matchday 2", None), (0, FEBRUARY, "Matchday 2", None)], [0, 0]),
        # A fixture joins the nearer of two results.
        ([(0, AUGUST, None, "1-0"), (0, FEBRUARY, None, "2-0"), (1, "2014-12-20", None, None)], [0, 1, 1]),
        # A list that has the first match has another fixture for the second.
        ([(0, AUGUST, None, "1-0"), (1, AUGUST, None, "1-0"), (1, FEBRUARY, None, None)], [0, 0, 1]),
        # In one list a fixture before the result is its old day, one after it is to be played.
        ([(0, AUGUST, None, None), (0, FEBRUARY, None, "1-0")], [0, 0]),
        ([(0, AUGUST, None, "1-0"), (0, FEBRUARY, None, None)], [0, 1]),
        # In one list another round is another match.
        ([(0, AUGUST, "Matchday 2", None), (0, FEBRUARY, "Matchday 24", "1-0")], [0, 1]),
        ([(0, AUGUST, "Matchday 2", "1-0"), (0, FEBRUARY, "Matchday 24", "1-0")], [0, 1]),
        # Between lists it is not: sources number rounds as they please.
        ([(0, AUGUST, "Matchday 2", None), (1, FEBRUARY, "Matchday 24", "1-0")], [0, 0]),
        # Sources call one round differently.
        ([(0, AUGUST, "2. Round", "1-0"), (1, "2014-09-16", "Matchday 2", "2-0")], [0, 0]),
        ([(0, AUGUST, "Apertura, Round 2", "1-0"), (1, "2014-09-16", "Apertura, Round 2", "2-0")], [0, 0]),
        ([(0, AUGUST, "Apertura, Round 2", "1-0"), (1, "2014-09-16", "Round 2", "2-0")], [0, 0]),
        # A stage is another match.
        ([(0, FEBRUARY, "Matchday 24", "1-0"), (1, "2015-05-16", "Playoffs, Semifinals", None)], [0, 1]),
        ([(0, FEBRUARY, None, "1-0"), (1, "2015-05-16", "Playoffs, Semifinals", None)], [0, 1]),
        ([(0, AUGUST, "Apertura, Matchday 2", "1-0"), (1, FEBRUARY, "Clausura, Matchday 7", None)], [0, 1]),
        # A round that names a whole stage does not merge results of different days.
        ([(0, AUGUST, "Stage", "1-0"), (0, "2014-09-16", "Stage", "2-0")], [0, 1]),
        # A file that repeats a line repeats the match.
        ([(0, AUGUST, None, None), (0, AUGUST, None, "1-0"), (1, "2014-08-17", None, "1-0")], [0, 0, 0]),
    ],
)
def test_entries_find_their_leg_in_any_order_of_the_objects(listings: list[Listing], legs: list[int]) -> None:
    assert legs_of(listings) == legs
    objects = sorted({listing[0] for listing in listings})
    for orders in permutations(objects):
        renumbered = [(orders[listing[0]], *listing[1:]) for listing in listings]
        assert legs_of(renumbered) == legs
        turned = legs_of(renumbered[::-1])[::-1]
        assert turned == legs


@pytest.mark.parametrize(
    ("listings", "legs"),
    [
        ([(0, AUGUST, None, "0-0"), (0, FEBRUARY, None, "0-0")], [0, 1]),
        ([(0, AUGUST, None, "0-0"), (1, FEBRUARY, None, "0-0")], [0, 1]),
        ([(0, AUGUST, "Regular", "0-0"), (0, FEBRUARY, "Regular", "0-0")], [0, 1]),
        ([(0, AUGUST, "Matchday 2", "0-0"), (0, FEBRUARY, "Matchday 2", "0-0")], [0, 0]),
        ([(0, AUGUST, None, "0-0"), (1, FEBRUARY, None, None)], [0, 1]),
        ([(0, AUGUST, "Matchday 2", "0-0"), (1, FEBRUARY, "Matchday 24", None)], [0, 1]),
        ([(0, AUGUST, "Matchday 2", None), (1, FEBRUARY, "2. Round", "0-0")], [0, 0]),
        ([(0, AUGUST, None, "0-0"), (1, "2014-09-05", None, None)], [0, 0]),
        ([(0, AUGUST, None, "0-0"), (1, "2014-09-07", None, None)], [0, 1]),
        ([(0, AUGUST, None, None), (1, FEBRUARY, None, "0-0")], [0, 0]),
        ([(0, AUGUST, None, None), (0, FEBRUARY, None, "0-0")], [0, 1]),
    ],
)
def test_where_other_pairs_meet_again_a_distant_entry_is_more_often_another_match(
    listings: list[Listing], legs: list[int]
) -> None:
    assert legs_of(listings, MEETS_AGAIN) == legs


def test_in_a_cup_a_round_beside_none_is_no_other_stage() -> None:
    listings: list[Listing] = [(0, FEBRUARY, None, "1-0"), (1, AUGUST, "Final", None)]
    assert legs_of(listings, CUP) == [0, 0]
    assert legs_of(listings) == [1, 0]


def test_pairs_meet_again_whose_results_in_one_list_differ() -> None:
    rows = [
        ("Ayr", 0, AUGUST, None, (1, 0)),  # twice
        ("Ayr", 0, FEBRUARY, None, (2, 0)),
        ("Bury", 0, AUGUST, None, (1, 0)),  # the same result twice proves nothing
        ("Bury", 0, FEBRUARY, None, (1, 0)),
        ("Clyde", 0, AUGUST, None, (1, 0)),  # nor do two lists
        ("Clyde", 1, FEBRUARY, None, (2, 0)),
        ("Derby", 0, AUGUST, "Matchday 3", (1, 0)),  # nor a play-off
        ("Derby", 0, FEBRUARY, "Playoffs, Semifinals", (2, 0)),
        ("Everton", 0, AUGUST, None, (1, 0)),  # nor a contradiction
        ("Everton", 0, AUGUST, None, (2, 0)),
        ("Gillingham", 0, AUGUST, "Matchday 3", (1, 0)),  # two numbered rounds do
        ("Gillingham", 0, FEBRUARY, "Matchday 25", (2, 0)),
    ]
    entries = pl.DataFrame(
        [
            ("2014-15", "eng.1", team, "Fulham", order, date.fromisoformat(day), round_name, *score)
            for team, order, day, round_name, score in rows
        ],
        schema=[*PAIR, "object_order", "kickoff_date", "round", "home_goals", "away_goals"],
        orient="row",
    )
    assert pairs_that_meet_again(entries)["home_team"].sort().to_list() == ["Ayr", "Gillingham"]


def test_others_meet_again_in_the_league_this_season_or_in_one_beside_it() -> None:
    def pairs(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
        return pl.DataFrame([(*row, "Fulham") for row in rows], schema=PAIR, orient="row")

    again = pairs([("2014-15", "sco.1", "Ayr"), ("2017-18", "sco.1", "Ayr"), ("2017-18", "sco.1", "Bury")])
    listed = {
        ("2014-15", "sco.1", "Ayr"): False,  # itself only
        ("2017-18", "sco.1", "Bury"): True,  # Ayr, too
        ("2014-15", "eng.1", "Derby"): False,
        ("2014-15", "sco.1", "Clyde"): True,
        ("2015-16", "sco.1", "Ayr"): True,  # the season before
        ("2013-14", "sco.1", "Bury"): True,  # the season after
        ("2012-13", "sco.1", "Bury"): False,
    }
    found = with_meetings_of_others(pairs(list(listed)), again)
    assert found.columns == [*PAIR, "meets_again"]
    assert [row[:3] for row in found.iter_rows()] == list(listed)
    assert found["meets_again"].to_list() == list(listed.values())
