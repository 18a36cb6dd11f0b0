"""Validate teams, goals, dates and odds of the rows of every format."""

from datetime import date

import polars as pl

from football_assets.domain.columns import is_played
from football_assets.domain.leagues import TIME_ZONES
from football_assets.domain.seasons import season_of, season_window
from football_assets.domain.teams import LONGEST_NAME
from football_assets.raw.name_cleaning import NO_LETTERS_OF_NAMES

MAX_GOALS = 30
MAX_REJECTED_SHARE = 0.05
"""Share of rejected records above which a broken download or a change of format is assumed."""
PLACEHOLDER_TEAMS = [
    *(
        "",
        "?",
        "-",
        "tbd",
        "tba",
        "tbc",
        "n.n.",
        "unknown",
        "to be determined",
        "to be announced",
        "to be confirmed",
    ),
    *(
        "nan",
        "na",
        "n/a",
        "#n/a",
        "n.a.",
        "<na>",
        "null",
        "none",
        "nat",
    ),  # missing values as programs write them
    *("bye", "spielfrei"),
]
"""Words in place of a team, in lower case."""
_WINNER_OF = r"^(winner|loser|sieger|verlierer)\b"
"""A team that is not yet determined: `Winner SF1`, `Sieger EF`."""
MISREAD_TIMES = 3
SAME_MATCH_DAYS = 3
"""The days by which sources, or versions of one source, may differ on the date of a match."""
WALKOVER_GOALS = 3
WALKOVERS = 5
"""A run of this many defeats of 0-3 counts as awarded. The longest such run in 252,000 played matches is three."""
ODDS_TRIPLE = ["odds_home", "odds_draw", "odds_away"]
_AUTUMN_COUNTRIES = [country for country in TIME_ZONES if "-" in season_of(country, date(2022, 10, 1))]
_SIDES = (("home", "away"), ("away", "home"))


def with_reasons(rows: pl.DataFrame, today: date) -> pl.DataFrame:
    """Add `reason`: why a row is rejected, null where it is valid.

    Parameters
    ----------
    rows
        Rows by `frames.ROW_SCHEMA` with their `season` and `object_order`.
    today
        The last day on which a match can have been played.
    """
    windows = {season: season_window(season) for season in rows["season"].unique()}
    first, last = (
        pl.col("season").replace_strict(
            {s: window[end] for s, window in windows.items()}, return_dtype=pl.Date
        )
        for end in (0, 1)
    )
    rows = rows.join(_walkovers(rows), on="row", how="left", maintain_order="left")
    return rows.with_columns(reason=_reason(first, last, today)).drop("withdrawn", "walkovers")


def _reason(first: pl.Expr, last: pl.Expr, today: date) -> pl.Expr:
    """Build the reason of the first rule that a row breaks; `first` and `last` are the days of its season."""
    played = is_played()
    is_half_a_score = pl.col("home_goals").is_null() != pl.col("away_goals").is_null()
    names = (pl.col("home_team").str.to_lowercase(), pl.col("away_team").str.to_lowercase())
    longest = pl.max_horizontal(pl.col("home_team", "away_team").str.len_chars())
    return (
        pl.when(longest > LONGEST_NAME)
        .then(pl.format("The name of a team has {} characters, more than {}.", longest, pl.lit(LONGEST_NAME)))
        .when(pl.any_horizontal(_is_placeholder(name) for name in names))
        .then(pl.format("A team is not named: '{}' against '{}'.", "home_team", "away_team"))
        .when(pl.any_horizontal(pl.col("home_team", "away_team").str.contains(NO_LETTERS_OF_NAMES)))
        .then(
            pl.format(
                "The letters of '{}' or '{}' were lost, or are in an encoding that is not read: save the file as CSV "
                "in UTF-8.",
                "home_team",
                "away_team",
            )
        )
        .when(names[0] == names[1])
        .then(pl.format("{} cannot play itself.", "home_team"))
        .when(is_half_a_score)
        .then(pl.lit("Only one team has goals."))
        .when(_reads_like_kickoff_time())
        .then(
            pl.format(
                "The score {}-{}, like others in the file, is a time of kick-off: the result was misread upstream.",
                "home_goals",
                "away_goals",
            )
        )
        .when(pl.col("withdrawn").is_not_null())
        .then(
            pl.format(
                "{} lose 0-{} in {} consecutive matches: awarded after they withdrew.",
                "withdrawn",
                pl.lit(WALKOVER_GOALS),
                "walkovers",
            )
        )
        .when(pl.min_horizontal("home_goals", "away_goals") < 0)
        .then(pl.format("The score {}-{} is negative.", "home_goals", "away_goals"))
        .when(pl.max_horizontal("home_goals", "away_goals") > MAX_GOALS)
        .then(
            pl.format(
                "The score {}-{} has more than {} goals.", "home_goals", "away_goals", pl.lit(MAX_GOALS)
            )
        )
        .when(~pl.col("kickoff_date").is_between(first, last))
        .then(_outside_of_season(first, last))
        .when(played & (pl.col("kickoff_date") > today))
        .then(
            pl.format(
                "The match of {} has a score although it is after today, {}.",
                pl.col("kickoff_date").dt.to_string(),
                pl.lit(today.isoformat()),
            )
        )
    )


def _outside_of_season(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    return pl.format(
        "The date {} is outside the season {}, {} to {}{}.",
        pl.col("kickoff_date").dt.to_string(),
        "season",
        first.dt.to_string(),
        last.dt.to_string(),
        pl.when(_is_year_of_autumn_league())
        .then(pl.lit(": name a season from autumn to spring like 2015-16"))
        .otherwise(pl.lit("")),
    )


def _is_year_of_autumn_league() -> pl.Expr:
    """Select rows of a calendar year in a country that plays from autumn to spring.

    football-data.co.uk's folder of 2020-21 is `2021`, and some sources name a season after its first year.
    """
    return ~pl.col("season").str.contains("-", literal=True) & pl.col("country").is_in(_AUTUMN_COUNTRIES)


def _is_placeholder(name: pl.Expr) -> pl.Expr:
    return name.is_in(PLACEHOLDER_TEAMS) | name.str.contains(_WINNER_OF) | ~name.str.contains(r"\p{L}")


def _walkovers(rows: pl.DataFrame) -> pl.DataFrame:
    """Find the rows of runs of WALKOVERS or more 0-3 defeats, with the team (`withdrawn`) and the length of the run.

    Sources that mark no match status list awarded matches like played ones.
    """
    lost = pl.concat(
        rows.filter(pl.col(f"{side}_goals") == 0, pl.col(f"{other}_goals") == WALKOVER_GOALS).select(
            "object_order", withdrawn=f"{side}_team"
        )
        for side, other in _SIDES
    )
    team = ["object_order", "withdrawn"]
    often = lost.filter(pl.len().over(team) >= WALKOVERS).unique()
    sides = pl.concat(
        rows.join(often, left_on=["object_order", f"{side}_team"], right_on=team, how="semi").select(
            "row",
            "object_order",
            "kickoff_date",
            pl.col(f"{side}_team").alias("withdrawn"),
            is_lost=(pl.col(f"{side}_goals") == 0) & (pl.col(f"{other}_goals") == WALKOVER_GOALS),
        )
        for side, other in _SIDES
    )
    return (
        sides.filter(pl.col("is_lost").is_not_null())
        .sort(*team, "kickoff_date", "row")
        .with_columns(run=pl.col("is_lost").rle_id().over(team))
        .filter("is_lost")
        .with_columns(walkovers=pl.len().over(*team, "run"))
        .filter(pl.col("walkovers") >= WALKOVERS)
        .group_by("row")
        .agg(pl.col("withdrawn", "walkovers").sort_by("walkovers").last())
    )


def without_void(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off void rows: matches that were awarded, abandoned or the like.

    A row is void if its source marks it, or if another source marks the match with the same score at most
    SAME_MATCH_DAYS away, since sources that mark no match status list an awarded score like a played one.

    Parameters
    ----------
    rows
        Rows with canonical clubs and a unique `row`.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The rows that are not void, and the void ones with their `reason`.
    """
    if rows["void"].null_count() == rows.height:
        return rows.drop("void"), rows.clear().with_columns(reason="void").drop("void")
    match = ["season", "league_id", "home_team", "away_team", "home_goals", "away_goals"]
    marked = rows.filter(pl.col("void").is_not_null())
    days = (pl.col("kickoff_date") - pl.col("kickoff_date_marked")).dt.total_days().abs()
    also = (
        rows.filter(pl.col("void").is_null(), is_played())
        .join(marked.select(*match, "kickoff_date", "source_object"), on=match, suffix="_marked")
        .filter(days <= SAME_MATCH_DAYS)
        .unique("row", keep="first", maintain_order=True)
        .select(
            "row",
            also=pl.format(
                "The score {}-{} was awarded, according to {}.",
                "home_goals",
                "away_goals",
                "source_object_marked",
            ),
        )
    )
    marked_rows = rows.join(also, on="row", how="left", maintain_order="left").with_columns(
        reason=pl.coalesce("void", "also")
    )
    is_void = pl.col("reason").is_not_null()
    return (
        marked_rows.filter(~is_void).drop("void", "also", "reason"),
        marked_rows.filter(is_void).drop("void", "also"),
    )


def _reads_like_kickoff_time() -> pl.Expr:
    """Select scores like 18-30 where an object has several of them: one 13-0 may be a result, three are not."""
    is_time = pl.col("home_goals").is_between(11, 23) & pl.col("away_goals").is_in([0, 15, 30, 45])
    return is_time & (is_time.sum().over("object_order") >= MISREAD_TIMES)


def odds_are_unusable() -> pl.Expr:
    """Select rows that have odds, but not three decimal odds above 1."""
    given = pl.any_horizontal(pl.col(ODDS_TRIPLE).is_not_null())
    usable = pl.all_horizontal(pl.col(ODDS_TRIPLE).is_finite() & (pl.col(ODDS_TRIPLE) > 1))
    return given & ~usable.fill_null(False)


def without_unusable_odds(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace odds by null unless all three are usable."""
    return rows.with_columns(pl.when(~odds_are_unusable()).then(pl.col(ODDS_TRIPLE)))
