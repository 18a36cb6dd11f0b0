"""Which objects are landing objects, and what their names mean."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from football_assets.raw.landing import LandingObject, StrayObject, inventory, parse_object_name
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

RESULTS = csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull")


def info(name: str) -> ObjectInfo:
    return ObjectInfo(name, "v", 1, datetime.now(UTC))


@pytest.mark.parametrize(
    ("name", "source", "season", "league_id"),
    [
        ("raw/openfootball/2014-15/en.1.json", "openfootball", "2014-15", "eng.1"),
        ("raw/footballcsv/cache/2014/se.1.CSV", "footballcsv/cache", "2014", "se.1"),
        ("raw/x/2014-2015/de.cup.json", "x", "2014-15", "de.cup"),
    ],
)
def test_an_objects_name_says_source_season_and_league(
    name: str, source: str, season: str, league_id: str
) -> None:
    placed = parse_object_name(info(name))
    assert isinstance(placed, LandingObject)
    assert (placed.source, placed.season, placed.league.league_id) == (source, season, league_id)


@pytest.mark.parametrize(
    ("name", "season"),
    [
        ("raw/x/eng.1.csv", None),
        ("raw/x/seasons/eng.1.csv", None),
        ("raw/x/2014-15/premier.csv", "2014-15"),
        ("raw/x/2014-15/eng.1.txt", "2014-15"),
        ("raw/x/2014-15/README", "2014-15"),
    ],
)
def test_an_object_without_a_place_is_a_stray(name: str, season: str | None) -> None:
    placed = parse_object_name(info(name))
    assert isinstance(placed, StrayObject)
    assert placed.season == season


def test_strays_are_listed_beside_the_landing_objects(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", RESULTS)
    put(bucket, "a/2013-14/notes.txt", "x")
    put(bucket, "notes.txt", "x")
    listing = inventory(bucket)
    assert [item.info.name for item in listing.objects] == ["raw/a/2014-15/eng.1.csv"]
    assert [item.info.name for item in listing.strays] == ["raw/a/2013-14/notes.txt", "raw/notes.txt"]
    assert listing.seasons == ["2013-14", "2014-15"]


def test_what_cannot_be_read_is_a_stray_of_the_nearest_season(bucket: LocalBucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", RESULTS)
    raw = bucket.root / "raw"
    for place in (b"", b"/a/2014-15", b"/a/2013-14/deep"):
        folder = os.fsencode(raw) + place
        Path(os.fsdecode(folder)).mkdir(parents=True, exist_ok=True)
        Path(os.fsdecode(folder + b"/K\xf6ln.csv")).write_text(RESULTS)
    os.mkfifo(raw / "a" / "2013-14" / "2010-11")
    (raw / "b").mkdir()
    (raw / "b" / "2012-13").symlink_to(raw / "a" / "2014-15")

    listing = inventory(bucket)

    assert [item.info.name for item in listing.objects] == ["raw/a/2014-15/eng.1.csv"]
    assert {stray.info.name: stray.season for stray in listing.strays} == {
        r"raw/K\xf6ln.csv": None,
        "raw/a/2013-14/2010-11": "2013-14",  # its own name is no folder
        r"raw/a/2013-14/deep/K\xf6ln.csv": "2013-14",
        r"raw/a/2014-15/K\xf6ln.csv": "2014-15",
        "raw/b/2012-13": "2012-13",
    }
    assert inventory(bucket) == listing  # or the sensor would read the season again and again
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.height == 1
    assert read.rejected.select("source_object", "reason").rows() == [
        (r"raw/a/2014-15/K\xf6ln.csv", "The name is not UTF-8.")
    ]
