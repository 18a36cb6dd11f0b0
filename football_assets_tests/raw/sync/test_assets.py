"""The asset `synced_results`, materialised by Dagster against a real server and bucket."""

from pathlib import Path

import pytest
from dagster import ExecuteInProcessResult, RunConfig, materialize

from football_assets.cli.graph import DEFAULT_SELECTION
from football_assets.definitions import defs
from football_assets.orchestration.in_process_runs import resolve_selection
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.sync.assets import SyncRequest, synced_results
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.source_server import SourceServer, status
from football_assets_tests.raw.sync.test_results import openfootball

SEASON = "2025-26"


@pytest.fixture
def resource(
    bucket: Bucket, tmp_path: Path, source: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> BucketResource:
    monkeypatch.setenv("FOOTBALL_OPENFOOTBALL_URL", source.address)
    return BucketResource(url=bucket.url, scratch=str(tmp_path / "scratch"))


def materialise(resource: BucketResource, *leagues: str) -> ExecuteInProcessResult:
    request = SyncRequest(seasons=[SEASON], leagues=list(leagues))
    return materialize(
        [synced_results],
        resources={"bucket": resource},
        run_config=RunConfig(ops={"synced_results": request}),
        raise_on_error=False,
    )


def test_the_asset_lands_what_changed_and_says_what_became_of_every_file(
    bucket: Bucket, resource: BucketResource, source: SourceServer
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = openfootball(8)
    result = materialise(resource, "eng.1")
    assert result.success
    assert bucket.read(f"raw/openfootball/{SEASON}/eng.1.json") == openfootball(8)
    (materialization,) = result.asset_materializations_for_node("synced_results")
    assert materialization.metadata["new"].value == 1
    assert f"| openfootball | {SEASON} | eng.1 | new | 8 |  |" in str(materialization.metadata["files"].value)
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]


def test_a_refused_file_is_a_warning_with_the_reason(
    bucket: Bucket, resource: BucketResource, source: SourceServer
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = b"<html>"
    result = materialise(resource, "eng.1")
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity.value) == (False, "WARN")
    assert "HTML page" in str(check.metadata["refused"].value)
    assert list(bucket.list("raw/")) == []


def test_a_run_in_which_nothing_could_be_fetched_fails(
    resource: BucketResource, source: SourceServer
) -> None:
    source.fail(f"/{SEASON}/en.1.json", status(403))
    result = materialise(resource, "eng.1")
    assert not result.success
    failure = result.failure_data_for_node("synced_results")
    assert failure is not None
    assert "Nothing could be fetched" in str(failure.error)


def test_the_asset_is_in_the_graph_but_not_run_unasked() -> None:
    keys = {key.to_user_string() for key in resolve_selection(defs, DEFAULT_SELECTION)}
    assert "raw_matches" in keys
    assert "synced_results" not in keys
    assert {key.to_user_string() for key in resolve_selection(defs, "synced_results")} == {"synced_results"}
