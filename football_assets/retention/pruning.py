"""`prune`: remove what the policy does not keep and nothing needs, or only list it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from football_assets.deployment.served_versions import ServedVersions, served_versions
from football_assets.errors import FootballError, RegistryError
from football_assets.registry.store import Registry
from football_assets.retention.clock import bucket_clock, check_clock
from football_assets.retention.log_objects import (
    REJECTED_KIND,
    REPORT_KIND,
    SEGMENT_KIND,
    TABLE_KIND,
    removable_rejected,
    removable_reports,
    removable_segments,
    removable_tables,
)
from football_assets.retention.model_objects import (
    ARTIFACT_KIND,
    CHECKPOINT_KIND,
    VERSION_KIND,
    removable_artifacts,
    removable_checkpoints,
    removable_versions,
    restore_versions,
)
from football_assets.retention.needed_versions import (
    ServedVersionsUnknown,
    check_known,
    needed_versions,
    versions_in_use,
)
from football_assets.retention.policy import RetentionPolicy
from football_assets.retention.removal import PrunedKind, Removal
from football_assets.retention.scratch_files import SCRATCH_KIND, removable_scratch
from football_assets.settings import Settings
from football_assets.storage.artifacts import named_digests
from football_assets.storage.bucket import Bucket

RUN_KIND = "runs"
LEFT_KIND = "files of removed runs"
KEPT_FOR_EVER = "off: everything is kept"


class EndedRun(Protocol):
    """A run that has ended and that no asset's latest materialization is of, or files of a run that is no more."""

    @property
    def run_id(self) -> str:
        """Its identifier."""

    @property
    def ended(self) -> datetime:
        """When it ended, UTC."""

    @property
    def bytes(self) -> int:
        """Size of its files on this machine."""


class RunHistory(Protocol):
    """Dagster's storage of runs."""

    def ended_runs(self, before: datetime) -> Iterable[EndedRun]:
        """Return the runs that ended before a time and that nothing refers to."""

    def left_files(self, before: datetime) -> Iterable[EndedRun]:
        """Return the files of runs that Dagster does not know, last written before a time."""

    def remove(self, run_id: str) -> bool:
        """Remove a run with its events, compute logs and files."""


@dataclass(frozen=True)
class World:
    """Where a pruning looks.

    Attributes
    ----------
    served
        Reads what running replicas need, whenever a version is to be removed.
    runs
        None: there is no Dagster instance.
    clock
        Reads the time, UTC, from a bucket.
    """

    bucket: Bucket
    scratch: Path
    served: Callable[[], ServedVersions] = ServedVersions
    runs: RunHistory | None = None
    clock: Callable[[Bucket], datetime] = bucket_clock

    @classmethod
    def of(cls, settings: Settings, bucket: Bucket, scratch: Path, runs: RunHistory) -> "World":
        """Return the world of an installation, whose Serve is asked for the versions that its replicas need."""
        registry = Registry(bucket)
        return cls(bucket, scratch, lambda: served_versions(settings, registry), runs)


def prune(world: World, policy: RetentionPolicy, now: datetime, *, dry_run: bool) -> list[PrunedKind]:
    """Find what is older than the policy keeps and nothing needs, and remove it.

    Any number may run at once, beside runs, replicas and publishers. An object that is written between its listing and
    its removal stays. A kind whose needs cannot be read is left alone, with a note.
    An error of one kind, as of Dagster's database, leaves the others.

    Parameters
    ----------
    now
        UTC.
    dry_run
        Only find.

    Returns
    -------
    list of PrunedKind
        One entry a kind, also where nothing was found.

    Raises
    ------
    FootballError
        The bucket cannot be written, or `now` is ahead of its clock: nothing was removed.
    """
    if not dry_run:
        check_clock(world.bucket, world.clock(world.bucket), now)
    return [
        _prune_kind(kind, limit, find, dry_run=dry_run)
        for kind, limit, find in _kinds(world, policy, now, dry_run=dry_run)
    ]


def _needed(world: World, policy: RetentionPolicy, now: datetime) -> dict[int, str]:
    """Return the versions that must stay.

    Raises
    ------
    ServedVersionsUnknown
        It is not known what is served.
    RegistryError
        It is not known what else needs a version.
    """
    served = world.served()
    check_known(served)
    try:
        return needed_versions(Registry(world.bucket), served, policy.versions or 1, policy.version_days, now)
    except (FootballError, OSError, ValueError) as error:
        raise RegistryError(f"What needs a version is not known. {error}") from error


_Kinds = Sequence[tuple[str, int | None, Callable[[int], Iterable[Removal]]]]


def _kinds(world: World, policy: RetentionPolicy, now: datetime, *, dry_run: bool) -> _Kinds:
    bucket = world.bucket

    # Each kind reads what is needed when its turn comes: the kinds before it may take minutes.
    def versions(_: int) -> Iterable[Removal]:
        def in_use() -> set[int]:
            return versions_in_use(bucket, world.served())

        needed = _needed(world, policy, now)
        registry = Registry(bucket)
        if not dry_run:
            restore_versions(registry, needed)
        return removable_versions(registry, needed, policy.version_days, now, in_use)

    def scratch(hours: int) -> Iterable[Removal]:
        try:
            needed = _needed(world, policy, now)
        except RegistryError:  # the part of the versions reports it
            needed = None
        return removable_scratch(world.scratch, hours, now, lambda name: named_digests(bucket, name), needed)

    return [
        (SEGMENT_KIND, policy.log_days, lambda _: removable_segments(bucket, now)),
        (TABLE_KIND, policy.log_days, lambda days: removable_tables(bucket, days, now)),
        (REJECTED_KIND, policy.log_days, lambda days: removable_rejected(bucket, days, now)),
        (REPORT_KIND, policy.report_days, lambda days: removable_reports(bucket, days, now)),
        (ARTIFACT_KIND, policy.artifact_days, lambda days: removable_artifacts(bucket, days, now)),
        (CHECKPOINT_KIND, policy.artifact_days, lambda days: removable_checkpoints(bucket, days, now)),
        (VERSION_KIND, policy.versions, versions),
        (RUN_KIND, policy.run_days, lambda days: _runs(world.runs, days, now)),
        (LEFT_KIND, policy.run_days, lambda days: _left_files(world.runs, days, now)),
        (SCRATCH_KIND, policy.scratch_hours, scratch),
    ]


def _prune_kind(
    kind: str, limit: int | None, find: Callable[[int], Iterable[Removal]], *, dry_run: bool
) -> PrunedKind:
    if limit is None:
        return PrunedKind(kind, note=KEPT_FOR_EVER)
    try:
        found = list(find(limit))
    except (FootballError, OSError) as error:
        return PrunedKind(kind, note=str(error), has_failed=not isinstance(error, ServedVersionsUnknown))
    removed, notes, has_failed = 0, [], False
    for removal in () if dry_run else found:
        try:
            removed += removal.remove()
        except (FootballError, OSError) as error:  # the others are removed all the same
            notes.append(str(error))
            has_failed |= not isinstance(error, ServedVersionsUnknown)
    if not dry_run and removed < len(found) and not notes:
        notes.append(f"{len(found) - removed} were written or needed meanwhile")
    return PrunedKind(
        kind,
        len(found),
        removed,
        sum(removal.bytes for removal in found),
        min((removal.written for removal in found), default=None),
        "; ".join(dict.fromkeys(removal.why for removal in found)),
        " ".join(dict.fromkeys(notes)),
        has_failed,
    )


def _runs(runs: RunHistory | None, days: int, now: datetime) -> Iterator[Removal]:
    if runs is not None:
        for run in runs.ended_runs(now - timedelta(days=days)):
            yield _run_removal(runs, run, RUN_KIND, f"ended more than {days} days ago")


def _left_files(runs: RunHistory | None, days: int, now: datetime) -> Iterator[Removal]:
    if runs is not None:
        for run in runs.left_files(now - timedelta(days=days)):
            yield _run_removal(runs, run, LEFT_KIND, "their run is removed")


def _run_removal(runs: RunHistory, run: EndedRun, kind: str, why: str) -> Removal:
    return Removal(kind, run.run_id, run.bytes, run.ended, why, lambda: runs.remove(run.run_id))
