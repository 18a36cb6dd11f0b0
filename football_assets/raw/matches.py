"""Landing objects of seasons to matches: read, judge, name clubs, merge.

Called by the raw assets, `football clubs` and benchmarks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import polars as pl

from football_assets.errors import ObjectNotFound, UnreadableObject
from football_assets.raw.formats.frames import REJECTION_SCHEMA as REFUSAL_SCHEMA
from football_assets.raw.formats.frames import FileContent, read_files, with_origins
from football_assets.raw.landing import Inventory, LandingObject, in_order, inventory
from football_assets.raw.matching.canonical_clubs import against_themselves, with_canonical_clubs
from football_assets.raw.matching.copied_lists import split_copied_lists
from football_assets.raw.matching.legs import pairs_that_meet_again
from football_assets.raw.matching.merging import merge
from football_assets.raw.neighbours import in_their_seasons, objects_to_read
from football_assets.raw.rules import (
    clean_names,
    odds_are_unusable,
    with_reasons,
    without_unusable_odds,
    without_void,
)
from football_assets.storage.bucket import Bucket, ObjectInfo


@dataclass(frozen=True)
class SeasonMatches:
    """Matches by `schema.Match`; what could not be used by REFUSAL_SCHEMA: object, line or JSON path, and why."""

    matches: pl.DataFrame
    rejected: pl.DataFrame


def read_season(bucket: Bucket, season: str, today: date) -> SeasonMatches:
    """`read_seasons` for one season."""
    return read_seasons(bucket, [season], today)


def read_seasons(
    bucket: Bucket, seasons: Sequence[str], today: date, *, listed: Inventory | None = None
) -> SeasonMatches:
    """Read, judge, name and merge the landing objects of seasons, beside those of the seasons that overlap them.

    The same objects give the same frames, in the same order, whenever they landed and whichever other seasons are
    read. A season without objects gives no rows.

    Parameters
    ----------
    seasons
        Labels like `2014-15` or `2014`.
    today
        Matches played after this day are refused.
    listed
        The inventory, where the caller has one.
    """
    listed = listed or inventory(bucket)
    wanted = set(seasons)
    read = _judged(bucket, _objects(listed, seasons), today)
    named = _named(read.rows)
    entries = in_their_seasons(named).filter(pl.col("season").is_in(wanted))
    own, copies = split_copied_lists(entries, named)
    sound, void = without_void(own)
    differing = sound.filter(pl.col("home_team") != pl.col("away_team"))
    merged = merge(without_unusable_odds(differing), pairs_that_meet_again(without_void(named)[0]))
    rejected = [
        _strays(listed, wanted),
        read.refusals.filter(pl.col("season").is_in(wanted)),
        read.rows.filter(pl.col("reason").is_not_null(), pl.col("season").is_in(wanted)),
        _copied_files(copies),
        void,
        against_themselves(sound),
        merged.rejected,
        differing.filter(odds_are_unusable()).with_columns(
            reason=pl.lit("The odds are left out: they are not three decimal odds above 1.")
        ),
    ]
    return _season_matches(merged.matches, rejected)


def _season_matches(matches: pl.DataFrame, rejected: Sequence[pl.DataFrame]) -> SeasonMatches:
    from football_assets.raw.schema import Match

    ordered = matches.sort("season", "kickoff_date", "league_id", "match_id").select(*Match.column_names())
    records = pl.concat([frame.select(*REFUSAL_SCHEMA) for frame in rejected])
    return SeasonMatches(
        matches=Match.validate(ordered, cast=True),
        rejected=records.sort("season", "source_object", "line", "path", "reason"),
    )


def _objects(listed: Inventory, seasons: Sequence[str]) -> list[LandingObject]:
    """The objects that the seasons' tables are made from, each once, in order of source and name."""
    found = {item.info.name: item for items in objects_to_read(listed, seasons).values() for item in items}
    return in_order(found.values())


def _copied_files(refused: pl.DataFrame) -> pl.DataFrame:
    """Objects that hold another league's list, by REFUSAL_SCHEMA."""
    return refused.with_columns(line=pl.lit(None, pl.Int64), path=pl.lit(None, pl.String), record=pl.lit(""))


def named_entries(bucket: Bucket, seasons: Sequence[str], today: date) -> pl.DataFrame:
    """The sound entries of all landing objects of seasons before they are merged, clubs by their canonical names.

    The sources' own names are in `home_name` and `away_name`. Parameters are those of `read_seasons`.
    """
    wanted = set(seasons)
    objects = [item for item in _objects(inventory(bucket), seasons) if item.season in wanted]
    return without_void(_named(_judged(bucket, objects, today).rows))[0]


class _Judged(NamedTuple):
    """All rows with the `reason` why they cannot be used, null where they can, and the refusals of the readers."""

    rows: pl.DataFrame
    refusals: pl.DataFrame


def _judged(bucket: Bucket, objects: Sequence[LandingObject], today: date) -> _Judged:
    entries, refusals = _read_all(bucket, objects)
    return _Judged(with_reasons(clean_names(entries), today), refusals)


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that can be used, clubs by their canonical names."""
    return with_canonical_clubs(rows.filter(pl.col("reason").is_null()).drop("reason"))


def _read_all(bucket: Bucket, objects: Sequence[LandingObject]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All objects' rows and refusals, with where they come from."""
    found, lost = _contents(bucket, objects)
    rows, refusals = read_files(
        [
            FileContent(data, item.extension, item.league.league_id if item.league.country else None)
            for item, data in found
        ]
    )
    origins = _origins([item for item, _ in found])
    unread = _whole_files((item.season, item.info, reason) for item, reason in lost)
    return (
        with_origins(rows, origins),
        pl.concat([with_origins(refusals, origins), unread], how="diagonal"),
    )


def _contents(
    bucket: Bucket, objects: Sequence[LandingObject]
) -> tuple[list[tuple[LandingObject, bytes]], list[tuple[LandingObject, str]]]:
    """The objects with their contents, and those that cannot be read any more, each with the reason."""
    found: list[tuple[LandingObject, bytes]] = []
    lost: list[tuple[LandingObject, str]] = []
    for item in objects:
        try:
            found.append((item, bucket.read(item.info.name)))
        except ObjectNotFound:
            lost.append((item, "The file was removed while it was being read."))
        except UnreadableObject as error:
            lost.append((item, f"The file cannot be opened: {error.reason}."))
    return found, lost


def _origins(objects: Sequence[LandingObject]) -> pl.DataFrame:
    """One row an object. `object_order` counts the objects in order of source, then name."""
    return pl.DataFrame(
        {
            "object_order": range(len(objects)),
            "season": [item.season for item in objects],
            "league_id": [item.league.league_id for item in objects],
            "country": [item.league.country for item in objects],
            "is_cup": [item.league.is_cup for item in objects],
            "source": [item.source for item in objects],
            "source_object": [item.info.name for item in objects],
            "source_version": [item.info.version for item in objects],
        },
        schema_overrides={
            "object_order": pl.Int32,
            "is_cup": pl.Boolean,
            **dict.fromkeys(
                ("season", "league_id", "country", "source", "source_object", "source_version"), pl.String
            ),
        },
    )


def _strays(listed: Inventory, wanted: set[str]) -> pl.DataFrame:
    """Objects in a season's folder whose name says no league or format, and files there that cannot be read."""
    return _whole_files(
        (stray.season, stray.info, stray.reason) for stray in listed.strays if stray.season in wanted
    )


def _whole_files(files: Iterable[tuple[str | None, ObjectInfo, str]]) -> pl.DataFrame:
    """Files that are refused as a whole, by REFUSAL_SCHEMA: season, object and reason of each."""
    refusals = [
        {
            "season": season,
            "source_object": info.name,
            "source_version": info.version,
            "reason": reason,
            "record": "",
        }
        for season, info, reason in files
    ]
    return pl.DataFrame(refusals, schema=REFUSAL_SCHEMA)
