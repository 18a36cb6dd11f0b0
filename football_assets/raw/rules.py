"""Rules of names, goals, dates and odds for matches of every format. Called by `matches.py` and `judging.py`."""

from datetime import date

import polars as pl

from football_assets.domain.seasons import season_window

MAX_GOALS = 30
PLACEHOLDER_TEAMS = ["", "?", "-", "tbd", "tba", "n.n.", "unknown"]
_WINNER_OF = r"^(winner|loser|sieger|verlierer)\b"
"""A pairing that is not known yet: `Winner SF1`, `Sieger EF`."""
MISREAD_TIMES = 3
SAME_MATCH_DAYS = 3
"""Sources, or a source that corrects itself, may differ by so many days on the date of a match."""
WALKOVER_GOALS = 3
WALKOVERS = 5
"""Defeats of 0-3 on end that no team played for: the longest such run that was played, of 252,000 matches, is three."""
_ODDS = ["odds_home", "odds_draw", "odds_away"]
_CONTROL_CODES = {chr(code): bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
_SIDES = (("home", "away"), ("away", "home"))


def clean_names(rows: pl.DataFrame) -> pl.DataFrame:
    """One spelling of equal text: composed accents, single spaces, and Windows' punctuation in place of control codes.

    football-data.co.uk has `King\x92s Lynn` in files of UTF-8.
    """
    names = pl.concat([rows["home_team"], rows["away_team"]]).unique()
    clean = (
        names.str.replace_many(_CONTROL_CODES)
        .str.normalize("NFC")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )
    is_other = clean != names
    return rows.with_columns(
        pl.col("home_team", "away_team").replace(names.filter(is_other), clean.filter(is_other))
    )


def with_reasons(rows: pl.DataFrame, today: date) -> pl.DataFrame:
    """Add `reason`: why a row cannot be used, null where it can.

    Parameters
    ----------
    rows
        Rows in `file_rows.ROW_SCHEMA` with their `season` and `object_order`.
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
    is_played = pl.col("home_goals").is_not_null() & pl.col("away_goals").is_not_null()
    is_half_a_score = pl.col("home_goals").is_null() != pl.col("away_goals").is_null()
    names = (pl.col("home_team").str.to_lowercase(), pl.col("away_team").str.to_lowercase())
    rows = rows.join(_walkovers(rows), on="row", how="left", maintain_order="left")
    reason = (
        pl.when(pl.any_horizontal(_is_placeholder(name) for name in names))
        .then(pl.format("A team is not named: '{}' against '{}'.", "home_team", "away_team"))
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
                "{} lose 0-{} in {} matches on end: awarded after they withdrew.",
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
        .then(
            pl.format(
                "The date {} is outside the season {}, {} to {}.",
                pl.col("kickoff_date").dt.to_string(),
                "season",
                first.dt.to_string(),
                last.dt.to_string(),
            )
        )
        .when(is_played & (pl.col("kickoff_date") > today))
        .then(
            pl.format(
                "The match of {} has a score and yet lies after today, {}.",
                pl.col("kickoff_date").dt.to_string(),
                pl.lit(today.isoformat()),
            )
        )
    )
    return rows.with_columns(reason=reason).drop("withdrawn", "walkovers")


def _is_placeholder(name: pl.Expr) -> pl.Expr:
    return name.is_in(PLACEHOLDER_TEAMS) | name.str.contains(_WINNER_OF)


def _walkovers(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that a team lost 0-3 in a run of WALKOVERS or more, with the team (`withdrawn`) and the run's length.

    Sources without marks list awarded matches like played ones.
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
    """The rows of matches that were played or are to be, and the others, with `reason`.

    A row is void if its source says that the match was awarded, abandoned or the like; and if another says so of the
    match, a few days away, with the same score: sources without marks list an awarded score like a played one.

    Parameters
    ----------
    rows
        Rows of clubs that all sources name alike, with `row`, which counts them.
    """
    if rows["void"].null_count() == rows.height:
        return rows.drop("void"), rows.clear().with_columns(reason="void").drop("void")
    match = ["season", "league_id", "home_team", "away_team", "home_goals", "away_goals"]
    marked = rows.filter(pl.col("void").is_not_null())
    days = (pl.col("kickoff_date") - pl.col("kickoff_date_marked")).dt.total_days().abs()
    also = (
        rows.filter(pl.col("void").is_null(), pl.col("home_goals").is_not_null())
        .join(marked.select(*match, "kickoff_date", "source_object"), on=match, suffix="_marked")
        .filter(days <= SAME_MATCH_DAYS)
        .unique("row", keep="first", maintain_order=True)
        .select(
            "row",
            also=pl.format(
                "The score {}-{} was not won by play, as {} says.",
                "home_goals",
                "away_goals",
                "source_object_marked",
            ),
        )
    )
    judged = rows.join(also, on="row", how="left", maintain_order="left").with_columns(
        reason=pl.coalesce("void", "also")
    )
    is_void = pl.col("reason").is_not_null()
    return (
        judged.filter(~is_void).drop("void", "also", "reason"),
        judged.filter(is_void).drop("void", "also"),
    )


def _reads_like_kickoff_time() -> pl.Expr:
    """18-30, where an object has several such scores: one 13-0 may be a result, three are not."""
    is_time = pl.col("home_goals").is_between(11, 23) & pl.col("away_goals").is_in([0, 15, 30, 45])
    return is_time & (is_time.sum().over("object_order") >= MISREAD_TIMES)


def odds_are_unusable() -> pl.Expr:
    """Some odds are given, but not three decimal odds above 1."""
    given = pl.any_horizontal(pl.col(_ODDS).is_not_null())
    usable = pl.all_horizontal(pl.col(_ODDS).is_finite() & (pl.col(_ODDS) > 1))
    return given & ~usable.fill_null(False)


def without_unusable_odds(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, with odds only where all three can be used."""
    return rows.with_columns(pl.when(~odds_are_unusable()).then(pl.col(_ODDS)))
