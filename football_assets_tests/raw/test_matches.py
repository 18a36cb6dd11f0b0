"""Landing objects of a season to matches, whatever is among them."""

from datetime import date

import polars as pl
import pytest

from football_assets.raw.landing import inventory
from football_assets.raw.matches import REJECTED_SCHEMA, read_countries
from football_assets.raw.schema import Match
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import (
    TODAY,
    csv_of,
    json_of,
    listed,
    put,
    read_season,
    read_seasons,
)

LEEDS = "Sat Aug 16 2014,Fulham,2-1,?,Burnley"


def test_a_match_says_where_it_comes_from(bucket: Bucket) -> None:
    put(
        bucket,
        "openfootball/2014-15/de.cup.json",
        json_of(listed("2014-08-16", "Hannover 96", "SC Freiburg", "3-0", round="1")),
    )
    (match,) = read_season(bucket, "2014-15", TODAY).matches.iter_rows(named=True)
    info = bucket.stat("raw/openfootball/2014-15/de.cup.json")
    assert info is not None
    expected = {
        "league_id": "de.cup",
        "season": "2014-15",
        "kickoff_date": date(2014, 8, 16),
        "home_team": "Hannover 96",
        "away_team": "SC Freiburg",
        "home_goals": 3,
        "away_goals": 0,
        "round": "1",
        "is_cup": True,
        "source": "openfootball",
        "source_object": info.name,
        "source_version": info.version,
    }
    assert {name: match[name] for name in expected} == expected


def test_a_season_with_no_file_is_an_empty_valid_table(bucket: Bucket) -> None:
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.is_empty()
    assert Match.is_valid(read.matches)
    assert read.rejected.is_empty()
    assert dict(read.rejected.schema) == REJECTED_SCHEMA


def test_a_league_with_a_single_match_is_read(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(LEEDS))
    assert read_season(bucket, "2014-15", TODAY).matches.height == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("eng.2.json", '{"matches": [', "broken JSON"),
        ("eng.2.json", "", "empty"),
        ("eng.2.csv", "", "empty"),
        ("eng.2.json", "<!DOCTYPE html><html>Not found</html>", "HTML page"),
        ("eng.2.csv", "Date,HT,Team 1,Team 2\nSat Aug 16 2014,?,Fulham,Burnley\n", "lacks the column(s) ft"),
        ("eng.2.csv", b"\x00\x01\x02", "binary"),
        ("eng.2.json", '{"clubs": []}', "lists clubs"),
        ("championship.csv", csv_of(LEEDS), "not of the form country.tier"),
        ("eng.2.xml", "<results/>", "neither .json nor .csv"),
    ],
)
def test_an_object_that_cannot_be_read_is_recorded_and_stops_no_other(
    bucket: Bucket, name: str, content: str | bytes, reason: str
) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(LEEDS))
    put(bucket, f"a/2014-15/{name}", content)
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches["home_team"].to_list() == ["Fulham"]
    (row,) = read.rejected.iter_rows(named=True)
    assert (row["season"], row["source_object"]) == ("2014-15", f"raw/a/2014-15/{name}")
    assert (row["line"], row["path"]) == (None, None)
    assert reason in row["reason"]


def test_every_kind_of_bad_row_is_recorded_beside_the_good_ones(bucket: Bucket) -> None:
    rows = [
        LEEDS,
        "Sat Aug 16 2014,Watford",
        "Sat Aug 32 2014,Watford,1-0,?,Chelsea",
        "Sat Aug 16 2014,Watford,-1-0,?,Chelsea",
        "Sat Aug 16 2014,Watford,99-0,?,Chelsea",
        "Sat Aug 16 2014,Watford,1-0,?,Watford",
        "Sat Aug 16 2014,Fulham,1-0,?,Watford",
        "Sat Aug 23 2014,Watford,?,?,Chelsea",
    ]
    latin = csv_of(*rows, "Sat Aug 23 2014,Köln,1-1,?,Fürth").replace("\n", "\r\n").encode("latin-1")
    put(bucket, "a/2014-15/eng.1.csv", latin)
    read = read_season(bucket, "2014-15", TODAY)
    assert sorted(read.matches["home_team"]) == ["Fulham", "Koln", "Watford"]
    assert read.rejected["line"].to_list() == [3, 4, 5, 6, 7, 8]
    assert read.rejected["record"].to_list() == rows[1:7]
    assert read.rejected["reason"].null_count() == 0


def test_long_records_are_cut(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("x" * 2000))
    assert read_season(bucket, "2014-15", TODAY).rejected["record"].str.len_chars().to_list() == [500]


def test_seasons_read_together_are_the_seasons_read_alone(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(LEEDS, "broken"))
    put(bucket, "a/2015-16/eng.1.csv", csv_of("Sat Aug 15 2015,Fulham,0-0,?,Burnley", "broken"))
    put(bucket, "a/2015/se.1.csv", csv_of("Sat Aug 15 2015,AIK,0-0,?,Elfsborg"))
    seasons = ["2014-15", "2015", "2015-16"]
    together = read_seasons(bucket, seasons, TODAY)
    alone = [read_season(bucket, season, TODAY) for season in seasons]
    assert together.matches.equals(pl.concat([read.matches for read in alone]))
    assert together.rejected.equals(pl.concat([read.rejected for read in alone]))
    assert together.matches["season"].to_list() == seasons


def test_the_order_in_which_files_of_different_leagues_land_changes_nothing(bucket: Bucket) -> None:
    def tables(ages: tuple[int, int]) -> list[pl.DataFrame]:
        put(bucket, "a/2014-15/eng.1.csv", csv_of(LEEDS, "broken"), age=ages[0])
        put(bucket, "a/2014-15/es.1.csv", csv_of("Sat Aug 16 2014,Betis,2-1,?,Elche", "broken"), age=ages[1])
        read = read_season(bucket, "2014-15", TODAY)
        return [read.matches, read.rejected]

    for first, second in zip(tables((1, 2)), tables((2, 1)), strict=True):
        assert first.equals(second)


def test_matches_and_rejected_records_are_in_order(bucket: Bucket) -> None:
    leagues = ["de.1", "eng.1", "es.1", "fr.1", "it.1", "nl.1", "pt.1"]
    for league in leagues:
        put(bucket, f"a/2014-15/{league}.csv", csv_of("Sat Aug 16 2014,Arsenal,2-1,?,Sporting"))
    names = ["Spurs", "Ajax", "Milan"]
    rows = [listed("2014-08-16", name, name.lower()) for name in names]
    put(bucket, "b/2014-15/eng.2.json", json_of(*rows))
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches["league_id"].to_list() == leagues
    assert read.rejected.select("path", "reason").rows() == [
        (f"matches[{place}]", f"{name} cannot play itself.") for place, name in enumerate(names)
    ]


def test_an_object_deleted_after_it_was_listed_is_on_record(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(LEEDS))
    listed_before = inventory(bucket)
    bucket.delete("raw/a/2014-15/eng.1.csv")
    read = read_countries(bucket, ["eng"], TODAY, listed=listed_before)
    assert read.matches.is_empty()
    assert read.rejected.select("season", "source_object", "reason").rows() == [
        ("2014-15", "raw/a/2014-15/eng.1.csv", "The file was removed while it was being read.")
    ]
