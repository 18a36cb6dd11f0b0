"""The job prunes the bucket, the runs of its instance and the scratch folder, and says what it removed."""

import shutil
from pathlib import Path

import pytest
from dagster import DagsterInstance
from sqlalchemy.exc import OperationalError

from football_assets.automation.retention_job import prune_storage
from football_assets.orchestration.resources import BucketResource
from football_assets.orchestration.run_history import InstanceRuns
from football_assets.runtime.home import project_root
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.retention_worlds import add_report, age


def test_the_job_removes_what_the_environment_does_not_keep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FOOTBALL_RETENTION_REPORT_DAYS", "1000")
    bucket = LocalBucket(tmp_path / "bucket")
    for days in (1500, 3000):
        add_report(bucket, days, 1)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "left").write_text("x")
    age(tmp_path / "scratch" / "left", 900)
    (tmp_path / "dagster").mkdir()
    shutil.copy(project_root() / "dagster.yaml", tmp_path / "dagster")
    resource = BucketResource(url=str(bucket.root), scratch=str(tmp_path / "scratch"))

    with open_instance(tmp_path / "dagster") as instance:
        result = prune_storage.execute_in_process(instance=instance, resources={"bucket": resource})
        assert result.success
        assert instance.has_run(result.run_id)

    (event,) = [event for event in result.events_for_node("prune") if event.event_type_value == "STEP_OUTPUT"]
    metadata = event.step_output_data.metadata
    assert metadata["removed"].value == 3
    assert "drift reports" in str(metadata["by_kind"].value)
    assert list(bucket.list("reports/")) == []
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_error_of_the_database_fails_the_run_after_everything_else_was_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path / "home"))
    bucket = LocalBucket(tmp_path / "bucket")
    add_report(bucket, 3000, 1)
    resource = BucketResource(url=str(bucket.root), scratch=str(tmp_path / "scratch"))

    def broken(_: InstanceRuns) -> set[str]:
        raise OperationalError("select", {}, Exception("server closed the connection"))

    monkeypatch.setattr(InstanceRuns, "_latest_runs", broken)
    with DagsterInstance.ephemeral() as instance:
        result = prune_storage.execute_in_process(
            instance=instance, resources={"bucket": resource}, raise_on_error=False
        )

    assert not result.success
    (event,) = [
        event for event in result.events_for_node("prune") if event.event_type_value == "STEP_FAILURE"
    ]
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert "runs: Dagster's storage cannot be used: server closed the connection." in str(failure.description)
    assert failure.metadata["removed"].value == 1
    assert list(bucket.list("reports/")) == []
