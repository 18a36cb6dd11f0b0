"""Count unusual cases in folders of results: rejected records by reason, pairs that meet often, unfinished seasons.

    python -m benchmarks.research.data_cases path/to/footballcsv path/to/openfootball

Each folder holds folders of seasons. They are read together, as one bucket would be. The last line compares
`season_of`, which sources without season folders need, with the folders.
"""

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from football_assets.domain.seasons import season_of
from football_assets.raw.countries import landed_countries
from football_assets.raw.landing import inventory, land
from football_assets.raw.matches import ReadMatches, read_countries
from football_assets.storage.opening import open_bucket

UNFINISHED = 0.95  # of the share of a double round robin that a league usually plays


def main() -> None:
    """Read the folders and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of season folders")
    found = read(parser.parse_args().folders)
    console = Console(width=160)
    played = found.matches.filter(pl.col("home_goals").is_not_null())
    console.print(
        f"{found.matches.height:,} matches, {found.matches.height - played.height:,} of them unplayed, and "
        f"{found.rejected.height:,} rejected records."
    )
    console.print(table("Rejected records by reason", reasons(found.rejected)))
    console.print(table("Pairs that met more than once at one ground in a season", meetings(played)))
    console.print(table("Seasons with far fewer matches than their league usually plays", unfinished(played)))
    elsewhere = misplaced(played)
    console.print(f"season_of puts {elsewhere:,} of {played.height:,} played matches into another season.")


def read(folders: list[Path]) -> ReadMatches:
    """All results of the folders."""
    with tempfile.TemporaryDirectory() as scratch:
        bucket = open_bucket(scratch)
        land(bucket, folders)
        return read_countries(bucket, landed_countries(inventory(bucket)), datetime.now(UTC).date())


def reasons(rejected: pl.DataFrame) -> pl.DataFrame:
    """Records by source and kind of reason, with an example."""
    return (
        rejected.with_columns(
            source=pl.col("source_object").str.split("/").list.get(1),
            kind=pl.col("reason").str.replace_all(r"'[^']*'|^.* lose|raw/\S+|\d+(-\d+)*", "…"),
        )
        .group_by("source", "kind")
        .agg(records=pl.len(), example=pl.col("reason").first(), object=pl.col("source_object").first())
        .sort("records", "kind", descending=[True, False])
        .drop("kind")
    )


def meetings(played: pl.DataFrame) -> pl.DataFrame:
    """By league: pairs of a season that met twice, three and four times at one ground."""
    return (
        played.group_by("season", "league_id", "home_team", "away_team")
        .agg(times=pl.len())
        .group_by("league_id")
        .agg(
            (pl.col("times") == count).sum().alias(name)
            for count, name in ((2, "twice"), (3, "thrice"), (4, "four times"))
        )
        .filter(pl.any_horizontal(pl.col("twice", "thrice", "four times") > 0))
        .sort("league_id")
    )


def unfinished(played: pl.DataFrame) -> pl.DataFrame:
    """Seasons by the `share` of a double round robin that was played, where it is far below the league's median."""
    teams = pl.concat([pl.col("home_team"), pl.col("away_team")]).n_unique()
    share = pl.col("matches") / (pl.col("teams") * (pl.col("teams") - 1))
    return (
        played.filter(~pl.col("is_cup"))
        .group_by("league_id", "season")
        .agg(matches=pl.len(), teams=teams, last=pl.col("kickoff_date").max())
        .with_columns(share=share)
        .with_columns(usual=pl.col("share").median().over("league_id"))
        .filter(pl.col("share") < UNFINISHED * pl.col("usual"))
        .sort("season", "league_id")
    )


def misplaced(played: pl.DataFrame) -> int:
    """Matches that `season_of` puts into another season than their folder."""
    days = played.group_by("season", pl.col("league_id").str.split(".").list.first(), "kickoff_date").len()
    return sum(count for season, country, day, count in days.iter_rows() if season_of(country, day) != season)


def table(title: str, rows: pl.DataFrame) -> Table:
    """Rows to print."""
    printed = Table(*rows.columns, title=title, title_justify="left")
    for row in rows.iter_rows():
        printed.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    return printed


if __name__ == "__main__":
    main()
