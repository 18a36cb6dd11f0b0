"""What the asset checks ask of the raw tables."""

from datetime import date

import polars as pl

from football_assets.bucket import Bucket
from football_assets.raw.landing import inventory
from football_assets.raw.matches import read_season
from football_assets.raw.quality import (
    played_after,
    rejected_share,
    stale_seasons,
    unreadable_files,
)
from football_assets.tables import read_table, write_table
from football_assets_tests.raw.landings import TODAY, csv_of, put

TABLES = ("raw_matches", "raw_matches_rejected")


def materialise(bucket: Bucket, season: str) -> None:
    read = read_season(bucket, season, TODAY)
    for name, table in zip(TABLES, (read.matches, read.rejected), strict=True):
        write_table(bucket, name, table, season)


def stale(bucket: Bucket) -> list[str]:
    return stale_seasons(bucket, inventory(bucket), [read_table(bucket, name) for name in TABLES])


def test_a_season_is_stale_if_a_file_is_new_changed_or_gone(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull"))
    put(bucket, "a/2014-15/eng.2.csv", "")
    materialise(bucket, "2014-15")
    materialise(bucket, "2012-13")
    assert stale(bucket) == []
    put(bucket, "a/2013-14/eng.1.csv", csv_of())
    assert stale(bucket) == ["2013-14"]
    bucket.delete("raw/a/2013-14/eng.1.csv")
    bucket.write("raw/a/2014-15/eng.3.csv", csv_of().encode())
    assert stale(bucket) == ["2014-15"]
    materialise(bucket, "2014-15")
    assert stale(bucket) == []
    bucket.delete("raw/a/2014-15/eng.2.csv")
    assert stale(bucket) == ["2014-15"]


def test_a_result_after_today_is_found() -> None:
    matches = pl.DataFrame(
        {"kickoff_date": [date(2016, 1, 1), date(2016, 1, 2), date(2016, 1, 2)], "home_goals": [1, 1, None]}
    )
    assert played_after(matches, TODAY).height == 1


def test_the_share_of_rejected_records_is_counted_by_season() -> None:
    matches = pl.DataFrame({"season": ["2013-14"] * 3 + ["2014-15"]})
    rejected = pl.DataFrame({"season": ["2013-14"]})
    assert rejected_share(matches, rejected).rows() == [("2013-14", 4, 1, 0.25), ("2014-15", 1, 0, 0.0)]


def test_files_are_told_that_are_rejected_as_a_whole() -> None:
    rejected = pl.DataFrame(
        {
            "season": ["2014-15", "2014-15", "2013-14"],
            "source_object": [
                "raw/a/2014-15/eng.1.csv",
                "raw/a/2014-15/eng.2.json",
                "raw/a/2013-14/de.1.json",
            ],
            "line": [3, None, None],
            "path": [None, "matches[0]", None],
            "reason": ["no day", "no day", "not results"],
        }
    )
    assert unreadable_files(rejected).rows() == [("2013-14", "raw/a/2013-14/de.1.json", "not results")]
