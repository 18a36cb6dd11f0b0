"""Dagster's runs with their events, compute logs and files: which can be removed, and their removal."""

import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterEventType,
    DagsterInstance,
    DagsterRunStatus,
    RunsFilter,
)
from sqlalchemy.exc import SQLAlchemyError

from football_assets.errors import FootballError
from football_assets.runtime.folders import entries_in

_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_AT_ONCE = 200  # runs that are read by one query
_PARTITIONS_AT_ONCE = 500


@dataclass(frozen=True)
class StoredRun:
    """A run, or files of one. `bytes`: of its files on this machine; `ended`, UTC."""

    run_id: str
    ended: datetime
    bytes: int


class InstanceRuns:
    """The runs of an instance. An error of its database is a FootballError."""

    def __init__(self, instance: DagsterInstance) -> None:
        self._instance = instance

    def ended_runs(self, before: datetime) -> Iterator[StoredRun]:
        """Yield the runs that ended before a time, except those of an asset's latest materialization or observation.

        Of a partitioned asset, the latest materialization of every partition counts.
        """
        with _database_errors():
            needed = self._latest_runs()
        cursor = None
        while True:
            with _database_errors():
                records = self._instance.get_run_records(
                    RunsFilter(statuses=_ENDED, updated_before=before), limit=_AT_ONCE, cursor=cursor
                )
            for record in records:
                run_id = record.dagster_run.run_id
                if run_id not in needed:
                    yield StoredRun(run_id, record.update_timestamp, self._size(run_id))
            if len(records) < _AT_ONCE:
                return
            cursor = records[-1].dagster_run.run_id

    def left_files(self, before: datetime) -> Iterator[StoredRun]:
        """Yield the runs that have files on this machine, last written before a time, and that Dagster has removed."""
        for run_id, paths in sorted(self._files().items()):
            written = datetime.fromtimestamp(max(map(_written_at, paths)), UTC)
            with _database_errors():
                is_known = self._instance.has_run(run_id)
            if written < before and not is_known and self._paths(run_id):
                yield StoredRun(run_id, written, self._size(run_id))

    def remove(self, run_id: str) -> bool:
        """Remove a run with its events, compute logs and files, unless it is in progress.

        Other processes may remove it at the same time.
        """
        with _database_errors():
            run = self._instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                return False
        if run is not None:
            with suppress(FileNotFoundError):  # removed since they were listed
                self._instance.compute_log_manager.delete_logs(prefix=[run_id])
            self._delete_run(run_id)
        for path in self._paths(run_id):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return True

    def _delete_run(self, run_id: str) -> None:
        try:
            with _database_errors():
                self._instance.delete_run(run_id)
        except FootballError:  # without its SQLite file, the run has no table of events
            with _database_errors():
                is_known = self._instance.has_run(run_id)
            if is_known:
                raise

    def _latest_runs(self) -> set[str]:
        found: set[str] = set()
        keys = self._instance.get_asset_keys()
        for record in self._instance.get_asset_records(list(keys)):
            entry = record.asset_entry
            for event in (entry.last_materialization_record, entry.last_observation_record):
                if event is not None:
                    found.add(event.run_id)
            if entry.last_run_id:
                found.add(entry.last_run_id)
            found |= self._runs_by_partition(entry.asset_key)
        return found

    def _runs_by_partition(self, key: AssetKey) -> set[str]:
        places = list(
            self._instance.get_latest_storage_id_by_partition(
                key, DagsterEventType.ASSET_MATERIALIZATION
            ).values()
        )
        found: set[str] = set()
        for start in range(0, len(places), _PARTITIONS_AT_ONCE):
            some = places[start : start + _PARTITIONS_AT_ONCE]
            wanted = AssetRecordsFilter(asset_key=key, storage_ids=some)
            records = self._instance.fetch_materializations(wanted, limit=len(some)).records
            found |= {record.run_id for record in records}
        return found

    def _size(self, run_id: str) -> int:
        states = (status for path in self._paths(run_id) for _, status in entries_in(path))
        return sum(status.st_size for status in states if stat.S_ISREG(status.st_mode))

    def _files(self) -> dict[str, list[Path]]:
        """Return the files and folders of runs in Dagster's default storage, by run; none with another storage."""
        found: dict[str, list[Path]] = {}
        for folder in self._folders():
            for path in folder.iterdir() if folder.is_dir() else ():
                run_id = path.name.split(".")[0]
                if _is_run_id(run_id):
                    found.setdefault(run_id, []).append(path)
        return found

    def _paths(self, run_id: str) -> list[Path]:
        if not _is_run_id(run_id):
            return []
        events, logs = self._folders()
        return [path for path in [*events.glob(f"{run_id}.db*"), logs / run_id] if path.exists()]

    def _folders(self) -> tuple[Path, Path]:
        """Folders of the events, a SQLite file a run, which stays when its rows are deleted, and of compute logs."""
        root = Path(self._instance.root_directory)
        return root / "history" / "runs", root / "storage"


class UnusableRuns:
    """The runs of an instance that cannot be opened: each use raises the reason."""

    def __init__(self, reason: FootballError) -> None:
        self._reason = reason

    def ended_runs(self, before: datetime) -> Iterator[StoredRun]:
        """Raise the reason."""
        raise self._reason

    def left_files(self, before: datetime) -> Iterator[StoredRun]:
        """Raise the reason."""
        raise self._reason

    def remove(self, run_id: str) -> bool:
        """Raise the reason."""
        raise self._reason


@contextmanager
def open_runs() -> Iterator[InstanceRuns | UnusableRuns]:
    """Open the runs of the instance of DAGSTER_HOME."""
    with ExitStack() as stack:
        runs: InstanceRuns | UnusableRuns
        try:
            with _database_errors():
                runs = InstanceRuns(stack.enter_context(DagsterInstance.get()))
        except FootballError as error:
            runs = UnusableRuns(error)
        yield runs


@contextmanager
def _database_errors() -> Iterator[None]:
    """Raise an error of the database in the block as a FootballError."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, SQLAlchemyError):
            cause = cause.__cause__  # dagster-postgres raises an error of its own
        if cause is None:
            raise
        reason = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise FootballError(
            f"Dagster's storage cannot be used: {reason}. Check that its database runs and has space."
        ) from error


def _written_at(path: Path) -> float:
    """Return when a file or folder was last written, in Unix seconds; 0 if it is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_run_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
