"""Merge the entries of all objects into matches: group entries by match, choose the score, assign the match id.

A pair of teams may meet more than once at one ground in a season. Each such meeting is a leg.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

import polars as pl

from football_assets.domain.columns import is_played
from football_assets.domain.leagues import MAX_LEGS
from football_assets.raw.matching.legs import (
    PAIR,
    Entry,
    LeagueContext,
    resolve_legs,
    with_meetings_of_others,
)
from football_assets.raw.rules import SAME_MATCH_DAYS

# Matches the reason that `_split_teams_twice_a_day` writes. `club_report` parses it.
PLAYS_ALREADY = (
    r"^(?<team>.+) already plays on \d{4}-\d\d-\d\d: "
    r"(?<home>.+) against (?<away>.+) \((?<source_object>\S+) .+\)\.$"
)
_LEG = ["pair", "leg_key"]
_SCORE = ["home_goals", "away_goals"]
_ODDS = ["odds_home", "odds_draw", "odds_away"]


@dataclass(frozen=True)
class Merged:
    """Matches with `match_id`, and the entries that were rejected, with `reason`.

    `entries` of a match lists the `row` of each entry that agrees with its score, in order of preference.
    """

    matches: pl.DataFrame
    rejected: pl.DataFrame


def merge(entries: pl.DataFrame, meeting_again: pl.DataFrame) -> Merged:
    """Merge entries into matches. The result does not depend on the order in which objects landed.

    Parameters
    ----------
    entries
        Valid rows of all objects, with `object_order` (objects in order of source and name, from 0) and `row` (number
        over all objects; the rows of an object are in the order of the file).
    meeting_again
        Result of `legs.pairs_that_meet_again`: the pairs that meet twice at one ground.
    """
    paired = entries.with_columns(
        pair=pl.struct(PAIR).rank("dense"), listings=pl.lit(1, pl.UInt32), entries=pl.concat_list("row")
    )
    is_alone = pl.col("pair").is_unique()
    alone = paired.filter(is_alone).with_columns(leg_key=pl.lit(0, pl.Int32))
    several = paired.filter(~is_alone)
    keyed, misread = _split_misread_pairs(
        several.join(_leg_keys(several, meeting_again), on="row", how="left", maintain_order="left")
    )
    has_one_entry = pl.struct(_LEG).is_unique()
    merged, contradicted = _merge_legs(keyed.filter(~has_one_entry))
    single = keyed.filter(has_one_entry).select(alone.columns)
    matches, twice = _split_teams_twice_a_day(pl.concat([alone, single, merged.select(alone.columns)]))
    matches = matches.with_columns(match_ids(_legs(matches)))
    return Merged(matches, pl.concat([misread, contradicted, twice], how="diagonal"))


def match_ids(matches: pl.DataFrame) -> pl.Series:
    """Hash league, season, home team, away team and leg (1, 2 …) to stable ids of 16 hexadecimal digits."""
    keys = matches.select(
        pl.concat_str("league_id", "season", "home_team", "away_team", "leg", separator="|")
    )
    digests = [
        hashlib.blake2b(key, digest_size=8).hexdigest() for key in keys.to_series().cast(pl.Binary).to_list()
    ]
    return pl.Series("match_id", digests, dtype=pl.String)


def _leg_keys(several: pl.DataFrame, meeting_again: pl.DataFrame) -> pl.DataFrame:
    """Assign each entry (`row`) its `leg_key`: 0, 1 …, equal within a pair for entries of the same match."""
    score = pl.when(is_played()).then(pl.struct("home_goals", "away_goals"))
    by_list = several.group_by("pair", "object_order").agg(
        is_of_results=is_played().all(),
        days=pl.col("kickoff_date").n_unique(),
        scores=pl.struct("home_goals", "away_goals").n_unique(),
        entries=pl.len(),
    )
    # An object that lists a different score on each day of the pair lists its legs.
    lists_all = (
        pl.col("is_of_results") & (pl.col("scores") == pl.col("days")) & (pl.col("entries") == pl.col("days"))
    )
    longest = by_list.group_by("pair").agg(known_days=pl.col("days").filter(lists_all).max())
    is_new_day = (pl.col("kickoff_date") != pl.col("kickoff_date").shift(1)).fill_null(True)
    keyed = (
        several.select(*PAIR, "pair", "object_order", "row", "kickoff_date", "round", "is_cup", score=score)
        .sort("pair", "kickoff_date", "row")
        .with_columns(
            days=pl.col("kickoff_date").n_unique().over("pair"),
            day=is_new_day.cum_sum().over("pair").cast(pl.Int32) - 1,
        )
        .join(longest, on="pair", how="left", maintain_order="left")
    )
    is_plain = (pl.col("days") == 1) | (pl.col("days") == pl.col("known_days")).fill_null(False)
    unresolved = with_meetings_of_others(keyed.filter(~is_plain), meeting_again)
    # In a league whose pairs meet twice, equal scores in one object without rounds are matches of their own.
    is_one_list = (pl.col("object_order").n_unique() == 1) & pl.col("score").is_not_null().all()
    is_repeated = (is_one_list & pl.col("round").is_null().all()).over("pair") & pl.col("meets_again")
    plain = pl.concat(
        [
            keyed.filter(is_plain).select("row", leg_key="day"),
            unresolved.filter(is_repeated).select("row", leg_key="day"),
        ]
    )
    unclear = unresolved.filter(~is_repeated).sort("pair", "row")
    found = [
        leg
        for pair in unclear.partition_by("pair", maintain_order=True)
        for leg in resolve_legs(_entries(pair), LeagueContext(pair["meets_again"][0], pair["is_cup"][0]))
    ]
    return pl.concat([plain, pl.DataFrame(found, schema=plain.schema, orient="row")])


def _entries(pair: pl.DataFrame) -> list[Entry]:
    return [
        Entry(order, row, day, round_name, score and (score["home_goals"], score["away_goals"]))
        for order, row, day, round_name, score in pair.select(Entry._fields).iter_rows()
    ]


def _split_misread_pairs(keyed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off the pairs that meet, or of which one object lists results, on more than MAX_LEGS days."""
    crowded = keyed.filter(pl.len().over("pair") > MAX_LEGS)
    legs = crowded.group_by("pair").agg(legs=pl.col("leg_key").max() + 1)
    days = (
        crowded.filter(is_played())
        .group_by("pair", "object_order")
        .agg(legs=pl.col("kickoff_date").n_unique().cast(pl.Int32))
        .drop("object_order")
    )
    often = (
        pl.concat([legs, days]).filter(pl.col("legs") > MAX_LEGS).group_by("pair").agg(pl.col("legs").max())
    )
    misread = keyed.join(often, on="pair", maintain_order="left").with_columns(
        reason=pl.format(
            "{} against {} is listed {} times at one ground in a season: the opponent was misread upstream.",
            "home_team",
            "away_team",
            "legs",
        )
    )
    return keyed.join(often, on="pair", how="anti", maintain_order="left"), misread


def _merge_legs(keyed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Merge the entries of each leg to one row, and return the rejected results beside them.

    The score that most objects list is chosen; with equal counts that of the first object, within an object that of
    the first line. The day is the one that most objects list with that score, else the latest.
    """
    legs = keyed.group_by(_LEG).agg(
        listings=pl.col("object_order").n_unique().cast(pl.UInt32),
        results=pl.struct(*_SCORE, "kickoff_date").n_unique(),
    )
    counted = keyed.drop("listings").join(legs, on=_LEG, maintain_order="left")
    differing = counted.filter(pl.col("results") > 1).with_columns(
        score_listings=pl.col("object_order").n_unique().over(*_LEG, *_SCORE),
        score_row=pl.col("row").min().over(*_LEG, *_SCORE),
        day_listings=pl.col("object_order").n_unique().over(*_LEG, *_SCORE, "kickoff_date"),
    )
    chosen_first = differing.sort(
        is_played(),
        "score_listings",
        "score_row",
        "day_listings",
        "kickoff_date",
        "row",
        descending=[True, True, False, True, True, False],
    )
    decided = _first_of_legs(chosen_first)
    agreed = _first_of_legs(counted.filter(pl.col("results") == 1))
    merged = pl.concat([agreed, decided.select(agreed.columns)])
    return merged, _contradicted(differing, decided)


def _first_of_legs(entries: pl.DataFrame) -> pl.DataFrame:
    """Reduce each leg to its first entry, with time, round and odds of the first entry that has them."""
    is_same_day = pl.col("kickoff_date") == pl.col("kickoff_date").first()
    is_same_score = pl.all_horizontal(pl.col(goals) == pl.col(goals).first() for goals in _SCORE)
    taken = [
        name for name in entries.columns if name not in {*_LEG, "kickoff_time", "round", *_ODDS, "entries"}
    ]
    return entries.group_by(_LEG, maintain_order=True).agg(
        pl.col(taken).first(),
        pl.col("kickoff_time").filter(is_same_day).drop_nulls().first(),
        pl.col("round").drop_nulls().first(),
        pl.col(_ODDS).filter(pl.col("odds_home").is_not_null()).first(),
        entries=pl.col("row").filter(is_same_score | ~is_played()),
    )


def _contradicted(differing: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Select results with another score than that of their leg, and those that repeat its score on another day.

    Between sources, days may differ by SAME_MATCH_DAYS; within one object they may not.
    """
    standing = [*_SCORE, "kickoff_date", "object_order", "score_listings", "source_object", "line", "path"]
    beside = differing.join(
        decided.select(*_LEG, pl.col(standing).name.suffix("_standing")), on=_LEG, how="left"
    )
    is_other_score = (pl.col("home_goals") != pl.col("home_goals_standing")) | (
        pl.col("away_goals") != pl.col("away_goals_standing")
    )
    days = (pl.col("kickoff_date") - pl.col("kickoff_date_standing")).dt.total_days().abs()
    is_of_list = pl.col("object_order") == pl.col("object_order_standing")
    is_other_day = (days > SAME_MATCH_DAYS) | ((days > 0) & is_of_list)
    place = pl.format(
        "{} {}",
        "source_object_standing",
        pl.coalesce(pl.format("line {}", "line_standing"), pl.col("path_standing")),
    )
    return beside.filter(is_played() & (is_other_score | is_other_day)).with_columns(
        reason=pl.when(is_other_score)
        .then(
            pl.format(
                "The score {}-{} contradicts {}-{} in {}, which {}.",
                *_SCORE,
                *(f"{goals}_standing" for goals in _SCORE),
                place,
                pl.when(is_of_list)
                .then(pl.lit("comes first in the file"))
                .when(pl.col("score_listings") < pl.col("score_listings_standing"))
                .then(pl.lit("more files list"))
                .otherwise(pl.lit("is of the first file by source and name")),
            )
        )
        .otherwise(
            pl.format(
                "The result {}-{} is listed twice: {} has it on {}, which counts.",
                *_SCORE,
                place,
                pl.col("kickoff_date_standing").dt.to_string(),
            )
        )
    )


def _split_teams_twice_a_day(matches: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off matches of a team that already plays on that day.

    Results take precedence over fixtures, then matches that more objects list, then objects in order of source and
    name, then the order of lines.
    """
    day = ["season", "country", "kickoff_date", "team"]
    sides = pl.concat([matches.select(*day[:3], "row", team=f"{side}_team") for side in ("home", "away")])
    crowded = sides.filter(pl.struct(day).is_duplicated())["row"].unique()
    suspects = (
        matches.filter(pl.col("row").is_in(crowded.implode()))
        .with_columns(is_played=is_played())
        .sort("is_played", "listings", "row", descending=[True, True, False])
    )
    playing: dict[tuple[str, str, date, str], str] = {}
    refused: list[tuple[int, str]] = []
    for row in suspects.iter_rows(named=True):
        keys = [
            (row["season"], row["country"], row["kickoff_date"], row[side])
            for side in ("home_team", "away_team")
        ]
        busy = next((key for key in keys if key in playing), None)
        if busy is not None:
            refused.append(
                (row["row"], f"{busy[3]} already plays on {row['kickoff_date']}: {playing[busy]}.")
            )
            continue
        place = row["path"] if row["line"] is None else f"line {row['line']}"
        playing |= dict.fromkeys(
            keys, f"{row['home_team']} against {row['away_team']} ({row['source_object']} {place})"
        )
    twice = pl.DataFrame(refused, schema={"row": matches.schema["row"], "reason": pl.String}, orient="row")
    is_refused = pl.col("row").is_in(twice["row"].implode())
    return matches.filter(~is_refused), matches.filter(is_refused).join(twice, on="row", how="inner")


def _legs(matches: pl.DataFrame) -> pl.DataFrame:
    """Add `leg`: the number of a match among those of its pair, by date, from 1."""
    several = matches.filter(pl.col("pair").is_duplicated()).sort("pair", "kickoff_date", "leg_key")
    numbered = several.select("row", leg=pl.int_range(pl.len()).over("pair") + 1)
    joined = matches.join(numbered, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.col("leg").fill_null(1))
