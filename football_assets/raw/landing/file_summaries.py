"""Validate files before they land, by the rules of `raw_matches` that apply to a single file.

`football land` and `football sync` use the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import polars as pl

from football_assets.domain.columns import is_played
from football_assets.domain.leagues import COUNTRIES
from football_assets.raw.formats.frames import FileContent, of_rows, read_files, with_origins
from football_assets.raw.landing.foreign_clubs import countries_of_clubs
from football_assets.raw.matching.canonical_clubs import against_themselves
from football_assets.raw.matching.entries import validate_rows
from football_assets.raw.measure_rules import without_bad_measures
from football_assets.raw.plain_odds import without_unsound_odds
from football_assets.raw.rules import without_void

LARGEST_LOSS = 0.1
"""Share of the landed matches, or of their results, that a new file may lack. Above it the file counts as truncated."""
_SMALL_LOSS = 5  # matches, early in a season


class Candidate(NamedTuple):
    """The bytes of a file, its format (`json` or `csv`), and the season and league of its landing object."""

    data: bytes
    extension: str
    season: str
    league_id: str


@dataclass(frozen=True)
class FileSummary:
    """Numbers of results, fixtures and rejected records of a file, with place and reason of the first rejection.

    `line` counts from 1; `path` is a JSON path. `additions`: rows that only add measures to matches of other files.
    `left_out`: matches without some of their odds and statistics, `left_out_line` and `left_out_reason` of the first.
    `clubs_of`: the country of the clubs, if it is another than that of the league (`foreign_clubs`).
    """

    results: int = 0
    fixtures: int = 0
    rejected: int = 0
    line: int | None = None
    path: str | None = None
    reason: str | None = None
    additions: int = 0
    left_out: int = 0
    left_out_line: int | None = None
    left_out_reason: str | None = None
    clubs_of: str | None = None

    @property
    def matches(self) -> int:
        """Return the number of results, fixtures and additions."""
        return self.results + self.fixtures + self.additions

    @property
    def first_reason(self) -> str | None:
        """Return the reason of the first rejection with its place; None if no record is rejected."""
        place = f"line {self.line}" if self.line is not None else self.path
        return f"{place}: {self.reason}" if place else self.reason

    @property
    def problem(self) -> str | None:
        """Return the reason why the file holds no match of its league, or None if it holds one."""
        if self.clubs_of is not None:
            place = COUNTRIES.get(self.clubs_of, self.clubs_of)
            return f"Its clubs are those of {place}, but its name is of another country: name it after its own league."
        if self.matches:
            return None
        if not self.rejected:
            return "The file lists no match."
        if self.line is None and self.path is None:  # the file as a whole
            return self.reason
        if self.rejected == 1:
            return f"Its only record is not a match, {self.first_reason}"
        return f"None of its {self.rejected:,} records is a match. The first is {self.first_reason}"


def summarise_files(files: Sequence[Candidate], today: date) -> list[FileSummary]:
    """Count the matches and rejected records of each file.

    A row counts as a match if `raw_matches` would contain it with this file alone.

    Parameters
    ----------
    today
        Matches played after this day are rejected.
    """
    read = _read(files, today)
    matches, rejected = read.matches, read.rejected
    countries = countries_of_clubs(matches)
    is_addition = pl.col("is_addition")
    found = matches.group_by("object_order").agg(
        results=(is_played() & ~is_addition).sum(),
        fixtures=(~is_played() & ~is_addition).sum(),
        additions=is_addition.sum(),
    )
    reasons = (
        rejected.sort("object_order", "line", "path", nulls_last=True)
        .group_by("object_order", maintain_order=True)
        .agg(pl.len().alias("rejected"), pl.col("line", "path", "reason").first())
    )
    measures = (
        _left_out(read)
        .sort("object_order", "line", nulls_last=True)
        .group_by("object_order", maintain_order=True)
        .agg(
            left_out=pl.col("row").n_unique(),
            left_out_line=pl.col("line").first(),
            why=pl.col("reason").first(),
        )
    )
    joined = found.join(reasons, on="object_order", how="full", coalesce=True).join(
        measures, on="object_order", how="left"
    )
    counted = {
        row["object_order"]: FileSummary(
            row["results"] or 0,
            row["fixtures"] or 0,
            row["rejected"] or 0,
            row["line"],
            row["path"],
            row["reason"],
            row["additions"] or 0,
            row["left_out"] or 0,
            row["left_out_line"],
            row["why"],
            countries.get(row["object_order"]),
        )
        for row in joined.iter_rows(named=True)
    }
    return [counted.get(order, FileSummary()) for order in range(len(files))]


def holds_all_of(new: Candidate, old: Candidate, today: date) -> bool:
    """Return whether a new file contains all matches of an old one, with a result for each of its results.

    A row that only adds measures contains no match, and no match contains its measures.
    """
    matches = _read([old, new], today).matches
    match = ["home_team", "away_team", "is_addition"]
    counts = matches.group_by("object_order", *match).agg(listed=pl.len(), played=is_played().sum())
    before, after = (counts.filter(pl.col("object_order") == order) for order in (0, 1))
    both = before.join(after, on=match, how="left", suffix="_after")
    kept = (pl.col("listed_after") >= pl.col("listed")) & (pl.col("played_after") >= pl.col("played"))
    return both.filter(kept).height == before.height


class _Readings(NamedTuple):
    """What files hold.

    Attributes
    ----------
    matches
        The matches, with canonical club names.
    rejected
        The rejected records, with their `reason`.
    measures
        Odds and statistics by `row`.
    shifted
        Place and `reason` of each row whose odds and statistics may be in other columns.
    """

    matches: pl.DataFrame
    rejected: pl.DataFrame
    measures: pl.DataFrame
    shifted: pl.DataFrame


def _read(files: Sequence[Candidate], today: date) -> _Readings:
    origins = pl.DataFrame(
        {
            "object_order": range(len(files)),
            "season": [file.season for file in files],
            "league_id": [
                str(order) for order in range(len(files))
            ],  # unique, so that no file affects another
            "country": [file.league_id.partition(".")[0] for file in files],
            "source_object": [f"{file.season}/{file.league_id}" for file in files],
        },
        schema={"object_order": pl.Int32}
        | dict.fromkeys(("season", "league_id", "country", "source_object"), pl.String),
    )
    found = read_files([FileContent(file.data, file.extension, file.league_id) for file in files])
    rows = with_origins(found.rows, origins)
    entries = validate_rows(rows, today)
    valid, void = without_void(entries.valid)
    matches = valid.filter(pl.col("home_team") != pl.col("away_team"))
    unusable = (
        with_origins(found.rejections.filter(pl.col("left_out").is_null()), origins),
        entries.rejected,
        void,
        against_themselves(valid),
    )
    return _Readings(
        matches,
        pl.concat(frame.select("object_order", "line", "path", "reason") for frame in unusable),
        of_rows(found.measures, rows),
        found.rejections.filter(pl.col("left_out").is_not_null()),
    )


def _left_out(read: _Readings) -> pl.DataFrame:
    """Find the matches of which `raw_matches` leaves out odds or statistics, with the `reason`."""
    matches = read.matches
    measured = matches.select("row", "home_goals", "away_goals").join(
        read.measures, on="row", maintain_order="left"
    )
    clean, bad = without_bad_measures(measured)
    _, unsound = without_unsound_odds(matches, measured, clean)
    shifted = read.shifted.join(matches.select("object_order", "line", "row"), on=["object_order", "line"])
    return pl.concat(
        frame.select("object_order", "line", "row", "reason")
        for frame in (matches.join(bad, on="row"), unsound, shifted)
    )


class Loss(NamedTuple):
    """Matches or results that a file has and the landed object had, as texts: `1 match` and `19`."""

    has: str
    had: str


def find_loss(new: FileSummary, landed: FileSummary) -> Loss | None:
    """Return the loss if a file has far fewer matches, or results, than the landed object; None otherwise."""
    for one, several, had, has in (
        ("match", "matches", landed.matches, new.matches),
        ("result", "results", landed.results, new.results),
    ):
        if had - has > max(_SMALL_LOSS, LARGEST_LOSS * had) or (had and not has):
            return Loss(f"{has:,} {one if has == 1 else several}", f"{had:,}")
    return None
