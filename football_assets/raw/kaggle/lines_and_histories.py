"""Validate the lines and the history entries of the wide files, and find the score of each line.

`rebuilding.py` calls these functions in the order in which they stand here.
"""

from collections.abc import Mapping

import polars as pl

from football_assets.raw.kaggle.pairing import away_goals, home_goals
from football_assets.raw.kaggle.wide_format import SIDES, WideFile

MAX_LISTED_GOALS = 99
ENTRY_COLUMNS = [
    "team",
    "kickoff",
    "league",
    "is_home",
    "goals_for",
    "goals_against",
    "rating",
    "opponent_rating",
]


def join_lines(wide: Mapping[str, WideFile]) -> pl.DataFrame:
    """Concatenate the lines of all files.

    Adds `order` (0, 1 … over all files), `file`, and `reason`: why a line is no match, null where it is one.
    """
    lines = pl.concat(
        [file.matches.with_columns(file=pl.lit(name)) for name, file in wide.items()]
    ).with_row_index("order")
    first = pl.format("{} line {}", pl.col("file").first(), pl.col("line").first()).over("id")
    is_again = pl.col("id").is_not_null() & (pl.col("order") > pl.col("order").first().over("id"))
    return lines.with_columns(
        reason=pl.when(pl.col("kickoff").is_null())
        .then(pl.lit("The match_date is missing or not like '2019-12-01 00:45:00'."))
        .when(pl.col("league").is_null())
        .then(pl.lit("The league_id is missing or not a whole number."))
        .when(pl.col("home_team").is_null() | pl.col("away_team").is_null())
        .then(pl.lit("A team is not named."))
        .when(pl.col("home_team") == pl.col("away_team"))
        .then(pl.format("{} cannot play itself.", "home_team"))
        .when(is_again)
        .then(pl.format("The id {} is listed before: {}.", "id", first))
    )


def with_scores(lines: pl.DataFrame, scores: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Join the goals of the score files by `id`, and add a `reason` where two scores are listed for one id."""
    if not scores:
        return lines.with_columns(
            score=pl.lit(None, pl.String),
            home_goals=pl.lit(None, pl.Int64),
            away_goals=pl.lit(None, pl.Int64),
        )
    by_id = (
        pl.concat(list(scores.values()))
        .filter(pl.col("id").is_not_null())
        .group_by("id")
        .agg(
            pl.col("score", "home_goals", "away_goals").first(),
            scores_listed=pl.col("score").drop_nulls().unique(maintain_order=True),
        )
    )
    scored = lines.join(by_id, on="id", how="left", maintain_order="left")
    return scored.with_columns(
        reason=pl.coalesce(
            "reason",
            pl.when(pl.col("scores_listed").list.len() > 1).then(
                pl.format("The match has several scores: {}.", pl.col("scores_listed").list.join(", "))
            ),
        )
    ).drop("scores_listed")


def join_histories(wide: Mapping[str, WideFile], lines: pl.DataFrame) -> pl.DataFrame:
    """Concatenate the histories of all files: one row per past match of a team.

    Of several lines that list the entry the last one is kept. Adds `listed_at` (kick-off of that line) and `reason`:
    why the entry cannot be used, null where it can.
    """
    listed = pl.concat([file.histories.with_columns(file=pl.lit(name)) for name, file in wide.items()]).join(
        lines.select("file", "line", "order", listed_at="kickoff"),
        on=["file", "line"],
        how="left",
        maintain_order="left",
    )
    # The last line holds corrections of earlier ones.
    known = listed.sort("listed_at", "order", descending=True, nulls_last=True, maintain_order=True).unique(
        ENTRY_COLUMNS, keep="first", maintain_order=True
    )
    # Within a league, since clubs of different countries share names.
    is_again = pl.int_range(pl.len()).over("team", "league", "kickoff") > 0
    return known.with_columns(
        reason=pl.when(pl.col("team").is_null())
        .then(pl.lit("The team whose history lists the match is not named."))
        .when(pl.any_horizontal(pl.col(ENTRY_COLUMNS[1:6]).is_null()))
        .then(pl.lit("The match in the history lacks a readable date, venue, league or goals."))
        .when(~pl.all_horizontal(pl.col("goals_for", "goals_against").is_between(0, MAX_LISTED_GOALS)))
        .then(pl.format("The score {}-{} cannot be.", "goals_for", "goals_against"))
        .when(pl.col("kickoff") >= pl.col("listed_at"))
        .then(pl.lit("The match is not before the match whose history lists it."))
        .when(is_again)
        .then(pl.lit("A later line lists another match or result of the team at that time."))
    )


def with_own_line(entries: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add `own_line`, the `order` of the line that is the entry's match itself, null where there is none.

    An entry whose score differs from that of its own line gets a `reason`.
    """
    own = pl.concat(
        lines.filter(pl.col("reason").is_null()).select(
            "league",
            "kickoff",
            pl.col(f"{side}_team").alias("team"),
            pl.lit(side == "home").alias("is_home"),
            pl.col("order").alias("own_line"),
            own_home="home_goals",
            own_away="away_goals",
        )
        for side in SIDES
    ).unique(["league", "kickoff", "team", "is_home"], keep="first", maintain_order=True)
    found = entries.join(own, on=["league", "kickoff", "team", "is_home"], how="left", maintain_order="left")
    is_other = (home_goals() != pl.col("own_home")) | (away_goals() != pl.col("own_away"))
    return found.with_columns(
        reason=pl.coalesce(
            "reason",
            pl.when(is_other).then(
                pl.format(
                    "The score {}-{} contradicts {}-{} of the match's own line.",
                    home_goals(),
                    away_goals(),
                    "own_home",
                    "own_away",
                )
            ),
        )
    ).drop("own_home", "own_away")


def with_history_scores(lines: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Fill missing scores of lines from the histories that list the match, where these agree."""
    listed = (
        entries.filter(pl.col("reason").is_null(), pl.col("own_line").is_not_null())
        .group_by("own_line")
        .agg(
            listed_home=home_goals().first(),
            listed_away=away_goals().first(),
            scores_listed=pl.format("{}-{}", home_goals(), away_goals()).unique().sort(),
        )
        .rename({"own_line": "order"})
    )
    joined = lines.join(listed, on="order", how="left", maintain_order="left")
    is_unscored = pl.col("home_goals").is_null()
    return joined.with_columns(
        home_goals=pl.when(is_unscored).then("listed_home").otherwise("home_goals"),
        away_goals=pl.when(is_unscored).then("listed_away").otherwise("away_goals"),
        reason=pl.coalesce(
            "reason",
            pl.when(is_unscored & (pl.col("scores_listed").list.len() > 1)).then(
                pl.format(
                    "The teams' histories list several scores: {}.", pl.col("scores_listed").list.join(", ")
                )
            ),
        ),
    ).drop("listed_home", "listed_away", "scores_listed")


def with_line_rejections(matches: pl.DataFrame) -> pl.DataFrame:
    """Add a `reason` to the lines that are neither a result nor a fixture."""
    difference = pl.col("home_goals") - pl.col("away_goals")
    outcome = (
        pl.when(difference > 0).then(pl.lit("home")).when(difference < 0).then(pl.lit("away"))
    ).otherwise(pl.lit("draw"))
    is_scored = pl.col("home_goals").is_not_null()
    return matches.with_columns(
        reason=pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(is_scored & (outcome != pl.col("outcome")))
        .then(
            pl.format("The score {}-{} contradicts the outcome '{}'.", "home_goals", "away_goals", "outcome")
        )
        .when(~is_scored & pl.col("score").is_not_null())
        .then(pl.format("The score '{}' is not like 2-1, and no history lists the match.", "score"))
        .when(~is_scored & pl.col("outcome").is_not_null())
        .then(
            pl.format(
                "Only the outcome '{}' is known, not the score: land train_target_and_scores.csv from the same "
                "folder.",
                "outcome",
            )
        )
    )
