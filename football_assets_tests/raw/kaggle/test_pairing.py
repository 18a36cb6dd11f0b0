"""Which two history entries are the two sides of one match."""

from datetime import datetime
from typing import Any

import polars as pl

from football_assets.raw.kaggle.pairing import NO_OPPONENT, pair_entries

KICKOFF = datetime(2020, 1, 4, 15)
SCHEMA: dict[str, Any] = {
    "file": pl.String,
    "line": pl.Int64,
    "side": pl.String,
    "place": pl.Int32,
    "team": pl.String,
    "league": pl.Int64,
    "kickoff": pl.Datetime("us"),
    "is_home": pl.Boolean,
    "goals_for": pl.Int64,
    "goals_against": pl.Int64,
    "rating": pl.Float64,
    "opponent_rating": pl.Float64,
}


def entry(
    team: str,
    is_home: bool,
    goals: tuple[int, int],
    ratings: tuple[float | None, float | None] = (None, None),
    **other: Any,
) -> dict[str, Any]:
    """A team's entry: its own goals and rating come first."""
    place = {"file": "train.csv", "line": 2, "side": "home", "place": 1, "league": 8, "kickoff": KICKOFF}
    return {
        **place,
        "team": team,
        "is_home": is_home,
        "goals_for": goals[0],
        "goals_against": goals[1],
        "rating": ratings[0],
        "opponent_rating": ratings[1],
        **other,
    }


def paired(*entries: dict[str, Any]) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    """The matches (home, away, goals) and the reason of each team that is left over."""
    pairs, left = pair_entries(pl.DataFrame(list(entries), schema=SCHEMA))
    matches = pairs.select("home_team", "away_team", "home_goals", "away_goals").rows()
    return matches, dict(left.select("team", "reason").iter_rows())


def test_two_sides_with_mirrored_scores_and_ratings_are_one_match() -> None:
    home = entry("Alpha", True, (2, 1), (5.0, 4.0))
    away = entry("Beta", False, (1, 2), (4.0, 5.0), line=3, side="away", place=4)
    assert paired(home, away) == ([("Alpha", "Beta", 2, 1)], {})
    pairs, _ = pair_entries(pl.DataFrame([home, away], schema=SCHEMA))
    assert pairs.select("home_origin", "away_origin").row(0) == (
        "train.csv 2 home_team_history_1",
        "train.csv 3 away_team_history_4",
    )


def test_scores_that_are_equal_but_not_mirrored_are_no_match() -> None:
    assert paired(entry("Alpha", True, (2, 1)), entry("Beta", False, (2, 1))) == (
        [],
        {"Alpha": NO_OPPONENT, "Beta": NO_OPPONENT},
    )


def test_two_home_sides_another_league_or_another_kickoff_are_no_match() -> None:
    home = entry("Alpha", True, (1, 1))
    for other in (
        entry("Beta", True, (1, 1)),
        entry("Beta", False, (1, 1), league=9),
        entry("Beta", False, (1, 1), kickoff=datetime(2020, 1, 4, 16)),
        entry("Alpha", False, (1, 1)),
    ):
        assert paired(home, other)[0] == []


def test_ratings_that_differ_keep_entries_apart_with_that_reason() -> None:
    home = entry("Alpha", True, (2, 1), (5.0, 4.0))
    away = entry("Beta", False, (1, 2), (4.0, 5.1))
    reason = "The opponent is not named: such a match is listed only by teams with other ratings."
    assert paired(home, away) == ([], {"Alpha": reason, "Beta": reason})


def test_several_entries_that_fit_are_ambiguous() -> None:
    away = [entry(team, False, (1, 2)) for team in ("Beta", "Gamma")]
    matches, reasons = paired(entry("Alpha", True, (2, 1)), *away)
    assert matches == []
    assert reasons["Alpha"] == "The opponent is ambiguous: the histories of Beta, Gamma fit."
    may_be = "The opponent may be Alpha, but without ratings other matches at that time may be meant."
    assert {reasons["Beta"], reasons["Gamma"]} <= {
        may_be,
        "The opponent is ambiguous: the histories of Alpha fit.",
    }


def test_without_ratings_a_third_entry_at_that_time_makes_a_pair_uncertain() -> None:
    pair = [entry("Alpha", True, (2, 1)), entry("Beta", False, (1, 2))]
    assert paired(*pair)[0] == [("Alpha", "Beta", 2, 1)]
    matches, reasons = paired(*pair, entry("Gamma", True, (0, 0)))
    assert matches == []
    assert reasons["Alpha"].startswith("The opponent may be Beta, but without ratings")
    assert reasons["Gamma"] == NO_OPPONENT


def test_with_ratings_other_entries_at_that_time_do_no_harm() -> None:
    pair = [entry("Alpha", True, (2, 1), (5.0, 4.0)), entry("Beta", False, (1, 2), (4.0, 5.0))]
    other = [entry("Gamma", True, (2, 1), (6.0, 3.0)), entry("Delta", False, (1, 2), (3.0, 6.0))]
    assert sorted(paired(*pair, *other)[0]) == [("Alpha", "Beta", 2, 1), ("Gamma", "Delta", 2, 1)]
