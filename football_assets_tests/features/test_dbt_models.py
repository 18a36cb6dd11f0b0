"""The dbt models: values by hand, values by a plain loop, and the as-of rule."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.domain.columns import country_column
from football_assets.domain.measures import MEASURE_COLUMNS
from football_assets_tests.builders.worlds import match_id
from football_assets_tests.features.conftest import HAND_COUNTRY, REWRITTEN_FROM, Features

SIDES = ("home", "away")


@pytest.fixture(scope="module")
def by_hand(features: Features) -> dict[int, dict[str, Any]]:
    """Features of the matches written by hand, by their place in HAND_COUNTRY."""
    rows = {row["match_id"]: row for row in features.table("match_features", "han").rows(named=True)}
    return {number: rows[match_id("han", number)] for number in range(len(HAND_COUNTRY))}


def test_form_of_a_fixture_is_that_of_all_earlier_matches(by_hand: dict[int, dict[str, Any]]) -> None:
    fixture = by_hand[5]  # Ash, who won 2-0, drew 0-0 and lost 1-2, meets Birch, who lost 0-2 and won 3-1
    assert fixture["home_points_5"] == fixture["home_points_10"] == 4 / 3
    assert fixture["home_goals_for_5"] == 1.0
    assert fixture["home_goals_against_10"] == 2 / 3
    assert (fixture["away_points_5"], fixture["away_goals_for_5"], fixture["away_goals_against_5"]) == (
        1.5,
        1.5,
        1.5,
    )
    assert (fixture["home_matches_known"], fixture["away_matches_known"]) == (3, 2)


def test_venue_form_is_that_of_home_matches_at_home_and_of_away_matches_away(
    by_hand: dict[int, dict[str, Any]],
) -> None:
    fixture = by_hand[5]
    assert fixture["home_venue_points_5"] == 1.5
    assert fixture["home_venue_goals_against_5"] == 1.0
    assert fixture["away_venue_points_5"] == 0.0
    assert fixture["away_venue_goals_against_5"] == 2.0
    assert by_hand[4]["away_venue_points_5"] == 0.0  # Cedar has drawn at home and lost away


def test_rest_days_count_from_the_last_played_match(by_hand: dict[int, dict[str, Any]]) -> None:
    assert (by_hand[5]["home_rest_days"], by_hand[5]["away_rest_days"]) == (7, 14)
    assert by_hand[0]["home_rest_days"] is None
    assert by_hand[7]["home_rest_days"] == 350  # the fixture of 24 August has no result


def test_position_is_the_place_after_the_teams_last_day(by_hand: dict[int, dict[str, Any]]) -> None:
    # 17 August: Ash 4 points (+1), Cedar 4 (-1), Birch 3, Elm 2. 10 August: Ash 4, Birch 3, Elm 2, Cedar 1.
    fixture = by_hand[5]
    assert (fixture["home_season_position"], fixture["away_season_position"]) == (1, 2)
    assert by_hand[4]["away_season_position"] == 4
    assert fixture["home_season_points_per_match"] == 4 / 3
    assert fixture["away_season_goal_difference_per_match"] == 0.0


def test_a_new_season_starts_from_nothing_but_keeps_the_form(by_hand: dict[int, dict[str, Any]]) -> None:
    opener = by_hand[7]
    assert (opener["home_season_played"], opener["away_season_played"]) == (0, 0)
    assert opener["home_season_points_per_match"] is None
    assert opener["home_season_position"] is None
    assert opener["home_points_5"] == 4 / 3


def test_teams_without_a_match_have_ratings_and_no_form(by_hand: dict[int, dict[str, Any]]) -> None:
    newcomers = by_hand[6]
    for side in SIDES:
        assert newcomers[f"{side}_matches_known"] == 0
        assert newcomers[f"{side}_points_5"] is None
        assert newcomers[f"{side}_venue_points_5"] is None
        assert newcomers[f"{side}_rest_days"] is None
        assert newcomers[f"{side}_elo"] == 1500.0


def test_matches_of_one_day_do_not_know_each_other(by_hand: dict[int, dict[str, Any]]) -> None:
    for match in (0, 1):
        assert by_hand[match]["home_matches_known"] == by_hand[match]["away_matches_known"] == 0


def test_a_staged_match_says_country_tier_teams_and_outcome(features: Features) -> None:
    staged = features.table("stg_matches", "han").rows(named=True)
    assert [row["outcome"] for row in staged] == [0, 1, 0, 1, 2, None, None, None]
    assert [row["is_played"] for row in staged] == [True] * 5 + [False] * 3
    assert {(row["country"], row["tier"]) for row in staged} == {("han", 1)}
    assert staged[0]["home_team_id"] == "han:Ash"
    assert set(MEASURE_COLUMNS) <= set(staged[0])
    cups = features.table("stg_matches").filter("is_cup")
    assert cups.height > 0
    assert cups["tier"].null_count() == cups.height


def test_a_team_match_is_the_match_from_one_side(features: Features) -> None:
    sides = features.table("team_matches", "han").filter(pl.col("match_id") == match_id("han", 2))
    assert sides.select(
        "team_id", "opponent_id", "is_home", "goals_for", "goals_against", "points"
    ).rows() == [
        ("han:Birch", "han:Cedar", True, 3, 1, 3),
        ("han:Cedar", "han:Birch", False, 1, 3, 0),
    ]


def test_cup_form_has_no_position(features: Features) -> None:
    form = features.table("team_form", "sim")
    in_cup = form.filter(pl.col("league_id") == "sim.cup")
    assert in_cup.height > 0
    assert in_cup["season_position"].null_count() == in_cup.height
    assert form.filter(pl.col("league_id") != "sim.cup")["season_position"].null_count() == 0


@dataclass
class Career:
    """What a plain loop remembers of a team."""

    played: list[tuple[bool, int, int]] = field(default_factory=list)  # at home, goals for, goals against
    last_day: date | None = None
    position: dict[tuple[str, str], int] = field(default_factory=dict)
    seasons: dict[tuple[str, str], list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))


def points(goals_for: int, goals_against: int) -> int:
    return 3 * (goals_for > goals_against) + (goals_for == goals_against)


def means(
    matches: list[tuple[bool, int, int]], count: int
) -> tuple[float | None, float | None, float | None]:
    last = matches[-count:]
    if not last:
        return None, None, None
    return (
        sum(points(scored, conceded) for _, scored, conceded in last) / len(last),
        sum(scored for _, scored, _ in last) / len(last),
        sum(conceded for _, _, conceded in last) / len(last),
    )


def plain_loop(world: pl.DataFrame) -> list[dict[str, Any]]:
    """The features of every match of `raw_matches`, one match after the other."""
    careers: dict[str, Career] = defaultdict(Career)
    rows = []
    in_order = world.sort("kickoff_date", "league_id", "match_id").rows(named=True)
    for day, group in groupby(in_order, lambda match: match["kickoff_date"]):
        matches = list(group)
        for match in matches:
            row: dict[str, Any] = {"match_id": match["match_id"]}
            for side in SIDES:
                career = careers[match[f"{side}_team"]]
                row |= {f"{side}_{name}": value for name, value in features_of(career, match, side).items()}
            rows.append(row)
        played = [match for match in matches if match["home_goals"] is not None]
        for match in played:
            for side, other in (SIDES, SIDES[::-1]):
                career = careers[match[f"{side}_team"]]
                score = (match[f"{side}_goals"], match[f"{other}_goals"])
                career.played.append((side == "home", *score))
                career.seasons[match["league_id"], match["season"]].append(score)
                career.last_day = day
        for match in played:
            key = (match["league_id"], match["season"])
            if match["is_cup"]:
                continue
            table = sorted(
                (name for name, career in careers.items() if career.seasons.get(key)),
                key=lambda name: (*league_line(careers[name].seasons[key]), name),
            )
            for side in SIDES:
                team = match[f"{side}_team"]
                careers[team].position[key] = table.index(team) + 1
    return rows


def league_line(results: list[tuple[int, int]]) -> tuple[int, int, int]:
    return (
        -sum(points(*result) for result in results),
        -sum(scored - conceded for scored, conceded in results),
        -sum(scored for scored, _ in results),
    )


def features_of(career: Career, match: dict[str, Any], side: str) -> dict[str, Any]:
    key = (match["league_id"], match["season"])
    season = career.seasons.get(key, [])
    at_venue = [result for result in career.played if result[0] == (side == "home")]
    values: dict[str, Any] = {
        "rest_days": (match["kickoff_date"] - career.last_day).days if career.last_day else None,
        "matches_known": len(career.played),
        "season_played": len(season),
        "season_points_per_match": sum(points(*result) for result in season) / len(season)
        if season
        else None,
        "season_goal_difference_per_match": sum(a - b for a, b in season) / len(season) if season else None,
        "season_position": career.position.get(key),
    }
    for prefix, matches, count in (("", career.played, 5), ("", career.played, 10), ("venue_", at_venue, 5)):
        for name, value in zip(("points", "goals_for", "goals_against"), means(matches, count), strict=True):
            values[f"{prefix}{name}_{count}"] = value
    return values


def test_every_feature_equals_that_of_a_plain_loop(features: Features) -> None:
    built = features.table("match_features", "sim")
    expected = pl.DataFrame(plain_loop(features.table("raw_matches", "sim")), infer_schema_length=None)
    assert expected.height == built.height > 100
    assert expected["home_points_10"].null_count() < expected.height / 2
    assert_frame_equal(built.select(expected.columns), expected, check_row_order=True, check_exact=True)


def test_ratings_in_the_features_are_those_before_the_match(features: Features) -> None:
    ratings = features.table("team_ratings", "sim")
    built = features.table("match_features", "sim")
    for side in SIDES:
        joined = built.join(
            ratings, left_on=["match_id", f"{side}_team_id"], right_on=["match_id", "team_id"], how="left"
        )
        assert joined[f"{side}_elo"].equals(joined["elo"], null_equal=False)
        assert joined[f"{side}_attack"].equals(joined["attack"], null_equal=False)
        assert joined[f"{side}_defence"].equals(joined["defence"], null_equal=False)
        assert joined["league_away_goals"].equals(joined["league_away_goals_right"], null_equal=False)


def test_results_on_and_after_a_day_move_no_feature_of_that_day_or_earlier(features: Features) -> None:
    names = [
        name
        for name in features.table("match_features").columns
        if name.startswith(("home_", "away_", "league_"))
    ]
    names = [name for name in names if name.removesuffix("_id") not in {"home_team", "away_team", "league"}]
    outcome = {"home_goals", "away_goals"}
    known = [
        features.table("match_features", country)
        .filter(pl.col("kickoff_date") <= REWRITTEN_FROM)
        .with_columns(pl.col("match_id").str.slice(6).alias("number"))
        .sort("number")
        for country in ("sim", "alt")
    ]
    kept = set(known[0]["number"]) & set(known[1]["number"])
    same = [table.filter(pl.col("number").is_in(kept)) for table in known]
    assert same[0].filter(pl.col("kickoff_date") == REWRITTEN_FROM).height > 0
    assert not same[0]["home_goals"].equals(same[1]["home_goals"])  # the day itself was rewritten
    assert_frame_equal(*(table.select(*sorted(set(names) - outcome)) for table in same), check_exact=True)
    later = [
        features.table("match_features", country).filter(pl.col("kickoff_date") > REWRITTEN_FROM)
        for country in ("sim", "alt")
    ]
    assert later[0]["home_elo"].mean() != later[1]["home_elo"].mean()


def test_tables_are_in_order_of_country_day_league_and_match(features: Features) -> None:
    for name, keys in {
        "stg_matches": ["kickoff_date", "league_id", "match_id"],
        "team_matches": ["kickoff_date", "league_id", "match_id", "team_id"],
        "team_form": ["kickoff_date", "league_id", "match_id", "team_id"],
        "match_features": ["kickoff_date", "league_id", "match_id"],
    }.items():
        table = features.table(name)
        assert_frame_equal(table, table.sort(country_column(), *keys), check_exact=True)
