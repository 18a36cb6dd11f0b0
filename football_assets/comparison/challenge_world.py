"""Turn the matches of the Soccer Prediction Challenge into landing files, and its test into fixtures of a team state.

The names of a training and a test file are one source's: two names are two teams. Teams are therefore landed under
numbers, which no list of clubs has, so that no two of them are merged.
"""

from datetime import date
from pathlib import Path

import polars as pl

from football_assets.domain.columns import country_column
from football_assets.domain.seasons import season_label, season_of, season_window
from football_assets.domain.teams import team_id

_SIDES = ("home", "away")
_GROUP = ("league_id", "sea")
_LAST_MONTH_OF_A_SPRING_START = 5


def number_teams(*files: pl.DataFrame) -> pl.DataFrame:
    """Give each team of some files a number: `country`, `name` in the files, `number` like `T12`.

    Parameters
    ----------
    files
        Matches with the columns of `challenge_files.MATCH_SCHEMA`.
    """
    names = pl.concat(
        matches.select(country_column(), pl.col(side).alias("name")) for matches in files for side in _SIDES
    )
    teams = names.unique().sort("country", "name")
    return teams.with_columns(number=pl.format("T{}", pl.int_range(1, pl.len() + 1)))


def write_landing_files(training: pl.DataFrame, teams: pl.DataFrame, folder: Path) -> None:
    """Write results as landing files, `<season>/<league>.csv`, with numbers instead of names.

    Every match has a round of its own, so that two meetings of a pair in a season remain two matches.

    Parameters
    ----------
    training
        Results with the columns of `challenge_files.MATCH_SCHEMA`.
    teams
        What `number_teams` returned.
    folder
        An empty folder.
    """
    rows = _with_numbers(training, teams).with_columns(season=training_seasons(training))
    listed = rows.sort("day", "line").select(
        "season",
        "league_id",
        pl.col("day").alias("Date"),
        pl.col("home_number").alias("Team 1"),
        pl.format("{}-{}", "home_goals", "away_goals").alias("FT"),
        pl.col("away_number").alias("Team 2"),
        pl.format("Matchday {}", pl.int_range(1, pl.len() + 1).over("season", "league_id")).alias("Round"),
    )
    for (season, league_id), part in listed.partition_by(
        "season", "league_id", as_dict=True, include_key=False
    ).items():
        (folder / str(season)).mkdir(exist_ok=True)
        part.write_csv(folder / str(season) / f"{league_id}.csv")


def training_seasons(training: pl.DataFrame) -> pl.Series:
    """Return the season label of every training match, like `2014-15` or `2014`.

    The matches of a league and a `sea` are a season: a calendar year if its first match is by the end of May or the
    country plays by calendar years, else one from autumn to spring. A match outside the days of that season belongs to
    the season of its day.
    """
    rows = training.select(*_GROUP, "day", country_column()).join(
        _labels(training), on=_GROUP, how="left", maintain_order="left", nulls_equal=True
    )
    return pl.Series(
        "season",
        [
            label if _is_within(label, day) else season_of(country, day)
            for label, day, country in rows.select("label", "day", "country").iter_rows()
        ],
        dtype=pl.String,
    )


def fixtures_of(test: pl.DataFrame, training: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return the fixtures of a test as `TeamState.encode_rows` takes them, in order of the rows.

    `season` is that of the training matches with the same league and `sea`, null where there are none.

    Parameters
    ----------
    test, training
        Matches with the columns of `challenge_files.MATCH_SCHEMA`.
    teams
        What `number_teams` returned for both.
    """
    rows = _with_numbers(test, teams).join(
        _labels(training), on=_GROUP, how="left", maintain_order="left", nulls_equal=True
    )
    seasons = [
        label if label is not None and _is_within(label, day) else None
        for label, day in rows.select("label", "day").iter_rows()
    ]
    identifiers = {
        f"{side}_team_id": [
            team_id(country, number)
            for country, number in rows.select("country", f"{side}_number").iter_rows()
        ]
        for side in _SIDES
    }
    return rows.select("league_id", pl.col("day").alias("kickoff_date")).with_columns(
        pl.Series("season", seasons, dtype=pl.String),
        *(pl.Series(name, values, dtype=pl.String) for name, values in identifiers.items()),
    )


def newcomers(test: pl.DataFrame, training: pl.DataFrame) -> list[str]:
    """Return the names of the teams of a test that its training file does not have, each with its league's code."""
    known = number_teams(training).select("country", "name")
    unknown = pl.concat(
        test.select("league_id", country_column(), pl.col(side).alias("name")) for side in _SIDES
    )
    found = unknown.join(known, on=["country", "name"], how="anti").unique().sort("league_id", "name")
    return [f"{name} ({league_id})" for league_id, name in found.select("league_id", "name").iter_rows()]


def with_newcomers(team_state: pl.DataFrame, fixtures: pl.DataFrame) -> pl.DataFrame:
    """Add the teams of fixtures that a team state does not know; they start with the entry rating of their league.

    Parameters
    ----------
    team_state
        The table of `build_team_state`.
    fixtures
        `league_id`, `home_team_id` and `away_team_id`.
    """
    teams = pl.concat(
        fixtures.select(pl.col(f"{side}_team_id").alias("team_id"), "league_id", country_column())
        for side in _SIDES
    )
    unknown = teams.unique("team_id", keep="first", maintain_order=True).join(
        team_state, on="team_id", how="anti"
    )
    named = unknown.with_columns(pl.col("team_id").str.split(":").list.last().alias("team"))
    return pl.concat([team_state, named], how="diagonal_relaxed")


def _with_numbers(matches: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    rows = matches.with_columns(country_column())
    for side in _SIDES:
        numbers = teams.select(
            "country", pl.col("name").alias(side), pl.col("number").alias(f"{side}_number")
        )
        rows = rows.join(numbers, on=["country", side], how="left", maintain_order="left")
    return rows


def _labels(training: pl.DataFrame) -> pl.DataFrame:
    """One row per league and `sea`: the label of the season that its first match starts."""
    first = training.group_by(_GROUP).agg(pl.col("day").min()).with_columns(country_column())
    labels = [_label_of(country, day) for country, day in first.select("country", "day").iter_rows()]
    return first.select(*_GROUP, label=pl.Series(labels, dtype=pl.String))


def _label_of(country: str, first_day: date) -> str:
    """Name the season of a first match; of a country with calendar years it may start in any month."""
    if first_day.month <= _LAST_MONTH_OF_A_SPRING_START:
        return str(first_day.year)
    usual = season_of(country, first_day)
    return season_label(first_day.year) if "-" in usual else usual


def _is_within(label: str, day: object) -> bool:
    first, last = season_window(label)
    return first <= day <= last  # type: ignore[operator]
