"""Old runs are removed with their events, logs and files; those that an asset's state rests on stay."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy
from dagster_postgres.utils import retry_pg_connection_fn

from football_assets.errors import FootballError
from football_assets.orchestration.run_history import InstanceRuns, open_runs
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.ports import free_port

PARTS = dg.StaticPartitionsDefinition(["at", "de"])


@dg.asset
def whole() -> None:
    """Not partitioned."""
    print("a line for the compute log")


@dg.asset(partitions_def=PARTS)
def by_country() -> None:
    """One partition a country."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    shutil.copy(project_root() / "dagster.yaml", tmp_path)
    with open_instance(tmp_path) as instance:
        yield instance


def run(instance: dg.DagsterInstance, country: str | None = None) -> str:
    assets = [by_country if country else whole]
    return dg.materialize(assets, instance=instance, partition_key=country).run_id


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def files(tmp_path: Path, run_id: str) -> list[Path]:
    return [path for path in tmp_path.rglob(f"*{run_id}*") if path.exists()]


def test_runs_go_except_the_latest_of_each_asset_and_partition(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    old = [run(instance), run(instance, "at")]
    kept = [run(instance, "de"), run(instance, "at"), run(instance)]
    runs = InstanceRuns(instance)
    assert list(runs.ended_runs(datetime.now(UTC) - timedelta(days=1))) == []
    found = list(runs.ended_runs(soon()))
    assert sorted(item.run_id for item in found) == sorted(old)
    assert all(item.bytes > 0 for item in found)
    assert all(abs(item.ended - datetime.now(UTC)) < timedelta(minutes=5) for item in found)

    assert [runs.remove(item.run_id) for item in found] == [True, True]

    assert {record.run_id for record in instance.get_runs()} == set(kept)
    assert [files(tmp_path, run_id) for run_id in old] == [[], []]
    assert all(files(tmp_path, run_id) for run_id in kept)
    assert list(runs.ended_runs(soon())) == []
    event = instance.get_latest_materialization_event(whole.key)
    assert event is not None
    assert event.run_id == kept[-1]
    assert instance.get_materialized_partitions(by_country.key) == {"at", "de"}


def test_a_run_in_progress_stays(instance: dg.DagsterInstance) -> None:
    run_id = dg.materialize([whole], instance=instance).run_id
    busy = instance.create_run_for_job(
        dg.define_asset_job("busy").resolve(
            asset_graph=dg.Definitions(assets=[whole]).get_repository_def().asset_graph
        ),
        status=dg.DagsterRunStatus.STARTED,
    )

    assert busy.run_id not in [item.run_id for item in InstanceRuns(instance).ended_runs(soon())]
    assert not InstanceRuns(instance).remove(busy.run_id)
    assert instance.has_run(busy.run_id)
    assert instance.has_run(run_id)


def test_files_that_dagster_left_of_a_removed_run_are_found(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    old = run(instance)
    new = run(instance)
    instance.delete_run(old)  # as the UI does
    (tmp_path / "storage" / "kept-by-a-person").mkdir()
    runs = InstanceRuns(instance)
    assert list(runs.left_files(datetime.now(UTC) - timedelta(days=1))) == []

    assert [item.run_id for item in runs.left_files(soon())] == [old]
    assert runs.remove(old)

    assert files(tmp_path, old) == []
    assert files(tmp_path, new)
    assert (tmp_path / "storage" / "kept-by-a-person").is_dir()


def test_a_run_that_another_process_removes_at_the_same_time_is_removed_once(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = run(instance), run(instance)
    real = instance.compute_log_manager.delete_logs

    def overtaken(prefix: list[str]) -> None:
        """Lose the race: the other process has removed all when this one gets to the first file."""
        monkeypatch.setattr(instance.compute_log_manager, "delete_logs", real)
        assert InstanceRuns(instance).remove(old)
        raise FileNotFoundError(prefix)

    monkeypatch.setattr(instance.compute_log_manager, "delete_logs", overtaken)

    assert InstanceRuns(instance).remove(old)

    assert not instance.has_run(old)
    assert files(tmp_path, old) == []


def test_files_that_another_process_removes_meanwhile_end_no_search(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first, second = sorted([run(instance), run(instance)])
    for run_id in (first, second):
        instance.delete_run(run_id)
    found = InstanceRuns(instance).left_files(soon())
    assert next(found).run_id == first

    assert InstanceRuns(instance).remove(second)

    assert list(found) == []


def test_a_name_that_is_no_run_removes_nothing(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))

    InstanceRuns(instance).remove("..")

    assert sorted(tmp_path.rglob("*")) == before


def refused_connection() -> None:
    """Raise what dagster-postgres raises where no server answers, without its pauses."""
    engine = sqlalchemy.create_engine(f"postgresql+psycopg2://user@127.0.0.1:{free_port()}/dagster")
    retry_pg_connection_fn(engine.connect, retry_limit=0, retry_wait=0)


@pytest.mark.parametrize("name", ["ended_runs", "left_files", "remove"])
def test_a_database_that_does_not_answer_is_one_error_of_the_storage(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run_id = run(instance)
    instance.delete_run(run_id)
    for method in ("get_run_records", "has_run", "get_run_by_id"):
        monkeypatch.setattr(instance, method, lambda *_, **__: refused_connection())
    runs = InstanceRuns(instance)

    with pytest.raises(FootballError) as error:
        runs.remove(run_id) if name == "remove" else list(getattr(runs, name)(soon()))
    assert str(error.value).startswith("Dagster's storage cannot be used: connection to server at")
    assert "Check that its database runs" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_fault_of_the_program_is_no_error_of_the_storage(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object, **__: object) -> None:
        raise KeyError("missing")

    monkeypatch.setattr(instance, "get_run_records", faulty)

    with pytest.raises(KeyError):
        list(InstanceRuns(instance).ended_runs(soon()))


def test_an_instance_that_cannot_be_opened_is_an_error_of_each_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(project_root() / "dagster.yaml", tmp_path)
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "runs.db").write_bytes(b"no database " * 1000)

    with open_runs() as runs:
        for use in (
            lambda: list(runs.ended_runs(soon())),
            lambda: list(runs.left_files(soon())),
            lambda: runs.remove("one"),
        ):
            with pytest.raises(FootballError, match="storage cannot be used: file is not a database"):
                use()


def test_the_runs_of_the_home_are_opened(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    old, _ = run(instance), run(instance)

    with open_runs() as runs:
        assert [item.run_id for item in runs.ended_runs(soon())] == [old]
        assert runs.remove(old)
    assert not instance.has_run(old)
