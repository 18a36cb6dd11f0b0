"""Fetch current results of the public sources into `raw/<source>/<season>/<league>.<json|csv>`.

Only changed files are written. `new_results_sensor`, which watches `raw/`, requests the runs that read them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from football_assets.errors import FootballError, UnreadableObject, UpdateConflict
from football_assets.raw.sync.acceptance import FetchedFileRejected, check_fetched_file, part_of_season
from football_assets.raw.sync.fetching import (
    Content,
    CutOff,
    Fetcher,
    FetchError,
    Manners,
    NoSuchFile,
    NotModified,
    TooLarge,
)
from football_assets.raw.sync.sources import RemoteFile, Source, files_to_fetch, source_named
from football_assets.raw.sync.validators import Landed, LandedFiles, load, save
from football_assets.settings import Settings
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.updates import update

GIVE_UP_AFTER = 3
"""Consecutive failures after which no more files are requested from a source."""


class FileStatus(StrEnum):
    """The outcome of a sync for a file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    MISSING = "missing"  # the source has no such file, or one without matches
    REJECTED = "rejected"  # it must not replace the landed object
    FAILED = "failed"  # it could not be fetched


@dataclass(frozen=True)
class SyncedFile:
    """One file. `matches`: its number of matches, None if it was not read; `note`: why it did not land."""

    source: str
    season: str
    league_id: str
    url: str
    object_name: str
    status: FileStatus
    matches: int | None = None
    note: str = ""


@dataclass(frozen=True)
class SyncResult:
    """The outcome of a sync for every file."""

    files: tuple[SyncedFile, ...]

    def of_status(self, *statuses: FileStatus) -> list[SyncedFile]:
        """Select the files with one of the statuses."""
        return [file for file in self.files if file.status in statuses]

    @property
    def summary(self) -> str:
        """Return a sentence with the number of files by status."""
        counts = Counter(file.status for file in self.files)
        parts = [f"{counts[status]} {status}" for status in FileStatus if counts[status]]
        return f"{len(self.files)} files requested: {', '.join(parts)}."

    @property
    def problem(self) -> str | None:
        """Return the problem that needs attention: a rejected file, or that nothing was fetched; else None."""
        rejected = self.of_status(FileStatus.REJECTED)
        if rejected:
            first = rejected[0]
            more = f" ({len(rejected) - 1} more files rejected)" if len(rejected) > 1 else ""
            return f"{first.url} is rejected, {first.object_name} was not replaced. {first.note}{more}"
        if self.of_status(FileStatus.NEW, FileStatus.CHANGED, FileStatus.UNCHANGED):
            return None
        failed = self.of_status(FileStatus.FAILED)
        if failed:
            return f"Nothing could be fetched. {failed[0].note}"
        return (
            f"None of the {len(self.files)} files exists, such as {self.files[0].url}: name another season."
        )


def sync_sources(
    bucket: Bucket,
    settings: Settings,
    sources: Sequence[str],
    *,
    today: date,
    seasons: Sequence[str] = (),
    leagues: Sequence[str] = (),
    manners: Manners | None = None,
    report: Callable[[SyncedFile], None] = lambda _: None,
) -> SyncResult:
    """Fetch changed files and land them.

    An unchanged file is not written. A file that is truncated, holds no results, or has far fewer matches than the
    landed object is rejected, and the object is kept. A file that a source does not have is not an error. Objects are
    written on condition that they have the version that was compared, so concurrent syncs are safe.

    Parameters
    ----------
    sources
        Names in `sources.SOURCES`, fetched in this order.
    today
        Decides which seasons are current, if none is named. Matches played after this day are rejected.
    seasons, leagues
        What to fetch. Empty: the current seasons, all leagues of the source.
    report
        Called with each file when it is done.

    Raises
    ------
    FootballError
        A source, season or league does not exist; nothing was fetched.
    """
    plans = []
    for name in dict.fromkeys(sources):
        source = source_named(name)
        plans.append((source, files_to_fetch(source, source.base_url(settings), today, seasons, leagues)))
    if not plans:
        raise FootballError("No source is named: name one or more, like openfootball.")
    done: list[SyncedFile] = []
    with Fetcher(manners or Manners()) as fetcher:
        for source, files in plans:
            done += _sync_source(bucket, source, files, fetcher, today, report)
    return SyncResult(tuple(done))


@dataclass(frozen=True)
class _Outcome:
    """The outcome of one file. `landed`: the entry to store for the object that has its content."""

    status: FileStatus
    matches: int | None = None
    note: str = ""
    landed: Landed | None = None
    asks_to_stop: bool = False


def _sync_source(
    bucket: Bucket,
    source: Source,
    files: Sequence[RemoteFile],
    fetcher: Fetcher,
    today: date,
    report: Callable[[SyncedFile], None],
) -> list[SyncedFile]:
    known = load(bucket, source.name)
    landed: dict[str, Landed] = {}
    done: list[SyncedFile] = []
    failures = 0
    try:
        for file in files:
            if failures < GIVE_UP_AFTER:
                outcome = _sync_file(bucket, file, fetcher, known, today)
            else:
                outcome = _Outcome(
                    FileStatus.FAILED, note="Not requested: the source failed for the files before."
                )
            failures = failures + 1 if outcome.status is FileStatus.FAILED else 0
            if outcome.asks_to_stop:
                failures = GIVE_UP_AFTER
            if outcome.landed is not None:
                landed[file.object_name] = outcome.landed
            done.append(
                SyncedFile(
                    source.name,
                    file.season,
                    file.league_id,
                    file.url,
                    file.object_name,
                    outcome.status,
                    outcome.matches,
                    outcome.note,
                )
            )
            report(done[-1])
    finally:  # after an interruption, landed files need not be fetched again
        save(bucket, source.name, landed)
    return done


def _sync_file(
    bucket: Bucket, file: RemoteFile, fetcher: Fetcher, known: LandedFiles, today: date
) -> _Outcome:
    """Fetch one file and land it if it is accepted."""
    try:
        answer = fetcher.get(file.url, known.validators(file.url, bucket.stat(file.object_name)))
        match answer:
            case NotModified():
                return _Outcome(FileStatus.UNCHANGED)
            case NoSuchFile():
                return _Outcome(FileStatus.MISSING, note="The source has no such file.")
            case Content():
                return _land(bucket, file, answer, today)
    except (FetchedFileRejected, CutOff, TooLarge, UnreadableObject, UpdateConflict) as error:
        return _Outcome(FileStatus.REJECTED, note=str(error))
    except FetchError as error:
        return _Outcome(FileStatus.FAILED, note=str(error), asks_to_stop=error.asks_to_stop)


def _land(bucket: Bucket, file: RemoteFile, content: Content, today: date) -> _Outcome:
    """Write the object if the content differs and may replace it."""
    if file.spans_seasons:
        content = part_of_season(content, file)
    outcome = _Outcome(FileStatus.UNCHANGED)

    def change(landed: bytes | None) -> bytes | None:
        nonlocal outcome
        outcome = _Outcome(FileStatus.UNCHANGED)
        if landed == content.data:
            return None
        matches = check_fetched_file(content, file, landed, today)
        if not matches:
            outcome = _Outcome(FileStatus.MISSING, 0, "The file has no matches yet.")
            return None
        outcome = _Outcome(FileStatus.NEW if landed is None else FileStatus.CHANGED, matches)
        return content.data

    info = update(bucket, file.object_name, change)
    if info is None or outcome.status == FileStatus.MISSING:
        return outcome
    return replace(outcome, landed=_remember(file, content, info))


def _remember(file: RemoteFile, content: Content, info: ObjectInfo) -> Landed:
    return Landed(
        url=file.url,
        version=info.version,
        etag=content.validators.etag,
        last_modified=content.validators.last_modified,
    )
