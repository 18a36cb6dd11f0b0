"""Landing objects of seasons to matches: read, judge, name clubs, merge.

Called by the raw assets, the backtest and benchmarks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from football_assets.bucket import Bucket
from football_assets.errors import ObjectNotFound
from football_assets.raw.formats import read_results
from football_assets.raw.formats.reading import Reading, Refusal, Row
from football_assets.raw.identity import against_themselves, with_canonical_clubs
from football_assets.raw.landing import Inventory, LandingObject, inventory
from football_assets.raw.merging import merge
from football_assets.raw.rules import (
    clean_names,
    odds_are_unusable,
    with_reasons,
    without_unusable_odds,
    without_void,
)

ROW_SCHEMA: dict[str, type[pl.DataType]] = {
    "line": pl.Int64,
    "path": pl.String,
    "record": pl.String,
    "kickoff_date": pl.Date,
    "kickoff_time": pl.Time,
    "home_team": pl.String,
    "away_team": pl.String,
    "home_goals": pl.Int64,
    "away_goals": pl.Int64,
    "round": pl.String,
    "odds_home": pl.Float64,
    "odds_draw": pl.Float64,
    "odds_away": pl.Float64,
    "void": pl.String,
}
REFUSAL_SCHEMA: dict[str, type[pl.DataType]] = {
    "season": pl.String,
    "source_object": pl.String,
    "source_version": pl.String,
    "line": pl.Int64,
    "path": pl.String,
    "reason": pl.String,
    "record": pl.String,
}


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
    """Read, judge, name and merge the landing objects of seasons.

    The same objects give the same frames, in the same order. A season without objects gives no rows.

    Parameters
    ----------
    seasons
        Labels like `2014-15` or `2014`.
    today
        Matches played after this day are refused.
    listed
        The inventory, where the caller has one.
    """
    from football_assets.raw.schema import Match

    listed = listed or inventory(bucket)
    rows, refusals = _judged(bucket, listed, seasons, today)
    sound, void = without_void(_named(rows))
    merged = merge(without_unusable_odds(sound.filter(pl.col("home_team") != pl.col("away_team"))))
    refused = [
        _strays(listed, set(seasons)),
        refusals,
        rows.filter(pl.col("reason").is_not_null()),
        void,
        against_themselves(sound),
        merged.rejected,
        sound.filter(odds_are_unusable()).with_columns(
            reason=pl.lit("The odds are not three decimal odds above 1: the match is kept without them.")
        ),
    ]
    matches = merged.matches.sort("season", "kickoff_date", "league_id", "match_id").select(
        *Match.column_names()
    )
    rejected = pl.concat([frame.select(*REFUSAL_SCHEMA) for frame in refused])
    return SeasonMatches(
        matches=Match.validate(matches, cast=True),
        rejected=rejected.sort("season", "source_object", "line", "path", "reason"),
    )


def named_entries(bucket: Bucket, seasons: Sequence[str], today: date) -> pl.DataFrame:
    """The sound entries of all landing objects of seasons before they are merged, clubs by their canonical names.

    The sources' own names are in `home_name` and `away_name`. Parameters are those of `read_seasons`.
    """
    rows, _ = _judged(bucket, inventory(bucket), seasons, today)
    return without_void(_named(rows))[0]


def _judged(
    bucket: Bucket, listed: Inventory, seasons: Sequence[str], today: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All rows with the `reason` why they cannot be used, null where they can, and the refusals of the readers."""
    wanted = set(seasons)
    objects = sorted(
        (item for item in listed.objects if item.season in wanted),
        key=lambda item: (item.info.updated, item.info.name),
    )
    entries, refusals = _read_all(bucket, objects)
    return with_reasons(clean_names(entries), today), refusals


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that can be used, clubs by their canonical names."""
    return with_canonical_clubs(rows.filter(pl.col("reason").is_null()).drop("reason"))


def _read_all(bucket: Bucket, objects: Sequence[LandingObject]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All objects' rows and refusals, with where they come from."""
    rows: list[list[object]] = [[] for _ in Row._fields]
    refusals: list[list[object]] = [[] for _ in Refusal._fields]
    counts: list[tuple[int, int]] = []
    for item in objects:
        reading = _read(bucket, item)
        counts.append((len(reading.rows), len(reading.refusals)))
        # Column by column: a quarter of a million tuples kept would cost the garbage collector a second.
        for columns, records in ((rows, reading.rows), (refusals, reading.refusals)):
            for column, values in zip(columns, zip(*records, strict=True), strict=False):
                column.extend(values)
    return (
        _frame(Row._fields, rows, ROW_SCHEMA, objects, [count for count, _ in counts]),
        _frame(Refusal._fields, refusals, REFUSAL_SCHEMA, objects, [count for _, count in counts]),
    )


def _read(bucket: Bucket, item: LandingObject) -> Reading:
    try:
        return read_results(item.extension, bucket.read(item.info.name))
    except ObjectNotFound:  # deleted since it was listed
        return Reading()


def _frame(
    names: Sequence[str],
    columns: Sequence[list[object]],
    schema: dict[str, type[pl.DataType]],
    objects: Sequence[LandingObject],
    rows_each: Sequence[int],
) -> pl.DataFrame:
    """One row a record, with its `row` and its object's. `object_order`: 0 is the oldest object."""
    frame = pl.DataFrame(
        dict(zip(names, columns, strict=True)), schema={name: schema[name] for name in names}
    )
    order = np.repeat(np.arange(len(objects), dtype=np.int32), rows_each)
    return frame.with_columns(
        pl.Series("object_order", order, dtype=pl.Int32), row=pl.int_range(pl.len(), dtype=pl.Int32)
    ).join(_origins(objects), on="object_order", how="left", maintain_order="left")


def _origins(objects: Sequence[LandingObject]) -> pl.DataFrame:
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
    """Objects in a season's folder whose name says no league or format."""
    refusals = [
        {
            "season": stray.season,
            "source_object": stray.info.name,
            "source_version": stray.info.version,
            "reason": stray.reason,
            "record": "",
        }
        for stray in listed.strays
        if stray.season in wanted
    ]
    return pl.DataFrame(refusals, schema=REFUSAL_SCHEMA)
