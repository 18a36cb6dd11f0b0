"""Read the matches of countries from landing objects: parse, validate, map club names, merge.

Called by the raw assets, `football clubs` and benchmarks.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from football_assets.domain.columns import country_column
from football_assets.errors import ObjectNotFound, UnreadableObject
from football_assets.raw.countries import country_of, objects_of
from football_assets.raw.formats.frames import (
    REJECTION_SCHEMA,
    FileContent,
    of_rows,
    read_files,
    with_origins,
)
from football_assets.raw.landing import Inventory, LandingObject, in_order, inventory
from football_assets.raw.matching.additions import with_additions
from football_assets.raw.matching.canonical_clubs import against_themselves
from football_assets.raw.matching.copied_lists import split_copied_lists
from football_assets.raw.matching.entries import validate_rows
from football_assets.raw.matching.legs import pairs_that_meet_again
from football_assets.raw.matching.merged_measures import with_measures
from football_assets.raw.matching.merging import merge
from football_assets.raw.measure_rules import without_bad_measures, without_bad_plain_odds
from football_assets.raw.neighbours import in_their_seasons
from football_assets.raw.plain_odds import without_unsound_odds
from football_assets.raw.rules import (
    without_void,
)
from football_assets.storage.bucket import Bucket, ObjectInfo

REJECTED_SCHEMA: dict[str, type[pl.DataType]] = {"country": pl.String, **REJECTION_SCHEMA}
REJECTED_DESCRIPTIONS = {
    "country": "Country of the league in the object's name, the partition.",
    "season": "Season in the object's name.",
    "source_object": "Landing object of the record.",
    "source_version": "Version of the object that was read.",
    "line": "Line of the record, counted from 1; null in a JSON file.",
    "path": "JSON path of the record; null in a CSV file.",
    "reason": "Why the record, or the columns in `left_out`, are not in `raw_matches`.",
    "left_out": "Columns that are null in the match of the record; null if the whole record is rejected.",
    "record": "The record as the file has it.",
}

_GOALS = ["home_goals", "away_goals"]


@dataclass(frozen=True)
class ReadMatches:
    """Matches by `schema.Match`, and rejected records by REJECTED_SCHEMA: object, line or JSON path, and reason.

    Where the match is kept and some of its columns are left out, `left_out` names them; it is null for a record that
    is rejected as a whole.
    """

    matches: pl.DataFrame
    rejected: pl.DataFrame


def read_countries(
    bucket: Bucket, countries: Collection[str], today: date, *, listed: Inventory | None = None
) -> ReadMatches:
    """Parse, validate, name and merge the landing objects of countries, all seasons of each.

    The same objects give the same frames, in the same order, whenever they landed and whichever other countries are
    read: no rule compares records of two countries. A country without objects gives no rows.

    Parameters
    ----------
    countries
        Keys of `raw.countries`, such as `eng`.
    today
        Matches played after this day are rejected.
    listed
        Listing of the landing objects. None: the bucket is listed.
    """
    listed = listed or inventory(bucket)
    rows, unread, measures = _read_all(bucket, objects_of(listed, countries))
    valid, broken = validate_rows(rows, today)
    named, additions = valid.filter(~pl.col("is_addition")), valid.filter("is_addition")
    own, copies = split_copied_lists(in_their_seasons(named), named)
    sound, void = without_void(own)
    differing = sound.filter(pl.col("home_team") != pl.col("away_team"))
    measured = (
        pl.concat([differing, additions], how="diagonal")
        .select("row", *_GOALS)
        .join(measures, on="row", maintain_order="left")
    )
    measures, bad_measures = without_bad_measures(measured)
    usable, unsound = without_unsound_odds(differing, measured, measures)
    merged = merge(usable, pairs_that_meet_again(without_void(named)[0]))
    matches, without_match = with_additions(merged.matches, additions)
    together = with_measures(matches, measures.drop(_GOALS))
    clean, bad_merged = without_bad_measures(together)
    matches = without_bad_plain_odds(clean, together, clean)
    rejected = [
        _strays(listed, countries),
        unread,
        broken,
        _copied_files(copies),
        void,
        against_themselves(sound),
        merged.rejected,
        unsound,
        without_match,
        pl.concat([differing, additions], how="diagonal").join(
            pl.concat([bad_measures, bad_merged]), on="row"
        ),
    ]
    return _read_matches(matches, rejected)


def _read_matches(matches: pl.DataFrame, rejected: Sequence[pl.DataFrame]) -> ReadMatches:
    from football_assets.raw.schema import Match

    ordered = matches.sort(country_column(), "season", "kickoff_date", "league_id", "match_id")
    records = pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *rejected], how="diagonal")
    return ReadMatches(
        matches=Match.validate(ordered.select(*Match.column_names()), cast=True),
        rejected=records.select(*REJECTED_SCHEMA).sort(
            "country", "season", "source_object", "line", "path", "reason"
        ),
    )


def _copied_files(copies: pl.DataFrame) -> pl.DataFrame:
    """Return the objects that hold another league's list, by REJECTED_SCHEMA."""
    return copies.with_columns(
        country_column(), line=pl.lit(None, pl.Int64), path=pl.lit(None, pl.String), record=pl.lit("")
    )


def named_entries(bucket: Bucket, seasons: Collection[str], today: date) -> pl.DataFrame:
    """Read the valid entries of all landing objects of seasons, unmerged, with canonical club names.

    The sources' own names are in `home_name` and `away_name`.

    Parameters
    ----------
    seasons
        Labels like `2014-15` or `2014`.
    today
        Matches played after this day are rejected.
    """
    objects = in_order(item for item in inventory(bucket).objects if item.season in seasons)
    rows, _, _ = _read_all(bucket, objects)
    return without_void(validate_rows(rows, today).valid.filter(~pl.col("is_addition")))[0]


def _read_all(
    bucket: Bucket, objects: Sequence[LandingObject]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the rows and rejections of all objects, with their origins, and the measures by `row`."""
    found, lost = _contents(bucket, objects)
    read = read_files(
        [
            FileContent(data, item.extension, item.league.league_id if item.league.country else None)
            for item, data in found
        ]
    )
    origins = _origins([item for item, _ in found])
    unread = _whole_files((country_of(item), item.season, item.info, reason) for item, reason in lost)
    rows = with_origins(read.rows, origins)
    return (
        rows,
        pl.concat([with_origins(read.rejections, origins), unread], how="diagonal"),
        of_rows(read.measures, rows),
    )


def _contents(
    bucket: Bucket, objects: Sequence[LandingObject]
) -> tuple[list[tuple[LandingObject, bytes]], list[tuple[LandingObject, str]]]:
    """Return the objects with their contents, and those that cannot be read, with the reason."""
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
    """Return one row per object. `object_order` numbers them by source, then name."""
    return pl.DataFrame(
        {
            "object_order": range(len(objects)),
            "season": [item.season for item in objects],
            "league_id": [item.league.league_id for item in objects],
            "country": [country_of(item) for item in objects],
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


def _strays(listed: Inventory, countries: Collection[str]) -> pl.DataFrame:
    """Return the objects of a season's folder whose name has no league or format, and the unreadable files there."""
    return _whole_files(
        (country_of(stray), stray.season, stray.info, stray.reason)
        for stray in listed.strays
        if country_of(stray) in countries
    )


def _whole_files(files: Iterable[tuple[str | None, str | None, ObjectInfo, str]]) -> pl.DataFrame:
    """Return a table by REJECTED_SCHEMA of files that are rejected as a whole: country, season, object, reason."""
    rejections = [
        {
            "country": country,
            "season": season,
            "source_object": info.name,
            "source_version": info.version,
            "reason": reason,
            "record": "",
        }
        for country, season, info, reason in files
    ]
    return pl.DataFrame(rejections, schema=REJECTED_SCHEMA)
