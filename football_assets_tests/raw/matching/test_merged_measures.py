"""Measures of the entries of a match, merged group by group."""

from itertools import permutations
from typing import Any

import polars as pl
import pytest

from football_assets.domain.measures import MEASURE_COLUMNS
from football_assets.raw.matches import ReadMatches
from football_assets.raw.matching.merged_measures import with_measures
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put, read_season

SCHEMA = {"row": pl.Int32, **dict.fromkeys(MEASURE_COLUMNS, pl.Float64)}
HEADER = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,HTHG,HTAG,HS,AS,AvgCH,AvgCD,AvgCA"


def read(bucket: Bucket) -> ReadMatches:
    return read_season(bucket, "2014-15", TODAY)


def measures(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def matches(entries: dict[int, list[int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {"row": entries.keys(), "entries": entries.values()},
        schema={"row": pl.Int32, "entries": pl.List(pl.Int32)},
    )


def test_each_group_is_that_of_the_first_entry_that_has_it() -> None:
    found = with_measures(
        matches({4: [4, 1, 9], 2: [2]}),
        measures(
            {"row": 1, "home_shots": 3, "away_shots": 4},
            {"row": 2, "home_corners": 8, "away_corners": 0},
            {"row": 4, "home_corners": 5, "away_corners": 6},
            {"row": 9, "home_shots": 7, "away_shots": 7, "home_fouls": 1, "away_fouls": 2},
        ),
    )
    names = [f"{side}_{name}" for name in ("shots", "corners", "fouls") for side in ("home", "away")]
    assert found.columns == ["row", *MEASURE_COLUMNS]
    assert found.select("row", *names).rows() == [
        (4, 3, 4, 5, 6, 1, 2),
        (2, None, None, 8, 0, None, None),
    ]


def test_a_match_whose_entries_have_no_measures_has_none() -> None:
    found = with_measures(matches({3: [3, 5]}), measures({"row": 8, "home_shots": 3, "away_shots": 4}))
    assert found.select("row", *MEASURE_COLUMNS).row(0) == (3, *(None,) * len(MEASURE_COLUMNS))


SOURCES = {
    "a/2014-15/eng.1.json": json_of(listed("2014-08-16", "Fulham", "Burnley", "2-1", time="15:00")),
    "b/2014-15/eng.1.csv": csv_of("E0,16/08/14,Fulham,Burnley,2,1,,,12,9,,,", header=HEADER),
    "c/2014-15/eng.1.csv": csv_of("Sat Aug 16 2014,Fulham,2-1,1-0,Burnley"),
    "d/2014-15/eng.1.csv": csv_of("E0,17/08/14,Fulham,Burnley,2,1,0,1,4,5,2,3.5,4", header=HEADER),
}


@pytest.mark.parametrize("order", permutations(SOURCES))
def test_sources_complete_each_other_in_whatever_order_they_land(
    bucket: Bucket, order: tuple[str, ...]
) -> None:
    for age, name in enumerate(order):
        put(bucket, name, SOURCES[name], age=age)
    read_ = read(bucket)
    (match,) = read_.matches.iter_rows(named=True)
    assert (match["source"], match["home_goals"], match["away_goals"]) == ("a", 2, 1)
    known = {name: match[name] for name in MEASURE_COLUMNS if match[name] is not None}
    assert known == {
        "home_half_time_goals": 1,
        "away_half_time_goals": 0,
        "home_shots": 12,
        "away_shots": 9,
        "closing_odds_home": 2.0,
        "closing_odds_draw": 3.5,
        "closing_odds_away": 4.0,
    }
    assert read_.rejected.is_empty()


def test_a_rejected_score_brings_no_measures(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of("E0,16/08/14,Fulham,Burnley,3,1,3,0,12,9,,,", header=HEADER))
    read_ = read(bucket)
    (match,) = read_.matches.iter_rows(named=True)
    assert match["home_goals"] == 2
    assert match["home_half_time_goals"] is None
    assert match["home_shots"] is None
    assert read_.rejected["left_out"].to_list() == [None]


def test_odds_of_a_fixture_stay_when_its_result_comes_from_elsewhere(bucket: Bucket) -> None:
    fixture = csv_of("E0,16/08/14,Fulham,Burnley,2,3.5,4", header="Div,Date,HomeTeam,AwayTeam,AvgH,AvgD,AvgA")
    put(bucket, "b/2014-15/eng.1.csv", fixture)
    put(bucket, "c/2014-15/eng.1.csv", csv_of("Sun Aug 17 2014,Fulham,0-1,?,Burnley"))
    (match,) = read(bucket).matches.iter_rows(named=True)
    assert (match["source"], match["home_goals"], match["away_goals"]) == ("c", 0, 1)
    assert [match[f"pre_match_odds_{outcome}"] for outcome in ("home", "draw", "away")] == [2.0, 3.5, 4.0]
    assert match["closing_odds_home"] is None


def test_measures_of_two_sources_that_contradict_each_other_are_left_out(bucket: Bucket) -> None:
    header = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,HS,AS"
    put(bucket, "a/2014-15/eng.1.csv", csv_of("E0,16/08/14,Fulham,Burnley,2,1,3,9", header=header))
    on_target = csv_of("E0,16/08/14,Fulham,Burnley,2,1,4,2", header=header.replace("HS,AS", "HST,AST"))
    put(bucket, "b/2014-15/eng.1.csv", on_target)
    read_ = read(bucket)
    assert read_.matches.select("home_goals", "home_shots", "home_shots_on_target").rows() == [
        (2, None, None)
    ]
    assert read_.rejected.select("source_object", "line", "reason").rows() == [
        (
            "raw/a/2014-15/eng.1.csv",
            2,
            "The shots are left out: 4 and 2 on target are more than 3 and 9 shots.",
        )
    ]


def test_a_bad_measure_is_reported_with_its_columns_and_the_match_is_kept(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("E0,16/08/14,Fulham,Burnley,2,1,0,2,12,9,2,3,4", header=HEADER))
    read_ = read(bucket)
    assert read_.matches.select("home_goals", "home_half_time_goals", "home_shots").rows() == [(2, None, 12)]
    (row,) = read_.rejected.iter_rows(named=True)
    assert (row["country"], row["season"], row["line"]) == ("eng", "2014-15", 2)
    assert row["left_out"] == "home_half_time_goals, away_half_time_goals"
    assert row["record"] == "E0,16/08/14,Fulham,Burnley,2,1,0,2,12,9,2,3,4"
