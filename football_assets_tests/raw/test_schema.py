"""The schema of a match."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from football_assets.domain.measures import MEASURE_COLUMNS, STATISTIC_COLUMNS
from football_assets.raw.quality import broken_rules
from football_assets.raw.schema import Match

ROW: dict[str, Any] = {
    "match_id": "0123456789abcdef",
    "league_id": "eng.1",
    "season": "2014-15",
    "kickoff_date": date(2014, 8, 16),
    "kickoff_time": None,
    "home_team": "Leeds",
    "away_team": "Hull",
    "home_goals": 2,
    "away_goals": 1,
    "round": None,
    "is_cup": False,
    "odds_home": 2.0,
    "odds_draw": 3.5,
    "odds_away": 4.0,
    "source": "a",
    "source_object": "raw/a/2014-15/eng.1.csv",
    "source_version": "1",
}


def frame(*changes: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([ROW | change for change in changes], schema=Match.create_empty().schema)


def test_a_played_match_and_a_fixture_keep_to_the_schema() -> None:
    fixture = {"match_id": "f" * 16, "home_goals": None, "away_goals": None}
    assert broken_rules(frame({}, fixture)) == {}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"home_goals": None}, "score_is_whole"),
        ({"home_goals": 31}, "home_goals|max"),
        ({"away_goals": -1}, "away_goals|min"),
        ({"away_team": "Leeds"}, "teams_differ"),
        ({"odds_draw": None}, "odds_are_whole"),
        ({"odds_draw": 1.0}, "odds_draw|min_exclusive"),
        ({"closing_odds_over": 1.9}, "measures_are_whole"),
        ({"home_shots": 61, "away_shots": 9}, "home_shots|max"),
        (
            {"home_shots": 9, "away_shots": 4, "home_shots_on_target": 4, "away_shots_on_target": 9},
            "shots_on_target_are_shots",
        ),
        ({"home_half_time_goals": 1, "away_half_time_goals": 2}, "half_time_is_part_of_the_score"),
        ({"match_id": "short"}, "match_id|regex"),
        ({"season": "2014/15"}, "season|regex"),
        ({"kickoff_date": None}, "kickoff_date|nullability"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(change: dict[str, Any], rule: str) -> None:
    assert broken_rules(frame({"match_id": "f" * 16}, change)) == {rule: 1}


def test_two_rows_of_one_match_break_the_key() -> None:
    assert broken_rules(frame({}, {})) == {"primary_key": 2}


def test_other_columns_are_reported() -> None:
    assert broken_rules(frame({}).drop("season")) == {"schema": 1}


def test_every_column_is_described() -> None:
    assert all(column.description for column in Match.columns().values())


def test_the_measures_are_columns_of_a_match() -> None:
    columns = Match.columns()
    assert set(MEASURE_COLUMNS) <= set(columns)
    assert {str(columns[name].dtype) for name in STATISTIC_COLUMNS} == {"Int16"}
    assert all(columns[name].nullable for name in MEASURE_COLUMNS)
