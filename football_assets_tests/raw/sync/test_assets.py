"""The asset `synced_results`, materialized by Dagster against a real server and bucket."""

from functools import partial
from pathlib import Path

import pytest
from dagster import AssetCheckEvaluation, ExecuteInProcessResult, RunConfig, materialize

from football_assets.cli.graph import DEFAULT_SELECTION
from football_assets.definitions import defs
from football_assets.orchestration.in_process_runs import resolve_selection
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.sync.assets import ACCEPTED_CHECK, DELIVERY_CHECK, SyncRequest, synced_results
from football_assets.raw.sync.fetching import Manners
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


def sync_results(resource: BucketResource, *leagues: str) -> ExecuteInProcessResult:
    request = SyncRequest(seasons=[SEASON], leagues=list(leagues))
    return materialize(
        [synced_results],
        resources={"bucket": resource},
        run_config=RunConfig(ops={"synced_results": request}),
        raise_on_error=False,
    )


def delivery(result: ExecuteInProcessResult) -> AssetCheckEvaluation:
    (found,) = (item for item in result.get_asset_check_evaluations() if item.check_name == DELIVERY_CHECK)
    return found


def test_the_asset_lands_what_changed_and_says_what_became_of_every_file(
    bucket: Bucket, resource: BucketResource, source: SourceServer
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = openfootball(8)
    result = sync_results(resource, "eng.1")
    assert result.success
    assert bucket.read(f"raw/openfootball/{SEASON}/eng.1.json") == openfootball(8)
    (materialization,) = result.asset_materializations_for_node("synced_results")
    assert materialization.metadata["new"].value == 1
    assert f"| openfootball | {SEASON} | eng.1 | new | 8 |  |" in str(materialization.metadata["files"].value)
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True, True]


def test_a_refused_file_is_a_warning_with_the_reason(
    bucket: Bucket, resource: BucketResource, source: SourceServer
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = b"<html>"
    result = sync_results(resource, "eng.1")
    assert result.success
    (check,) = (item for item in result.get_asset_check_evaluations() if not item.passed)
    assert (check.check_name, check.severity.value) == (ACCEPTED_CHECK, "WARN")
    assert "HTML page" in str(check.metadata["rejected"].value)
    assert list(bucket.list("raw/")) == []


def test_an_unreachable_source_is_a_warning_with_what_was_kept_of_it(
    bucket: Bucket, resource: BucketResource, source: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.write(f"raw/openfootball/{SEASON}/eng.1.json", openfootball(8))
    bucket.write(f"raw/footballcsv/{SEASON}/eng.1.csv", b"of another source")
    monkeypatch.setenv("FOOTBALL_OPENFOOTBALL_URL", "http://127.0.0.1:9")  # discard: nothing listens
    monkeypatch.setattr("football_assets.raw.sync.results.Manners", partial(Manners, attempts=1))
    result = sync_results(resource, "eng.1")
    assert result.success
    check = delivery(result)
    assert (check.passed, check.severity.value) == (False, "WARN")
    assert "does not answer" in str(check.description)
    assert str(check.description).endswith("1 landing objects of openfootball are kept.")
    assert "| openfootball | 1 | 1 | 1 | http://127.0.0.1:9/" in str(check.metadata["sources"].value)
    assert bucket.read(f"raw/openfootball/{SEASON}/eng.1.json") == openfootball(8)
    (materialization,) = result.asset_materializations_for_node("synced_results")
    assert materialization.metadata["failed"].value == 1


def test_a_source_that_answers_with_an_error_is_a_warning(
    resource: BucketResource, source: SourceServer
) -> None:
    source.fail(f"/{SEASON}/en.1.json", status(403))
    result = sync_results(resource, "eng.1")
    assert result.success
    assert not delivery(result).passed
    assert "answered 403" in str(delivery(result).description)


def test_a_source_without_any_of_the_files_is_a_warning(resource: BucketResource) -> None:
    result = sync_results(resource, "eng.1")
    assert result.success
    assert not delivery(result).passed
    assert "None of the requested files exists" in str(delivery(result).description)


def test_a_source_that_delivers_some_files_and_lacks_others_passes(
    resource: BucketResource, source: SourceServer
) -> None:
    source.files[f"/{SEASON}/en.1.json"] = openfootball(8)
    assert delivery(sync_results(resource, "eng.1", "eng.2")).passed


def test_an_unknown_league_fails_the_run(resource: BucketResource) -> None:
    result = sync_results(resource, "eng.99")
    assert not result.success
    failure = result.failure_data_for_node("synced_results")
    assert failure is not None
    assert "eng.99" in str(failure.error)


def test_an_error_of_the_program_fails_the_run(
    resource: BucketResource, source: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> int:
        raise ZeroDivisionError("a fault of the program")

    source.files[f"/{SEASON}/en.1.json"] = openfootball(8)
    monkeypatch.setattr("football_assets.raw.sync.results.check_fetched_file", broken)
    result = sync_results(resource, "eng.1")
    assert not result.success
    assert "a fault of the program" in str(result.failure_data_for_node("synced_results"))


def test_the_asset_is_in_the_graph_but_not_run_unasked() -> None:
    keys = {key.to_user_string() for key in resolve_selection(defs, DEFAULT_SELECTION)}
    assert "raw_matches" in keys
    assert "synced_results" not in keys
    assert {key.to_user_string() for key in resolve_selection(defs, "synced_results")} == {"synced_results"}
