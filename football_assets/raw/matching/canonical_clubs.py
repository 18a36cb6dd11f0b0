"""Replace the club names of all sources by canonical names.

The names depend on `football_assets.domain.clubs` alone, so that a season read alone and one read with others agree.
"""

import polars as pl

from football_assets.domain.clubs import name_club

_NAMES = {"home_name": "home_team", "away_name": "away_team"}


def with_canonical_clubs(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace both team names by canonical names. The names of the source move to `home_name` and `away_name`.

    Parameters
    ----------
    rows
        Rows with `country`, `home_team` and `away_team`.
    """
    named = clubs_named(rows)
    for name, team in _NAMES.items():
        clubs = named.select("country", pl.col("name").alias(name), pl.col("club").alias(team))
        rows = rows.rename({team: name}).join(clubs, on=["country", name], how="left", maintain_order="left")
    return rows


def clubs_named(rows: pl.DataFrame) -> pl.DataFrame:
    """Look up the club of each distinct country and team name.

    Returns
    -------
    pl.DataFrame
        One row per country and name: `country`, `name`, `club`, `how` it was found, and `beside`, the clubs among which
        an ambiguous name does not decide.
    """
    names = (
        pl.concat([rows.select("country", name=team) for team in _NAMES.values()])
        .unique()
        .sort("country", "name")
    )
    namings = [name_club(country, name) for country, name in names.iter_rows()]
    return names.with_columns(
        pl.Series("club", [naming.club for naming in namings], dtype=pl.String),
        pl.Series("how", [naming.how for naming in namings], dtype=pl.String),
        pl.Series("beside", [list(naming.beside) for naming in namings], dtype=pl.List(pl.String)),
    )


def against_themselves(rows: pl.DataFrame) -> pl.DataFrame:
    """Select the rows whose two names are of one club, with a `reason` that quotes the names of the source."""
    return rows.filter(pl.col("home_team") == pl.col("away_team")).with_columns(
        reason=pl.format(
            "{} and {} are two names of {}, which cannot play itself.", "home_name", "away_name", "home_team"
        )
    )
