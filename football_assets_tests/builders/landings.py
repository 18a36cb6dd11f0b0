"""A bucket with landing objects of known age, for the tests of the raw stage."""

import json
import os
from collections.abc import Collection
from datetime import date
from typing import Any

import polars as pl

from football_assets.raw.countries import landed_countries
from football_assets.raw.landing import inventory
from football_assets.raw.matches import ReadMatches, read_countries
from football_assets.storage.bucket import Bucket

TODAY = date(2016, 1, 1)
HEADER = "Date,Team 1,FT,HT,Team 2"
_EPOCH = 1_400_000_000


def put(bucket: Bucket, name: str, content: str | bytes, *, age: int = 0) -> None:
    """Write an object under raw/. The greater its age in hours, the older."""
    bucket.write(f"raw/{name}", content if isinstance(content, bytes) else content.encode())
    path = bucket.local_path(f"raw/{name}")
    assert path is not None
    os.utime(path, (_EPOCH - age * 3600, _EPOCH - age * 3600))


def csv_of(*rows: str, header: str = HEADER) -> str:
    """A footballcsv file."""
    return "\n".join([header, *rows]) + "\n"


def json_of(*matches: dict[str, Any], name: str = "Premier League 2014/15") -> str:
    """An openfootball file of the newer shape."""
    return json.dumps({"name": name, "matches": list(matches)}, ensure_ascii=False)


def listed(day: str, home: str, away: str, score: str | None = None, **more: Any) -> dict[str, Any]:
    """A match of the newer shape; `score` like 2-1."""
    match = {"date": day, "team1": home, "team2": away, **more}
    return match if score is None else match | {"score": {"ft": [int(goals) for goals in score.split("-")]}}


def read_seasons(bucket: Bucket, seasons: Collection[str], today: date) -> ReadMatches:
    """The rows of seasons among those of all countries, in order of season."""
    listed = inventory(bucket)
    read = read_countries(bucket, landed_countries(listed), today, listed=listed)
    matches, rejected = (
        table.filter(pl.col("season").is_in(list(seasons))) for table in (read.matches, read.rejected)
    )
    return ReadMatches(
        matches.sort("season", "kickoff_date", "league_id", "match_id"),
        rejected.sort("season", "source_object", "line", "path", "reason"),
    )


def read_season(bucket: Bucket, season: str, today: date) -> ReadMatches:
    """The rows of one season among those of all countries."""
    return read_seasons(bucket, [season], today)
