"""`sync_results`: current results of the public sources into `raw/<source>/<season>/<league>.<json|csv>`.

The command line and the asset call it. What lands is what changed; the sensor on `raw/` sees to the rest.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from football_assets.errors import FootballError, ObjectNotFound, PreconditionFailed, UnreadableObject
from football_assets.raw.sync.acceptance import FetchedFileRejected, check_fetched_file
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
from football_assets.storage.bucket import ABSENT, Bucket, ObjectInfo

GIVE_UP_AFTER = 3
"""Files in a row that a source fails to give before it is asked for no more."""
_WRITE_ATTEMPTS = 3


class FileStatus(StrEnum):
    """What became of a file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    MISSING = "missing"  # the source has no such file, or one without matches
    REFUSED = "refused"  # it must not replace what is landed
    FAILED = "failed"  # it could not be had


@dataclass(frozen=True)
class SyncedFile:
    """One file. `matches`: how many it holds, where it was read; `note`: why it did not land."""

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
    """What became of every file."""

    files: tuple[SyncedFile, ...]

    def of_status(self, *statuses: FileStatus) -> list[SyncedFile]:
        """Files of these statuses."""
        return [file for file in self.files if file.status in statuses]

    @property
    def summary(self) -> str:
        """Files by status, in a sentence."""
        counts = Counter(file.status for file in self.files)
        parts = [f"{counts[status]} {status}" for status in FileStatus if counts[status]]
        return f"{len(self.files)} files asked for: {', '.join(parts)}."

    @property
    def problem(self) -> str | None:
        """What a person must look at: a refused file, or that nothing was fetched. None if all is well."""
        refused = self.of_status(FileStatus.REFUSED)
        if refused:
            more = f" ({len(refused) - 1} more files refused)" if len(refused) > 1 else ""
            return (
                f"{refused[0].url} is refused, {refused[0].object_name} is as it was. {refused[0].note}{more}"
            )
        if self.of_status(FileStatus.NEW, FileStatus.CHANGED, FileStatus.UNCHANGED):
            return None
        failed = self.of_status(FileStatus.FAILED)
        if failed:
            return f"Nothing could be fetched. {failed[0].note}"
        return (
            f"None of the {len(self.files)} files is there, such as {self.files[0].url}: name another season."
        )


def sync_results(
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
    """Fetch what changed and land it.

    A file that has not changed is not written. One that is cut, is no results, or holds far fewer matches than the
    landed object is refused, and the object stays. A file that a source does not have is no error. Objects are written
    over the version that they were compared with, so two synchronisations at once do no harm.

    Parameters
    ----------
    sources
        Names in `sources.SOURCES`, asked one after another.
    today
        Says which seasons are being played, where none is named. Matches played after this day are rejected.
    seasons, leagues
        What to ask for; none: the seasons being played, all leagues of the source.
    report
        Called with each file as it is done.

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
    """What became of a file. `landed`: what to remember of the object that holds its content."""

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
                outcome = _Outcome(FileStatus.FAILED, note="Not asked for: the source gives nothing now.")
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
    finally:  # what has landed need not be fetched again after an interruption
        save(bucket, source.name, landed)
    return done


def _sync_file(
    bucket: Bucket, file: RemoteFile, fetcher: Fetcher, known: LandedFiles, today: date
) -> _Outcome:
    """Fetch one file and land it if it may."""
    try:
        answer = fetcher.get(file.url, known.validators(file.url, bucket.stat(file.object_name)))
        match answer:
            case NotModified():
                return _Outcome(FileStatus.UNCHANGED)
            case NoSuchFile():
                return _Outcome(FileStatus.MISSING, note="The source has no such file.")
            case Content():
                return _land(bucket, file, answer, today)
    except (FetchedFileRejected, CutOff, TooLarge, UnreadableObject) as error:
        return _Outcome(FileStatus.REFUSED, note=str(error))
    except FetchError as error:
        return _Outcome(FileStatus.FAILED, note=str(error), asks_to_stop=error.asks_to_stop)


def _land(bucket: Bucket, file: RemoteFile, content: Content, today: date) -> _Outcome:
    """Write the object if the content differs and may replace it."""
    for _ in range(_WRITE_ATTEMPTS):
        info = bucket.stat(file.object_name)
        try:
            landed = bucket.read(file.object_name) if info is not None else None
        except ObjectNotFound:  # deleted since
            continue
        if info is not None and landed == content.data:
            return _Outcome(FileStatus.UNCHANGED, landed=_remember(file, content, info))
        matches = check_fetched_file(content, file, landed, today)
        if not matches:
            return _Outcome(FileStatus.MISSING, 0, "The file has no matches yet.")
        condition = ABSENT if info is None else info.version
        try:
            written = bucket.write(file.object_name, content.data, if_version=condition)
        except PreconditionFailed:  # someone else has landed it: compare with that
            continue
        status = FileStatus.NEW if info is None else FileStatus.CHANGED
        return _Outcome(status, matches, landed=_remember(file, content, written))
    raise FetchedFileRejected(f"{file.object_name} changes all the time: sync again later.")


def _remember(file: RemoteFile, content: Content, info: ObjectInfo) -> Landed:
    return Landed(
        url=file.url,
        version=info.version,
        etag=content.validators.etag,
        last_modified=content.validators.last_modified,
    )
