"""Rebuild matches from the wide files of the Kaggle competition.

A line of a wide file is one match with both names. Each past match in a team's history is a match too, but without
the opponent's name. It is rebuilt where that name is certain: the line of the match itself exists, or exactly one
other team's history lists the same match from the other side. Records without a name or a score are written beside
the matches, with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from football_assets.raw.kaggle.lines_and_histories import (
    ENTRY_COLUMNS,
    join_histories,
    join_lines,
    with_history_scores,
    with_line_rejections,
    with_own_line,
    with_scores,
)
from football_assets.raw.kaggle.pairing import away_goals, entry_origin, home_goals, pair_entries
from football_assets.raw.kaggle.result_files import RebuiltFile, with_season_and_league, write_result_files
from football_assets.raw.kaggle.wide_format import WideFile

_MATCH = ["league", "kickoff", "home_team", "away_team"]
ROW_COLUMNS = [*_MATCH, "home_goals", "away_goals", "league_name", "order", "origin", "reason"]


@dataclass(frozen=True)
class Rebuilt:
    """Files by season and league, and the number of scores whose id is in no wide file."""

    files: tuple[RebuiltFile, ...]
    scores_of_no_match: int


def rebuild(wide: Mapping[str, WideFile], scores: Mapping[str, pl.DataFrame]) -> Rebuilt:
    """Rebuild matches from wide files and the scores that are known.

    The score of a line is that of the score files, else that of the histories that list the match. A line with an
    outcome but without a score is rejected: an outcome is no result. A line without either is a fixture.

    Parameters
    ----------
    wide
        Wide files by file name.
    scores
        Results of `wide_format.read_scores` by file name; empty where no score file was landed.
    """
    lines = with_scores(join_lines(wide), scores)
    entries = with_own_line(join_histories(wide, lines), lines)
    matches = with_line_rejections(with_history_scores(lines, entries))
    paired, unpaired = pair_entries(entries.filter(pl.col("reason").is_null(), pl.col("own_line").is_null()))
    rejected_entries = pl.concat(
        [entries.filter(pl.col("reason").is_not_null()), unpaired], how="diagonal"
    ).select("file", "line", "order", "side", "place", *ENTRY_COLUMNS, "reason")
    rows = pl.concat(
        [_of_lines(matches), _of_pairs(paired), _of_entries(rejected_entries), _of_short_lines(wide, lines)],
        how="diagonal",
    )
    ids = lines.select("id").drop_nulls().unique()
    listed = pl.concat([frame.select("id") for frame in scores.values()]) if scores else ids
    return Rebuilt(
        files=tuple(write_result_files(with_season_and_league(rows, lines))),
        scores_of_no_match=listed.join(ids, on="id", how="anti").height,
    )


def _of_lines(matches: pl.DataFrame) -> pl.DataFrame:
    return matches.with_columns(origin=pl.format("{} {}", "file", "line")).select(ROW_COLUMNS)


def _of_pairs(paired: pl.DataFrame) -> pl.DataFrame:
    return paired.select(
        *_MATCH,
        "home_goals",
        "away_goals",
        origin=pl.format("{} + {}", "home_origin", "away_origin"),
    )


def _of_entries(entries: pl.DataFrame) -> pl.DataFrame:
    """Select rejected history entries, with `?` as the opponent."""
    unknown = pl.lit("?")
    return entries.select(
        "league",
        "kickoff",
        pl.when("is_home").then("team").otherwise(unknown).alias("home_team"),
        pl.when("is_home").then(unknown).otherwise("team").alias("away_team"),
        home_goals().alias("home_goals"),
        away_goals().alias("away_goals"),
        "order",
        entry_origin().alias("origin"),
        "reason",
    )


def _of_short_lines(wide: Mapping[str, WideFile], lines: pl.DataFrame) -> pl.DataFrame:
    """Select lines with too few or too many fields, with the `order` of the line above, since they have no date."""
    above = [
        file.short.with_columns(file=pl.lit(name)).join_asof(
            lines.filter(pl.col("file") == name).select("line", "order"), on="line", strategy="backward"
        )
        for name, file in wide.items()
    ]
    return pl.concat(above).select(
        "order",
        pl.format("{} {}: {}", "file", "line", pl.col("record").str.slice(0, 200)).alias("origin"),
        pl.lit("The line has not as many fields as the header: it is cut off or broken.").alias("reason"),
    )
