"""One match from all its entries: which entries speak of the same match, which score stands, what its id is.

A pair of teams may meet more than once at one ground in a season. Each such meeting is a leg. Called by
`matches.py`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import polars as pl

from football_assets.raw.rules import SAME_MATCH_DAYS

MAX_LEGS = 4
# The reason of `_split_teams_twice_a_day`, for those who read it again.
PLAYS_ALREADY = (
    r"^(?<team>.+) already plays on \d{4}-\d\d-\d\d: "
    r"(?<home>.+) against (?<away>.+) \((?<source_object>\S+) .+\)\.$"
)
_PAIR = ["season", "league_id", "home_team", "away_team"]
_LEG = ["pair", "leg_key"]
_ODDS = ["odds_home", "odds_draw", "odds_away"]
_IS_PLAYED = pl.col("home_goals").is_not_null()


@dataclass(frozen=True)
class Merged:
    """Matches with `match_id`, and the entries that gave way, with `reason`."""

    matches: pl.DataFrame
    rejected: pl.DataFrame


def merge(entries: pl.DataFrame) -> Merged:
    """Merge entries into matches.

    Parameters
    ----------
    entries
        Sound rows of all objects, with `object_order` (0 is the oldest object) and `row`, which counts them
        all, the rows of an object in the order of the file.
    """
    paired = entries.with_columns(pair=pl.struct(_PAIR).rank("dense"))
    is_alone = pl.col("pair").is_unique()
    alone = paired.filter(is_alone).with_columns(leg_key=pl.lit(0, pl.Int32))
    several = paired.filter(~is_alone)
    keyed, misread = _split_misread_pairs(several.join(_leg_keys(several), on="row", how="left"))
    has_one_entry = pl.struct(_LEG).is_unique()
    merged, conflicts = _merge_legs(keyed.filter(~has_one_entry))
    single = keyed.filter(has_one_entry).select(alone.columns)
    matches, twice = _split_teams_twice_a_day(pl.concat([alone, single, merged.select(alone.columns)]))
    matches = matches.with_columns(match_ids(_legs(matches)))
    return Merged(matches, pl.concat([misread, conflicts, twice], how="diagonal"))


def match_ids(matches: pl.DataFrame) -> pl.Series:
    """Stable ids, 16 hexadecimal digits, of `league_id`, `season`, `home_team`, `away_team` and `leg` (1, 2 …)."""
    keys = matches.select(
        pl.concat_str("league_id", "season", "home_team", "away_team", "leg", separator="|")
    )
    digests = [
        hashlib.blake2b(key, digest_size=8).hexdigest() for key in keys.to_series().cast(pl.Binary).to_list()
    ]
    return pl.Series("match_id", digests, dtype=pl.String)


class Entry(NamedTuple):
    """What decides which match an entry is. A greater `object_order` is a newer object."""

    object_order: int
    row: int
    kickoff_date: date
    round: str | None
    is_played: bool


def _leg_keys(several: pl.DataFrame) -> pl.DataFrame:
    """`leg_key` of each entry (`row`): 0, 1 …, equal within a pair for entries of the same match."""
    by_date = several.select(
        "pair", "kickoff_date", "round", "object_order", "row", is_played=_IS_PLAYED
    ).sort("pair", "kickoff_date", "row")
    is_new_day = (pl.col("kickoff_date") != pl.col("kickoff_date").shift(1)).fill_null(True)
    is_one_list_of_results = (pl.col("object_order").n_unique() == 1) & pl.col("is_played").all()
    keyed = by_date.with_columns(
        is_one_day=(pl.col("kickoff_date").n_unique() == 1).over("pair"),
        is_one_list_of_results=is_one_list_of_results.over("pair"),
        day=is_new_day.cum_sum().over("pair").cast(pl.Int32) - 1,
    ).with_columns(
        leg_key=pl.when(pl.col("is_one_day") | pl.col("is_one_list_of_results")).then(pl.col("day"))
    )
    plain = keyed.filter(pl.col("leg_key").is_not_null()).select("row", "leg_key")
    unclear = keyed.filter(pl.col("leg_key").is_null()).sort("pair", "row")
    found = [
        leg
        for pair in unclear.partition_by("pair", maintain_order=True)
        for leg in resolve_legs([Entry(*row) for row in pair.select(Entry._fields).iter_rows()])
    ]
    return pl.concat([plain, pl.DataFrame(found, schema=plain.schema, orient="row")])


@dataclass
class _Leg:
    key: int
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_played(self) -> bool:
        return any(entry.is_played for entry in self.entries)

    def days_from(self, entry: Entry) -> int:
        return min(abs((known.kickoff_date - entry.kickoff_date).days) for known in self.entries)

    def has_round_of(self, entry: Entry) -> bool:
        return entry.round is not None and any(known.round == entry.round for known in self.entries)

    def has_other_result_of_object(self, entry: Entry) -> bool:
        return entry.is_played and any(
            known.is_played
            and known.object_order == entry.object_order
            and known.kickoff_date != entry.kickoff_date
            for known in self.entries
        )


def resolve_legs(entries: Sequence[Entry]) -> list[tuple[int, int]]:
    """Say which entries of one pair are the same match: `row` and leg key of each. Objects speak in turn, the
    oldest first.

    An entry is a known leg's if it has the same date; else the same round; else a date at most three days
    away; else if the leg is still to be played and was listed by an older object (the fixture moved).
    Otherwise it is another leg. The surer rules choose first, and an older leg that one entry of an object
    has taken is not open to a less sure claim of that object. Results of different days in one object are
    different matches, whatever the round: teams do meet twice within three days.
    """
    legs: list[_Leg] = []
    for order in sorted({entry.object_order for entry in entries}):
        _place_object([entry for entry in entries if entry.object_order == order], legs)
    return [(entry.row, leg.key) for leg in legs for entry in leg.entries]


def _place_object(entries: Sequence[Entry], legs: list[_Leg]) -> None:
    """Add the entries of the next object to `legs`."""
    older = list(legs)
    taken: set[int] = set()
    waiting = list(entries)
    claims = (
        lambda leg, entry: leg.days_from(entry) == 0,
        lambda leg, entry: leg.key not in taken and leg.has_round_of(entry),
        lambda leg, entry: leg.key not in taken and leg.days_from(entry) <= SAME_MATCH_DAYS,
        lambda leg, entry: leg.key not in taken and not leg.is_played,
    )
    for claim in claims:
        for entry in list(waiting):
            open_legs = [leg for leg in older if claim(leg, entry)]
            if open_legs:
                leg = min(open_legs, key=lambda leg: (leg.days_from(entry), leg.key))
                leg.entries.append(entry)
                taken.add(leg.key)
                waiting.remove(entry)
    for entry in waiting:
        same = [leg for leg in legs if _is_repeated(leg, entry)]
        if same:
            min(same, key=lambda leg: (leg.days_from(entry), leg.key)).entries.append(entry)
        else:
            legs.append(_Leg(len(legs), [entry]))


def _is_repeated(leg: _Leg, entry: Entry) -> bool:
    """The entry's own object has listed the match before."""
    if leg.days_from(entry) == 0:
        return True
    is_near = leg.has_round_of(entry) or leg.days_from(entry) <= SAME_MATCH_DAYS
    return is_near and not leg.has_other_result_of_object(entry)


def _split_misread_pairs(keyed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    counted = keyed.with_columns(legs=pl.col("leg_key").max().over("pair") + 1)
    misread = counted.filter(pl.col("legs") > MAX_LEGS).with_columns(
        reason=pl.format(
            "{} against {} is listed {} times at one ground in a season: the opponent was misread upstream.",
            "home_team",
            "away_team",
            "legs",
        )
    )
    return counted.filter(pl.col("legs") <= MAX_LEGS).drop("legs"), misread


def _merge_legs(keyed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row a leg, and the entries whose score gave way.

    The newest object that has a score decides; without any score, the newest object. Within one object the
    first line decides between scores, the later date between fixtures.
    """
    standing_first = keyed.with_columns(
        is_played=_IS_PLAYED, fixture_date=pl.when(~_IS_PLAYED).then(pl.col("kickoff_date"))
    ).sort(
        "is_played",
        "object_order",
        "fixture_date",
        "row",
        descending=[True, True, True, False],
        nulls_last=True,
    )
    is_odds = pl.col("odds_home").is_not_null()
    is_same_day = pl.col("kickoff_date") == pl.col("kickoff_date").first()
    newest = pl.col("object_order").neg()
    decided = [name for name in keyed.columns if name not in {*_LEG, "kickoff_time", "round", *_ODDS}]
    merged = standing_first.group_by(_LEG, maintain_order=True).agg(
        pl.col(decided).first(),
        pl.col("kickoff_time").filter(is_same_day).drop_nulls().first(),
        pl.col("round").sort_by(newest, maintain_order=True).drop_nulls().first(),
        pl.col(_ODDS)
        .sort_by(newest, maintain_order=True)
        .filter(is_odds.sort_by(newest, maintain_order=True))
        .first(),
    )
    return merged, _conflicts(keyed, merged)


def _conflicts(keyed: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    """Entries with another score than their leg's."""
    standing = ["home_goals", "away_goals", "object_order", "source_object", "line", "path"]
    beside = keyed.join(merged.select(*_LEG, pl.col(standing).name.suffix("_standing")), on=_LEG, how="left")
    differs = (pl.col("home_goals") != pl.col("home_goals_standing")) | (
        pl.col("away_goals") != pl.col("away_goals_standing")
    )
    place = pl.coalesce(pl.format("line {}", "line_standing"), pl.col("path_standing"))
    return beside.filter(_IS_PLAYED & differs).with_columns(
        reason=pl.format(
            "The score {}-{} contradicts {}-{} in {} {}, which {}.",
            "home_goals",
            "away_goals",
            "home_goals_standing",
            "away_goals_standing",
            "source_object_standing",
            place,
            pl.when(pl.col("object_order") == pl.col("object_order_standing"))
            .then(pl.lit("comes first in the file"))
            .otherwise(pl.lit("is newer")),
        )
    )


def _split_teams_twice_a_day(matches: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Nobody plays twice a day: results come before fixtures, newer objects before older ones, then earlier lines."""
    day = ["season", "country", "kickoff_date", "team"]
    sides = pl.concat([matches.select(*day[:3], "row", team=f"{side}_team") for side in ("home", "away")])
    crowded = sides.filter(pl.struct(day).is_duplicated())["row"].unique()
    suspects = (
        matches.filter(pl.col("row").is_in(crowded.implode()))
        .with_columns(is_played=_IS_PLAYED)
        .sort("is_played", "object_order", "row", descending=[True, True, False])
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
    """Number the matches of a pair by date: `leg` 1, 2 …"""
    several = matches.filter(pl.col("pair").is_duplicated()).sort("pair", "kickoff_date", "leg_key")
    numbered = several.select("row", leg=pl.int_range(pl.len()).over("pair") + 1)
    joined = matches.join(numbered, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.col("leg").fill_null(1))
