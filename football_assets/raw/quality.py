"""Tests of the raw tables for the asset checks: broken rules, tables older than files, unreadable files."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from football_assets.domain.columns import country_column, is_played
from football_assets.domain.measures import CLOSING_ODDS, HANDICAPS, OUTCOME_ODDS, TOTAL_ODDS
from football_assets.raw.countries import by_country_of
from football_assets.raw.landing import Inventory
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import partition_of, table_objects


def broken_rules(matches: pl.DataFrame) -> dict[str, int]:
    """Rules of the schema Match that rows break, with the number of rows; `schema` where columns or types differ."""
    from dataframely.exc import SchemaError

    from football_assets.raw.schema import Match

    try:
        return dict(Match.filter(matches).failure.counts())
    except SchemaError:
        return {"schema": matches.height}


def played_after(matches: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return matches that have a score and lie after a day."""
    return matches.filter(is_played() & (pl.col("kickoff_date") > today))


def stale_countries(bucket: Bucket, listed: Inventory, tables: Sequence[pl.DataFrame]) -> list[str]:
    """Return the countries to materialize again.

    A landing object of theirs is newer than the partition, or rows come from an object that is gone.

    Parameters
    ----------
    tables
        `raw_matches` and `raw_matches_rejected`.
    """
    current = {(item.info.name, item.info.version) for item in listed.objects}
    current |= {(stray.info.name, stray.info.version) for stray in listed.strays}
    origins = pl.concat(
        [
            table.select(
                "country" if "country" in table.columns else country_column(),
                "source_object",
                "source_version",
            ).unique()
            for table in tables
        ]
    )
    stale = {country for country, name, version in origins.iter_rows() if (name, version) not in current}
    written = {partition_of(item): item.updated for item in table_objects(bucket, "raw_matches")}
    for country, found in by_country_of(listed).items():
        if country not in written or any(written[country] < item.info.updated for item in found):
            stale.add(country)
    return sorted(stale)


def rejected_share(matches: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    """One row per season: `records`, `rejected` and `share`, the greatest share first.

    A record of which only some columns are left out is not rejected.
    """
    counted = pl.concat(
        [
            matches.select("season", rejected=pl.lit(0)),
            wholly_rejected(rejected).select("season", rejected=pl.lit(1)),
        ],
        how="vertical",
    )
    return (
        counted.group_by("season")
        .agg(records=pl.len(), rejected=pl.col("rejected").sum())
        .with_columns(share=pl.col("rejected") / pl.col("records"))
        .sort("share", "season", descending=[True, False])
    )


def wholly_rejected(rejected: pl.DataFrame) -> pl.DataFrame:
    """Return the records whose match is lost, not those of which only some columns are left out.

    A table of an earlier version lacks `left_out`: all its records are lost.
    """
    if "left_out" not in rejected.columns:
        return rejected
    return rejected.filter(pl.col("left_out").is_null())


def measure_coverage(matches: pl.DataFrame) -> pl.DataFrame:
    """Return the shares of played matches that have odds and statistics, one row per league and season.

    Returns
    -------
    pl.DataFrame
        `league_id`, `season`, `played`, and in percent `odds` of any kind of the three outcomes, `closing`,
        `over_under`, `handicap`, `shots` and `expected_goals`.
    """
    has = {
        "odds": ("odds_home", *(group[0] for group in OUTCOME_ODDS)),
        "closing": CLOSING_ODDS[:1],
        "over_under": [group[0] for group in TOTAL_ODDS],
        "handicap": [group[0] for group in HANDICAPS],
        "shots": ["home_shots"],
        "expected_goals": ["home_expected_goals"],
    }
    return (
        matches.filter(is_played())
        .group_by("league_id", "season")
        .agg(
            pl.len().alias("played"),
            *(
                (100 * pl.any_horizontal(pl.col(columns).is_not_null()).mean()).round(1).alias(name)
                for name, columns in has.items()
            ),
        )
        .sort("league_id", "season")
    )


def unreadable_files(rejected: pl.DataFrame) -> pl.DataFrame:
    """Landing objects that are rejected as a whole, not for a record: one row each, with the reason."""
    whole = rejected.filter(pl.col("line").is_null(), pl.col("path").is_null())
    return whole.select("season", "source_object", "reason").unique().sort("season", "source_object")


def common_reasons(rejected: pl.DataFrame) -> pl.DataFrame:
    """Reasons why records are rejected, the commonest first: `records`, an `example` of the reason, its `object`.

    Reasons that differ only in numbers and quoted values count as one.
    """
    return (
        rejected.with_columns(kind=pl.col("reason").str.replace_all(r"'[^']*'|\d+(-\d+)*", "…"))
        .group_by("kind")
        .agg(records=pl.len(), example=pl.col("reason").first(), object=pl.col("source_object").first())
        .sort("records", "kind", descending=[True, False])
        .select("records", "example", "object")
    )
