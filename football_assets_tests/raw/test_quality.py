"""What the asset checks ask of the raw tables."""

from datetime import date
from typing import Any

import polars as pl

from football_assets.raw.countries import NO_COUNTRY
from football_assets.raw.landing import inventory
from football_assets.raw.matches import read_countries
from football_assets.raw.quality import (
    common_reasons,
    measure_coverage,
    played_after,
    rejected_share,
    stale_countries,
    unreadable_files,
    wholly_rejected,
)
from football_assets.raw.schema import Match
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, write_table
from football_assets_tests.builders.landings import TODAY, csv_of, put

TABLES = ("raw_matches", "raw_matches_rejected")


def materialize(bucket: Bucket, country: str) -> None:
    read = read_countries(bucket, [country], TODAY)
    for name, table in zip(TABLES, (read.matches, read.rejected), strict=True):
        write_table(bucket, name, table, country)


def stale(bucket: Bucket) -> list[str]:
    return stale_countries(bucket, inventory(bucket), [read_table(bucket, name) for name in TABLES])


def test_a_country_is_stale_if_a_file_is_new_changed_or_gone(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull"))
    put(bucket, "a/2014-15/eng.2.csv", "")
    materialize(bucket, "eng")
    materialize(bucket, "es")
    assert stale(bucket) == []
    put(bucket, "a/2013-14/fr.1.csv", csv_of())
    assert stale(bucket) == ["fr"]
    bucket.delete("raw/a/2013-14/fr.1.csv")
    bucket.write("raw/a/2014-15/eng.3.csv", csv_of().encode())
    assert stale(bucket) == ["eng"]
    materialize(bucket, "eng")
    assert stale(bucket) == []
    bucket.delete("raw/a/2014-15/eng.2.csv")
    assert stale(bucket) == ["eng"]


def test_a_result_after_today_is_found() -> None:
    matches = pl.DataFrame(
        {
            "kickoff_date": [date(2016, 1, 1), date(2016, 1, 2), date(2016, 1, 2)],
            "home_goals": [1, 1, None],
            "away_goals": [0, 2, None],
        }
    )
    assert played_after(matches, TODAY).height == 1


def test_the_share_of_rejected_records_is_counted_by_season() -> None:
    matches = pl.DataFrame({"season": ["2013-14"] * 3 + ["2014-15"]})
    rejected = pl.DataFrame(
        {"season": ["2013-14", "2014-15"], "left_out": [None, "home_shots, away_shots"]},
        schema={"season": pl.String, "left_out": pl.String},
    )
    assert rejected_share(matches, rejected).rows() == [("2013-14", 4, 1, 0.25), ("2014-15", 1, 0, 0.0)]


def test_files_are_told_that_are_rejected_as_a_whole() -> None:
    rejected = pl.DataFrame(
        [
            ("2014-15", "raw/a/2014-15/eng.1.csv", 3, None, "no day"),
            ("2014-15", "raw/a/2014-15/eng.2.json", None, "matches[0]", "no day"),
            ("2014-15", "raw/a/2014-15/de.1.json", None, None, "not results"),
            ("2014-15", "raw/a/2014-15/de.1.json", None, None, "not results"),
            ("2013-14", "raw/b/2013-14/de.1.json", None, None, "not results"),
        ],
        schema=["season", "source_object", "line", "path", "reason"],
        orient="row",
    )
    assert unreadable_files(rejected).rows() == [
        ("2013-14", "raw/b/2013-14/de.1.json", "not results"),
        ("2014-15", "raw/a/2014-15/de.1.json", "not results"),
    ]


def test_an_object_without_a_place_makes_the_partition_without_country_stale(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull"))
    put(bucket, "a/2014-15/README", "notes")
    put(bucket, "a/notes.txt", "of no season")
    materialize(bucket, "eng")
    materialize(bucket, NO_COUNTRY)
    assert read_table(bucket, TABLES[1])["country"].to_list() == [NO_COUNTRY]
    assert stale(bucket) == []
    bucket.write("raw/a/2014-15/README", b"other notes")
    assert stale(bucket) == [NO_COUNTRY]


def test_coverage_is_the_share_of_played_matches_that_have_a_measure() -> None:
    rows: list[dict[str, Any]] = [
        {"home_goals": 1, "odds_home": 2.0, "home_shots": 3},
        {"home_goals": 2, "bookmaker_odds_home": 2.0, "closing_odds_home": 2.0, "pre_match_odds_over": 2.0},
        {"home_goals": 0, "closing_handicap_line": 0.5},
        {"home_goals": None, "odds_home": 2.0, "home_shots": 3, "home_expected_goals": 1.0},
    ]
    matches = pl.DataFrame(
        [{"league_id": "eng.1", "season": "2014-15", "away_goals": 0, **row} for row in rows],
        schema=Match.create_empty().schema,
    )
    (row,) = measure_coverage(matches).iter_rows(named=True)
    assert row == {
        "league_id": "eng.1",
        "season": "2014-15",
        "played": 3,
        "odds": 66.7,
        "closing": 33.3,
        "over_under": 33.3,
        "handicap": 33.3,
        "shots": 33.3,
        "expected_goals": 0.0,
    }


def test_seasons_with_one_share_of_rejected_records_are_in_order() -> None:
    matches = pl.DataFrame({"season": ["2014-15", "2013-14"]})
    rejected = pl.DataFrame(
        {"season": ["2012-13", "2014-15", "2013-14"], "left_out": [None] * 3},
        schema_overrides={"left_out": pl.String},
    )
    assert rejected_share(matches, rejected).rows() == [
        ("2012-13", 1, 1, 1.0),
        ("2013-14", 2, 1, 0.5),
        ("2014-15", 2, 1, 0.5),
    ]


def test_reasons_that_differ_only_in_numbers_and_quoted_values_count_as_one() -> None:
    rejected = pl.DataFrame(
        [
            ("Leeds cannot play itself.", "a"),
            ("The date 'x' does not exist.", "b"),
            ("The match of 2014-08-16 has a score.", "c"),
            ("The date 'tomorrow' does not exist.", "d"),
            ("Hull cannot play itself.", "e"),
            ("The match of 2015-1-2 has a score.", "f"),
            ("The date '' does not exist.", "g"),
        ],
        schema=["reason", "source_object"],
        orient="row",
    )
    found = common_reasons(rejected)
    assert found.columns == ["records", "example", "object"]
    assert found.rows() == [
        (3, "The date 'x' does not exist.", "b"),
        (2, "The match of 2014-08-16 has a score.", "c"),
        (1, "Hull cannot play itself.", "e"),
        (1, "Leeds cannot play itself.", "a"),
    ]


def test_all_records_of_a_table_that_an_earlier_version_built_are_wholly_rejected() -> None:
    rejected = pl.DataFrame({"season": ["2014-15"], "reason": ["No."]})
    assert wholly_rejected(rejected).equals(rejected)
