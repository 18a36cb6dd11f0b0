"""The storage of runs and events: what Dagster's own reads and writes, with connections that stay open."""

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetKey,
    DagsterInstance,
    ExecuteInProcessResult,
    MaterializeResult,
    asset,
    materialize,
)

from football_assets.orchestration.run_storage import _KEPT, LocalEventLog
from football_assets.runtime.home import project_root

PLAIN = "telemetry:\n  enabled: false\n"


@asset(check_specs=[AssetCheckSpec("is_seven", asset="number")])
def number() -> MaterializeResult:
    return MaterializeResult(
        metadata={"value": 7}, check_results=[AssetCheckResult(passed=True, check_name="is_seven")]
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(project_root() / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.get() as opened:
        yield opened


def run(instance: DagsterInstance) -> ExecuteInProcessResult:
    result = materialize([number], instance=instance)
    assert result.success
    return result


def log_of(instance: DagsterInstance) -> LocalEventLog:
    log = instance.event_log_storage
    assert isinstance(log, LocalEventLog)
    return log


def test_the_instance_of_the_project_keeps_its_connections(instance: DagsterInstance) -> None:
    run_id = run(instance).run_id
    kept = dict(log_of(instance)._engines)

    instance.all_logs(run_id)
    run(instance)

    assert {run_id, "index"} <= kept.keys()
    for shard, engine in kept.items():
        assert log_of(instance)._engines[shard] is engine
        assert engine.pool.checkedin() == 1  # type: ignore[attr-defined]


def test_either_storage_reads_what_the_other_wrote(home: Path) -> None:
    with DagsterInstance.get() as ours:
        first = run(ours).run_id
        written = [entry.message for entry in ours.all_logs(first)]
    (home / "dagster.yaml").write_text(PLAIN)
    with DagsterInstance.get() as plain:
        assert not isinstance(plain.event_log_storage, LocalEventLog)
        assert [entry.message for entry in plain.all_logs(first)] == written
        second = run(plain).run_id
    shutil.copy(project_root() / "dagster.yaml", home)
    with DagsterInstance.get() as ours:
        assert {record.run_id for record in ours.get_runs()} == {first, second}
        latest = ours.get_latest_materialization_event(AssetKey("number"))
        assert latest is not None
        assert latest.run_id == second


def test_another_process_sees_what_is_written_while_the_file_is_open(instance: DagsterInstance) -> None:
    run_id = run(instance).run_id
    with DagsterInstance.get() as other:  # connections of its own, as the UI has
        seen = len(other.all_logs(run_id))
        later = run(instance).run_id
        assert len(other.all_logs(run_id)) == seen > 0
        assert len(other.all_logs(later)) == seen


def test_the_file_that_the_ui_watches_is_as_new_as_its_last_event(instance: DagsterInstance) -> None:
    run_id = run(instance).run_id
    path = Path(log_of(instance).path_for_shard(run_id))
    os.utime(path, (0, 0))

    instance.all_logs(run_id)
    assert path.stat().st_mtime == 0
    record = instance.get_run_by_id(run_id)
    assert record is not None
    instance.report_engine_event("one more", record)

    assert path.stat().st_mtime > 0


def test_no_more_files_stay_open_than_are_allowed(instance: DagsterInstance) -> None:
    for _ in range(_KEPT + 3):
        log_of(instance).get_logs_for_run(run_id=f"run-{_}")

    assert len(log_of(instance)._engines) == _KEPT
    assert f"run-{_KEPT + 2}" in log_of(instance)._engines


def test_a_fork_opens_connections_of_its_own(instance: DagsterInstance) -> None:
    run_id = run(instance).run_id
    before = len(instance.all_logs(run_id))
    engines = dict(log_of(instance)._engines)
    record = instance.get_run_by_id(run_id)
    assert record is not None

    child = multiprocessing.get_context("fork").Process(
        target=_write_in_a_fork, args=(instance, record, engines)
    )
    child.start()
    child.join(60)

    assert child.exitcode == 0
    assert len(instance.all_logs(run_id)) == before + 1
    assert log_of(instance)._engines[run_id] is engines[run_id]


def _write_in_a_fork(instance: DagsterInstance, record: object, engines: dict[str, object]) -> None:
    instance.report_engine_event("from the fork", record)  # type: ignore[arg-type]
    if log_of(instance)._engines.get(record.run_id) is engines[record.run_id]:  # type: ignore[attr-defined]
        raise SystemExit("the parent's connection was used")


def test_wiping_leaves_a_storage_that_works(instance: DagsterInstance) -> None:
    run_id = run(instance).run_id

    instance.wipe()

    assert instance.all_logs(run_id) == []
    assert run(instance).success
