"""Validate landing objects of a bucket as `football land` validates files: `football validate results`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from football_assets.errors import BucketError
from football_assets.raw.formats.csv_table import read_csv_table
from football_assets.raw.formats.divisions import check_division
from football_assets.raw.formats.records import UnreadableFile, WrongDivision
from football_assets.raw.landing.file_summaries import Candidate, FileSummary, summarise_files
from football_assets.raw.landing.objects import RAW, StrayObject, parse_object_name
from football_assets.raw.rules import MAX_REJECTED_SHARE
from football_assets.storage.bucket import Bucket


@dataclass(frozen=True)
class ValidatedObject:
    """The verdict about one landing object.

    Attributes
    ----------
    name
        The object's name, below `raw/`.
    summary
        Numbers of results, fixtures and rejected records; zeros where the object cannot be read.
    problem
        Why the object is not valid; None if it is valid.
    """

    name: str
    summary: FileSummary
    problem: str | None

    @property
    def is_valid(self) -> bool:
        """Return whether the object has no problem."""
        return self.problem is None


def validate_objects(
    bucket: Bucket, names: Sequence[str], today: date | None = None
) -> list[ValidatedObject]:
    """Validate landing objects one by one, in the given order.

    An object has a problem if its name lacks season, league or format, if it does not exist, if no record of it is a
    match, if more than MAX_REJECTED_SHARE of its records are rejected, or if it is of another division than its name
    says.

    Parameters
    ----------
    names
        Names of objects below `raw/`.
    today
        Matches played after this day are rejected; None: today.
    """
    return [_validate(bucket, name, today or date.today()) for name in names]


def _validate(bucket: Bucket, name: str, today: date) -> ValidatedObject:
    if not name.startswith(RAW):
        return _unusable(name, f"It is not below {RAW}.")
    try:
        info = bucket.stat(name)
        if info is None:
            return _unusable(name, "There is no such object.")
        placed = parse_object_name(info)
        if isinstance(placed, StrayObject):
            return _unusable(name, placed.reason)
        data = bucket.read(name)
    except BucketError as error:
        return _unusable(name, str(error))
    league = placed.league.league_id
    (summary,) = summarise_files([Candidate(data, placed.extension, placed.season, league)], today)
    problem = summary.problem or _wrong_division(data, placed.extension, league) or _many_rejected(summary)
    return ValidatedObject(name, summary, problem)


def _wrong_division(data: bytes, extension: str, league_id: str) -> str | None:
    if extension != "csv":
        return None
    try:
        check_division(read_csv_table(data).sections, league_id)
    except (UnreadableFile, WrongDivision) as error:
        return str(error)
    return None


def _many_rejected(summary: FileSummary) -> str | None:
    records = summary.matches + summary.rejected
    if summary.rejected <= MAX_REJECTED_SHARE * records:
        return None
    return f"{summary.rejected:,} of {records:,} records are rejected. The first is {summary.first_reason}"


def _unusable(name: str, problem: str) -> ValidatedObject:
    return ValidatedObject(name, FileSummary(), problem)
