"""Write rebuilt matches as files of results: one file in footballcsv's format a season and league."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from football_assets.domain.columns import country_column, is_played
from football_assets.domain.leagues import SPORTMONKS_LEAGUES, TIME_ZONES
from football_assets.domain.seasons import season_of
from football_assets.raw.formats.footballcsv import REJECTED_COLUMN
from football_assets.raw.formats.records import RECORD_CHARACTERS

UNPLACED = "unplaced"
"""File name in place of a league id, for records whose league has none."""
_FIRST_HOUR, _LAST_HOUR = 8, 23  # of plausible kick-offs: midnight elsewhere is a day without a time


@dataclass(frozen=True)
class RebuiltFile:
    """Results of one league and season in footballcsv's format, with the numbers of matches and rejected records.

    `league_id` may be UNPLACED.
    """

    season: str
    league_id: str
    data: bytes
    matches: int
    rejected: int


def with_season_and_league(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add `season`, `league_id`, and local `day` and `time` to rebuilt rows.

    A row without a date takes the season of the nearest line that has one, so that its rejection is listed in some
    season.

    Parameters
    ----------
    rows
        Columns of `rebuilding.ROW_COLUMNS`.
    lines
        All lines of the wide files: `order` and `kickoff`.
    """
    dated = lines.filter(pl.col("kickoff").is_not_null()).select(
        pl.col("order").cast(pl.Int64), line_kickoff="kickoff"
    )
    names = (
        rows.filter(pl.col("league_name").is_not_null())
        .group_by("league")
        .agg(known_name=pl.col("league_name").first())
    )
    listed = {str(number): league for number, league in SPORTMONKS_LEAGUES.items()}
    undated = (
        rows.filter(pl.col("kickoff").is_null())
        .with_columns(pl.col("order").cast(pl.Int64).fill_null(0))
        .sort("order")
        .join_asof(dated, on="order", strategy="nearest")
    )
    located = (
        pl.concat(
            [
                rows.filter(pl.col("kickoff").is_not_null()).with_columns(pl.col("order").cast(pl.Int64)),
                undated,
            ],
            how="diagonal",
        )
        .join(names, on="league", how="left")
        .with_columns(
            league_name=pl.coalesce("league_name", "known_name"),
            league_id=pl.col("league")
            .cast(pl.String)
            .replace_strict(listed, default=None, return_dtype=pl.String),
        )
        .with_columns(country_column())
    )
    local = pl.concat(_local(part) for part in located.partition_by("country"))
    days = local.select("country", "day").unique()
    seasons = [_season(country, day) for country, day in days.iter_rows()]
    return local.join(
        days.with_columns(season=pl.Series(seasons, dtype=pl.String)),
        on=["country", "day"],
        how="left",
        nulls_equal=True,
    )


def _season(country: str | None, day: date) -> str:
    return season_of(country or "", day)


def _local(rows: pl.DataFrame) -> pl.DataFrame:
    """Convert the kick-offs of one country from UTC to local `day` and `time`."""
    zone = TIME_ZONES.get(rows["country"][0] or "", "UTC")
    utc = pl.coalesce("kickoff", "line_kickoff")
    there = utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    is_midnight = (utc.dt.hour() == 0) & (utc.dt.minute() == 0)
    has_time = ~is_midnight | there.dt.hour().is_between(_FIRST_HOUR, _LAST_HOUR)
    return rows.with_columns(
        day=pl.when(has_time).then(there).otherwise(utc).dt.date(),
        time=pl.when(has_time).then(there.dt.strftime("%H:%M")),
    )


def write_result_files(rows: pl.DataFrame) -> list[RebuiltFile]:
    """Write one file per season and league, sorted by both. Leagues without an id share the file UNPLACED."""
    known = rows.filter(pl.col("league_id").is_not_null())
    unknown = _of_unknown_leagues(rows.filter(pl.col("league_id").is_null()))
    files = []
    for part in [*known.partition_by("season", "league_id"), *unknown.partition_by("season")]:
        rejected = part.height - part["reason"].null_count()
        files.append(
            RebuiltFile(
                part["season"][0],
                part["league_id"][0] or UNPLACED,
                _csv(part),
                part.height - rejected,
                rejected,
            )
        )
    return sorted(files, key=lambda file: (file.season, file.league_id))


def _of_unknown_leagues(rows: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the rows of leagues without an id to one rejected record a season and league.

    Rows without a league keep the reason that they have.
    """
    is_league = pl.col("league").is_not_null()
    leagues = (
        rows.filter(is_league)
        .group_by("season", "league")
        .agg(
            pl.col("league_name", "league_id").first(),
            pl.col("day").min(),
            pl.col("order").min(),
            pl.col("origin").sort_by("order").first(),
            records=pl.len(),
        )
        .with_columns(
            reason=pl.when(pl.col("league_name").str.contains("(?i)friendl"))
            .then(
                pl.format(
                    "League {} '{}' is not a competition: its {} records of the season, the first in {}, are not read.",
                    "league",
                    "league_name",
                    "records",
                    "origin",
                )
            )
            .otherwise(
                pl.format(
                    "League {} '{}' has no id here, and so its {} records of the season, the first in {}, have none: "
                    "add it to dbt_features/seeds/leagues.csv, as is 8 of eng.1, and land again.",
                    "league",
                    pl.col("league_name").fill_null("?"),
                    "records",
                    "origin",
                )
            )
        )
        .drop("records")
    )
    return pl.concat([leagues, rows.filter(~is_league)], how="diagonal")


def _csv(rows: pl.DataFrame) -> bytes:
    """Write rows in footballcsv's format with two more columns: `origin`, and the reason of a rejection."""
    score = pl.when(is_played()).then(pl.format("{}-{}", "home_goals", "away_goals"))
    text = [_one_line(name) for name in ("home_team", "away_team", "league_name", "origin", "reason")]
    return (
        rows.with_columns(text)
        .select(
            pl.col("day").dt.to_string().alias("Date"),
            pl.col("time").alias("Time"),
            pl.col("home_team").fill_null("?").alias("Team 1"),
            score.fill_null("?").alias("FT"),
            pl.col("away_team").fill_null("?").alias("Team 2"),
            pl.col("origin").str.slice(0, RECORD_CHARACTERS),
            pl.col("reason").alias(REJECTED_COLUMN),
        )
        .sort("Date", "Time", "Team 1", "Team 2", "origin", REJECTED_COLUMN)
        .write_csv()
        .encode()
    )


def _one_line(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.replace_all(r"\s+", " ")
