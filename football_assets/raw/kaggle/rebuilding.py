"""Matches rebuilt from the wide files of the Kaggle competition, as files of results by season and league.

A line of a wide file is one match with both names. Each past match in a team's history is a match, too, but without
the opponent's name. It is rebuilt where that name is certain: the line of the match itself is there, or exactly one
other team's history lists the same match from the other side. What stays without a name or a score is kept beside
the matches, with the reason. Called by `landing.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from football_assets.domain.leagues import SPORTMONKS_LEAGUES, TIME_ZONES
from football_assets.domain.seasons import season_of
from football_assets.raw.formats.records import RECORD_CHARACTERS
from football_assets.raw.kaggle.pairing import away_goals, entry_origin, home_goals, pair_entries
from football_assets.raw.kaggle.wide_format import SIDES, WideFile

UNPLACED = "unplaced"
"""Stands for the league of what has none here."""
MAX_GOALS = 99
_FIRST_HOUR, _LAST_HOUR = 8, 23  # in which a match may kick off: midnight elsewhere is a day without a time
_MATCH = ["league", "kickoff", "home_team", "away_team"]


@dataclass(frozen=True)
class RebuiltFile:
    """Results of one league and season in footballcsv's format, with what was refused in them. `league_id` may be
    UNPLACED."""

    season: str
    league_id: str
    data: bytes
    matches: int
    refused: int


@dataclass(frozen=True)
class Rebuilt:
    """Files by season and league, and how many scores are of no line of a wide file."""

    files: tuple[RebuiltFile, ...]
    scores_of_no_match: int


def rebuild(wide: Mapping[str, WideFile], scores: Mapping[str, pl.DataFrame]) -> Rebuilt:
    """Make matches of wide files and the scores that are known.

    The score of a line is that of the scores' file, else that of the histories which list the match. A line with an
    outcome but without a score is refused: an outcome is no result. A line without either is a fixture.

    Parameters
    ----------
    wide
        By the file's name.
    scores
        `kaggle.read_scores` by the file's name; none where they have not been landed.
    """
    lines = _lines(wide)
    lines = _with_scores(lines, scores)
    entries = _entries(wide, lines)
    entries = _with_own_line(entries, lines)
    matches = _judged(_with_listed_scores(lines, entries))
    paired, unpaired = pair_entries(entries.filter(pl.col("reason").is_null(), pl.col("own_line").is_null()))
    refused_entries = pl.concat(
        [entries.filter(pl.col("reason").is_not_null()), unpaired], how="diagonal"
    ).select("file", "line", "order", "side", "place", *_ENTRY, "reason")
    rows = pl.concat(
        [_of_lines(matches), _of_pairs(paired), _of_entries(refused_entries), _of_short_lines(wide, lines)],
        how="diagonal",
    )
    ids = lines.select("id").drop_nulls().unique()
    listed = pl.concat([frame.select("id") for frame in scores.values()]) if scores else ids
    return Rebuilt(
        files=tuple(_files(_placed(rows, lines))),
        scores_of_no_match=listed.join(ids, on="id", how="anti").height,
    )


_ENTRY = [
    "team",
    "kickoff",
    "league",
    "is_home",
    "goals_for",
    "goals_against",
    "rating",
    "opponent_rating",
]


def _lines(wide: Mapping[str, WideFile]) -> pl.DataFrame:
    """All lines, with `order` that counts them, their `file` and the `reason` why one is no match."""
    lines = pl.concat(
        [file.matches.with_columns(file=pl.lit(name)) for name, file in wide.items()]
    ).with_row_index("order")
    first = pl.format("{} line {}", pl.col("file").first(), pl.col("line").first()).over("id")
    is_again = pl.col("id").is_not_null() & (pl.col("order") > pl.col("order").first().over("id"))
    return lines.with_columns(
        reason=pl.when(pl.col("kickoff").is_null())
        .then(pl.lit("The match_date is missing or not like '2019-12-01 00:45:00'."))
        .when(pl.col("league").is_null())
        .then(pl.lit("The league_id is missing or no whole number."))
        .when(pl.col("home_team").is_null() | pl.col("away_team").is_null())
        .then(pl.lit("A team is not named."))
        .when(pl.col("home_team") == pl.col("away_team"))
        .then(pl.format("{} cannot play itself.", "home_team"))
        .when(is_again)
        .then(pl.format("The id {} is listed before: {}.", "id", first))
    )


def _with_scores(lines: pl.DataFrame, scores: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The lines with the goals that the scores' files say, and the `reason` where they say two things."""
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
            told=pl.col("score").drop_nulls().unique(maintain_order=True),
        )
    )
    scored = lines.join(by_id, on="id", how="left", maintain_order="left")
    return scored.with_columns(
        reason=pl.coalesce(
            "reason",
            pl.when(pl.col("told").list.len() > 1).then(
                pl.format("The match has several scores: {}.", pl.col("told").list.join(", "))
            ),
        )
    ).drop("told")


def _entries(wide: Mapping[str, WideFile], lines: pl.DataFrame) -> pl.DataFrame:
    """One row a match of a team, with the line that lists it last, and the `reason` why one cannot be used."""
    listed = pl.concat([file.histories.with_columns(file=pl.lit(name)) for name, file in wide.items()]).join(
        lines.select("file", "line", "order", listed_at="kickoff"),
        on=["file", "line"],
        how="left",
        maintain_order="left",
    )
    # The last line knows of corrections.
    known = listed.sort("listed_at", "order", descending=True, nulls_last=True, maintain_order=True).unique(
        _ENTRY, keep="first", maintain_order=True
    )
    # In the league: clubs of different countries share names.
    is_again = pl.int_range(pl.len()).over("team", "league", "kickoff") > 0
    return known.with_columns(
        reason=pl.when(pl.col("team").is_null())
        .then(pl.lit("The team whose history lists the match is not named."))
        .when(pl.any_horizontal(pl.col(_ENTRY[1:6]).is_null()))
        .then(pl.lit("The match in the history lacks a readable date, venue, league or goals."))
        .when(~pl.all_horizontal(pl.col("goals_for", "goals_against").is_between(0, MAX_GOALS)))
        .then(pl.format("The score {}-{} cannot be.", "goals_for", "goals_against"))
        .when(pl.col("kickoff") >= pl.col("listed_at"))
        .then(pl.lit("The match is not before the match whose history lists it."))
        .when(is_again)
        .then(pl.lit("A later line lists another match or result of the team at that time."))
    )


def _with_own_line(entries: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The entries with `own_line`, the `order` of the line that is the match itself, where there is one."""
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


def _with_listed_scores(lines: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """The lines; one without a score has that of the histories that list the match, if they agree."""
    listed = (
        entries.filter(pl.col("reason").is_null(), pl.col("own_line").is_not_null())
        .group_by("own_line")
        .agg(
            listed_home=home_goals().first(),
            listed_away=away_goals().first(),
            told=pl.format("{}-{}", home_goals(), away_goals()).unique().sort(),
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
            pl.when(is_unscored & (pl.col("told").list.len() > 1)).then(
                pl.format("The teams' histories list several scores: {}.", pl.col("told").list.join(", "))
            ),
        ),
    ).drop("listed_home", "listed_away", "told")


def _judged(matches: pl.DataFrame) -> pl.DataFrame:
    """The lines with the `reason` why one is neither a result nor a fixture."""
    difference = pl.col("home_goals") - pl.col("away_goals")
    outcome = (
        pl.when(difference > 0).then(pl.lit("home")).when(difference < 0).then(pl.lit("away"))
    ).otherwise(pl.lit("draw"))
    is_scored = pl.col("home_goals").is_not_null()
    return matches.with_columns(
        reason=pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(is_scored & (outcome != pl.col("outcome")))
        .then(pl.format("The score {}-{} is no '{}'.", "home_goals", "away_goals", "outcome"))
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


_ROW = [*_MATCH, "home_goals", "away_goals", "league_name", "order", "origin", "reason"]


def _of_lines(matches: pl.DataFrame) -> pl.DataFrame:
    return matches.with_columns(origin=pl.format("{} {}", "file", "line")).select(_ROW)


def _of_pairs(paired: pl.DataFrame) -> pl.DataFrame:
    return paired.select(
        *_MATCH,
        "home_goals",
        "away_goals",
        origin=pl.format("{} + {}", "home_origin", "away_origin"),
    )


def _of_entries(entries: pl.DataFrame) -> pl.DataFrame:
    """Refused entries, the opponent as `?`."""
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
    """Lines with too few or too many fields. They stand with the line before them, since they have no date."""
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


def _placed(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The rows with `season`, `league_id`, and day and time where the league is.

    What has no date is placed with the line above it that has one, so that it is on record in some season.
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
        .with_columns(country=pl.col("league_id").str.split(".").list.first())
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
    """Rows of one country with `day` and `time` there."""
    zone = TIME_ZONES.get(rows["country"][0] or "", "UTC")
    utc = pl.coalesce("kickoff", "line_kickoff")
    there = utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    is_midnight = (utc.dt.hour() == 0) & (utc.dt.minute() == 0)
    has_time = ~is_midnight | there.dt.hour().is_between(_FIRST_HOUR, _LAST_HOUR)
    return rows.with_columns(
        day=pl.when(has_time).then(there).otherwise(utc).dt.date(),
        time=pl.when(has_time).then(there.dt.strftime("%H:%M")),
    )


def _files(rows: pl.DataFrame) -> list[RebuiltFile]:
    known = rows.filter(pl.col("league_id").is_not_null())
    unknown = _of_unknown_leagues(rows.filter(pl.col("league_id").is_null()))
    files = []
    for part in [*known.partition_by("season", "league_id"), *unknown.partition_by("season")]:
        refused = part.height - part["reason"].null_count()
        files.append(
            RebuiltFile(
                part["season"][0],
                part["league_id"][0] or UNPLACED,
                _csv(part),
                part.height - refused,
                refused,
            )
        )
    return sorted(files, key=lambda file: (file.season, file.league_id))


def _of_unknown_leagues(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a league that has no id here, and those that have a reason of their own."""
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
                    "League {} '{}' is no competition: its {} records of the season, the first in {}, are not read.",
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
    """Results in footballcsv's format, with where each comes from (`origin`) and why it is refused (`refused`)."""
    score = pl.when(pl.col("home_goals").is_not_null() & pl.col("away_goals").is_not_null()).then(
        pl.format("{}-{}", "home_goals", "away_goals")
    )
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
            pl.col("reason").alias("refused"),
        )
        .sort("Date", "Time", "Team 1", "Team 2", "origin", "refused")
        .write_csv()
        .encode()
    )


def _one_line(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.replace_all(r"\s+", " ")
