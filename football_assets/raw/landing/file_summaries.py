"""Judges files before they land, by the rules of `raw_matches` as far as one file allows. `land` and `sync` use it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import polars as pl

from football_assets.raw.formats.frames import FileContent, read_files, with_origins
from football_assets.raw.matching.canonical_clubs import against_themselves, with_canonical_clubs
from football_assets.raw.rules import clean_names, with_reasons, without_void

LARGEST_LOSS = 0.1
"""Share of the landed matches, or of their results, that a new file may lack: corrections, not a cut."""
_SMALL_LOSS = 5  # matches, early in a season


class Candidate(NamedTuple):
    """A file's bytes, its format (`json` or `csv`) and the season and league that its place says."""

    data: bytes
    extension: str
    season: str
    league_id: str


@dataclass(frozen=True)
class FileSummary:
    """What a file holds: results, fixtures, and rejected records, with line or JSON path and reason of the first."""

    results: int = 0
    fixtures: int = 0
    rejected: int = 0
    line: int | None = None
    path: str | None = None
    reason: str | None = None

    @property
    def matches(self) -> int:
        """Results and fixtures."""
        return self.results + self.fixtures

    @property
    def first_reason(self) -> str | None:
        """Why the first rejected record is no match, with its place; None if none is rejected."""
        place = f"line {self.line}" if self.line is not None else self.path
        return f"{place}: {self.reason}" if place else self.reason

    @property
    def problem(self) -> str | None:
        """Why the file is of no use, or None if it holds a match."""
        if self.matches:
            return None
        if not self.rejected:
            return "The file lists no match."
        if self.line is None and self.path is None:  # the file as a whole
            return self.reason
        if self.rejected == 1:
            return f"Its only record is no match, {self.first_reason}"
        return f"None of its {self.rejected:,} records is a match. The first, {self.first_reason}"


def summarise_files(files: Sequence[Candidate], today: date) -> list[FileSummary]:
    """What each of the files holds.

    A row counts as a match if `raw_matches` would take it, were its file the only one.

    Parameters
    ----------
    today
        Matches played after this day are rejected.
    """
    matches, rejected = _sound_and_rejected(files, today)
    is_played = pl.col("home_goals").is_not_null()
    found = matches.group_by("object_order").agg(results=is_played.sum(), fixtures=(~is_played).sum())
    reasons = (
        rejected.sort("object_order", "line", "path", nulls_last=True)
        .group_by("object_order", maintain_order=True)
        .agg(pl.len().alias("rejected"), pl.col("line", "path", "reason").first())
    )
    counted = {
        row["object_order"]: FileSummary(
            row["results"] or 0,
            row["fixtures"] or 0,
            row["rejected"] or 0,
            row["line"],
            row["path"],
            row["reason"],
        )
        for row in found.join(reasons, on="object_order", how="full", coalesce=True).iter_rows(named=True)
    }
    return [counted.get(order, FileSummary()) for order in range(len(files))]


def holds_all_of(new: Candidate, old: Candidate, today: date) -> bool:
    """Whether every match of a file is in a newer one, and every result a result there: nothing would be lost."""
    matches, _ = _sound_and_rejected([old, new], today)
    counts = matches.group_by("object_order", "home_team", "away_team").agg(
        listed=pl.len(), played=pl.col("home_goals").is_not_null().sum()
    )
    before, after = (counts.filter(pl.col("object_order") == order) for order in (0, 1))
    both = before.join(after, on=["home_team", "away_team"], how="left", suffix="_after")
    kept = (pl.col("listed_after") >= pl.col("listed")) & (pl.col("played_after") >= pl.col("played"))
    return both.filter(kept).height == before.height


def _sound_and_rejected(files: Sequence[Candidate], today: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The matches that files list, clubs by their canonical names, and the rejected records with their `reason`."""
    origins = pl.DataFrame(
        {
            "object_order": range(len(files)),
            "season": [file.season for file in files],
            "league_id": [str(order) for order in range(len(files))],  # so that no file is judged by another
            "country": [file.league_id.partition(".")[0] for file in files],
            "source_object": [f"{file.season}/{file.league_id}" for file in files],
        },
        schema={"object_order": pl.Int32}
        | dict.fromkeys(("season", "league_id", "country", "source_object"), pl.String),
    )
    rows, rejections = read_files([FileContent(file.data, file.extension, file.league_id) for file in files])
    judged = with_reasons(clean_names(with_origins(rows, origins)), today)
    named = with_canonical_clubs(judged.filter(pl.col("reason").is_null()).drop("reason"))
    sound, void = without_void(named)
    unusable = (
        with_origins(rejections, origins),
        judged.filter(pl.col("reason").is_not_null()),
        void,
        against_themselves(sound),
    )
    return (
        sound.filter(pl.col("home_team") != pl.col("away_team")),
        pl.concat(frame.select("object_order", "line", "path", "reason") for frame in unusable),
    )


class Loss(NamedTuple):
    """How many matches, or results, a file has and the landed object had: `1 match` and `19`."""

    has: str
    had: str


def find_loss(new: FileSummary, landed: FileSummary) -> Loss | None:
    """What a file would lose in place of the landed object: far fewer matches or results than it. None: nothing."""
    for one, several, had, has in (
        ("match", "matches", landed.matches, new.matches),
        ("result", "results", landed.results, new.results),
    ):
        if had - has > max(_SMALL_LOSS, LARGEST_LOSS * had) or (had and not has):
            return Loss(f"{has:,} {one if has == 1 else several}", f"{had:,}")
    return None
