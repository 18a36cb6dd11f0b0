"""Group the entries of a pair of teams at one ground by match.

A pair may meet more than once at a ground in a season: each meeting is a leg. The result does not depend on the order
in which files landed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import NamedTuple

import polars as pl

from football_assets.domain.columns import is_played
from football_assets.domain.seasons import overlapping_seasons
from football_assets.raw.rules import SAME_MATCH_DAYS

PAIR = ["season", "league_id", "home_team", "away_team"]
_LEAGUE = ["season", "league_id"]
_NUMBER = re.compile(r"\d+")
REARRANGED_DAYS = 21
"""A fixture up to this many days after a result may be the original day of a match that was brought forward.

It applies to leagues whose pairs meet twice at one ground.
"""


class Entry(NamedTuple):
    """The columns that decide which match an entry belongs to. `score` is None until the match is played."""

    object_order: int
    row: int
    kickoff_date: date
    round: str | None
    score: tuple[int, int] | None


class LeagueContext(NamedTuple):
    """Properties of the league of a pair. `meets_again`: other pairs meet twice at one ground."""

    meets_again: bool = False
    is_cup: bool = False


@dataclass
class _Leg:
    entries: list[Entry]

    @property
    def first_date(self) -> date:
        return min(entry.kickoff_date for entry in self.entries)


def resolve_legs(entries: Sequence[Entry], league: LeagueContext) -> list[tuple[int, int]]:
    """Group the entries of one pair by match.

    Entries of one day are one match. Two legs are joined unless an entry of one and an entry of the other are
    different matches (`_is_other_match`). Legs with the same numbered round are joined first, then legs a few days
    apart, then legs with the same result, then the rest; within each group in order of the days between them.

    Returns
    -------
    list[tuple[int, int]]
        `row` and leg number of each entry. Legs count from 0 in order of their first day.
    """
    by_day: dict[date, _Leg] = {}
    for entry in sorted(entries, key=lambda entry: (entry.kickoff_date, entry.row)):
        by_day.setdefault(entry.kickoff_date, _Leg([])).entries.append(entry)
    leg_of = dict(by_day)
    claims = sorted(
        (_sureness(by_day[one], by_day[other]), one, other) for one, other in combinations(by_day, 2)
    )
    for _, one, other in claims:
        first, second = leg_of[one], leg_of[other]
        if first is not second and not _are_apart(first, second, league):
            first.entries += second.entries
            leg_of = {day: first if leg is second else leg for day, leg in leg_of.items()}
    legs = sorted({id(leg): leg for leg in leg_of.values()}.values(), key=lambda leg: leg.first_date)
    return [(entry.row, number) for number, leg in enumerate(legs) for entry in leg.entries]


def _sureness(one: _Leg, other: _Leg) -> tuple[int, int]:
    """Return the sort key of two days of a pair: those with the smaller key are joined first."""
    days = abs((one.first_date - other.first_date).days)
    pairs = [(entry, there) for entry in one.entries for there in other.entries]
    if any(_has_same_round(entry, there) for entry, there in pairs):
        return 0, days
    if days <= SAME_MATCH_DAYS:
        return 1, days
    return (2 if any(entry.score and entry.score == there.score for entry, there in pairs) else 3), days


def _are_apart(one: _Leg, other: _Leg, league: LeagueContext) -> bool:
    return any(_is_other_match(entry, there, league) for entry in one.entries for there in other.entries)


def _is_other_match(one: Entry, other: Entry, league: LeagueContext) -> bool:
    """Return whether two entries of different days are different matches."""
    if one.object_order == other.object_order:
        return _is_other_match_of_list(one, other, league)
    if abs((one.kickoff_date - other.kickoff_date).days) <= SAME_MATCH_DAYS or _has_same_round(one, other):
        return False
    if _has_other_stage(one, other, league):
        return True
    if one.score and other.score:
        return one.score != other.score or league.meets_again
    if not league.meets_again:
        return False
    return _has_other_round(one, other) or _is_played_before(one, other, REARRANGED_DAYS)


def _is_other_match_of_list(one: Entry, other: Entry, league: LeagueContext) -> bool:
    """Return whether two entries of one object are different matches.

    Different scores are different matches: teams do meet twice within three days.
    """
    if one.score and other.score:
        if one.score != other.score:
            return True
        return not _has_same_round(one, other) and (_has_other_round(one, other) or league.meets_again)
    if _has_same_round(one, other):
        return False
    if _has_other_round(one, other):
        return True
    if abs((one.kickoff_date - other.kickoff_date).days) <= SAME_MATCH_DAYS:
        return False
    is_fixture_twice = not one.score and not other.score
    return is_fixture_twice or league.meets_again or _is_played_before(one, other)


def _is_played_before(one: Entry, other: Entry, days: int = 0) -> bool:
    """Return whether one entry is a result and the other a fixture more than `days` days later."""
    first, second = sorted((one, other), key=lambda entry: entry.kickoff_date)
    is_later = (second.kickoff_date - first.kickoff_date).days > days
    return is_later and first.score is not None and second.score is None


def _has_same_round(one: Entry, other: Entry) -> bool:
    """Return whether both entries have the same numbered round, like `Matchday 5` and `5. Round`.

    A round without a number, like `Regular Season`, may hold several matches of a pair.
    """
    if one.round is None or other.round is None or not (_is_counted(one.round) and _is_counted(other.round)):
        return False
    stages = {_stage(one.round), _stage(other.round)} - {""}
    return len(stages) <= 1 and _number(one.round) == _number(other.round)


def _has_other_round(one: Entry, other: Entry) -> bool:
    if one.round is None or other.round is None or one.round == other.round:
        return False
    return not _has_same_round(one, other)


def _has_other_stage(one: Entry, other: Entry, league: LeagueContext) -> bool:
    """Return whether two sources list different stages: a knock-out round and another match, or two named stages."""
    if one.round is None or other.round is None:
        named = one.round or other.round
        return named is not None and not _is_counted(named) and not league.is_cup
    if _is_counted(one.round) != _is_counted(other.round):
        return True
    stages = _stage(one.round), _stage(other.round)
    return all(stages) and stages[0] != stages[1]


def _is_counted(round_name: str) -> bool:
    """Return whether a round has a number, like `Matchday 5`, unlike `Playoffs, Semifinals`."""
    return _NUMBER.search(round_name.rpartition(", ")[2]) is not None


def _number(round_name: str) -> int:
    found = _NUMBER.search(round_name.rpartition(", ")[2])
    return int(found[0]) if found else 0


def _stage(round_name: str) -> str:
    """Return `Apertura` of `Apertura, Matchday 5`; empty if no stage is named."""
    stage, _, counted = round_name.rpartition(", ")
    return stage if _is_counted(counted) else round_name


def pairs_that_meet_again(entries: pl.DataFrame) -> pl.DataFrame:
    """Find the pairs of which one object lists two results with different scores, except in knock-out stages.

    Parameters
    ----------
    entries
        Valid rows with PAIR, `object_order`, `kickoff_date`, `round` and goals.

    Returns
    -------
    pl.DataFrame
        PAIR, one row per pair.
    """
    is_knock_out = ~pl.col("round").str.contains(r"\d[^,]*$")
    of_list = [*PAIR, "object_order"]
    results = entries.filter(is_played(), ~is_knock_out.fill_null(False), pl.struct(of_list).is_duplicated())
    score = pl.struct("home_goals", "away_goals")
    return (
        results.group_by(of_list)
        .agg(days=pl.col("kickoff_date").n_unique(), scores=score.n_unique())
        .filter(pl.col("days") > 1, pl.col("scores") > 1)
        .select(PAIR)
        .unique()
    )


def with_meetings_of_others(several: pl.DataFrame, again: pl.DataFrame) -> pl.DataFrame:
    """Add `meets_again`: whether other pairs of the league meet twice at one ground in this or an overlapping season.

    Parameters
    ----------
    several
        Entries with PAIR.
    again
        Result of `pairs_that_meet_again` for these and the overlapping seasons.
    """
    labels = {*several["season"].unique(), *again["season"].unique()}
    beside = pl.DataFrame(
        [(label, other) for label in sorted(labels) for other in overlapping_seasons(label, labels)],
        schema={"season": pl.String, "beside": pl.String},
        orient="row",
    )
    counted = again.group_by(_LEAGUE).agg(pairs=pl.len())
    there = (
        beside.join(counted, left_on="beside", right_on="season")
        .group_by(_LEAGUE)
        .agg(pairs_beside=pl.col("pairs").sum())
    )
    others = pl.col("pairs").fill_null(0) + pl.col("pairs_beside").fill_null(0)
    return (
        several.join(counted, on=_LEAGUE, how="left", maintain_order="left")
        .join(there, on=_LEAGUE, how="left", maintain_order="left")
        .join(again.with_columns(is_again=1), on=PAIR, how="left", maintain_order="left")
        .with_columns(meets_again=others > pl.col("is_again").fill_null(0))
        .drop("pairs", "pairs_beside", "is_again")
    )
