"""The UI's button "Materialize all", all partitions, on a home where only the bundled sample has landed, offline."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from dagster import AssetKey, DagsterRun, DagsterRunStatus, RunsFilter

from football_assets.automation.registry_jobs import VERSIONS_CHECK
from football_assets.sample import sample_folder
from football_assets_tests.builders.ports import free_port
from football_assets_tests.end_to_end.installation import (
    Installation,
    local_installation,
)
from football_assets_tests.end_to_end.loop import Timeline, say

BACKFILL_TAG = "dagster/backfill"
CLOCK_SECONDS = 1.0  # between the last write of the backfill and its status
FAILED = {"FAILED", "CANCELED", "COMPLETED_FAILED"}
ASSETS = "{ assetNodes { assetKey { path } isExecutable isPartitioned partitionKeys } }"
LAUNCH = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    __typename ... on PartitionBackfill { status error { message } } ... on PythonError { message } } }"""


@dataclass(frozen=True)
class Pressed:
    """The installation after the backfill has ended, the assets that it was launched for, and its runs."""

    here: Installation
    backfill: str
    assets: tuple[str, ...]
    status: str
    backfill_runs: tuple[DagsterRun, ...]
    other_runs: tuple[DagsterRun, ...]


def query(here: Installation, text: str, **variables: Any) -> dict[str, Any]:
    """Data of a GraphQL query to the UI's server."""
    answer = httpx.post(f"{here.ui}/graphql", json={"query": text, "variables": variables}, timeout=120)
    data: dict[str, Any] = answer.raise_for_status().json()["data"]
    return data


def executable_assets(here: Installation) -> list[dict[str, Any]]:
    nodes = query(here, ASSETS)["assetNodes"]
    return [node for node in nodes if node["isExecutable"]]


def press(here: Installation, nodes: list[dict[str, Any]]) -> str:
    """Launch the backfill with the parameters that the UI's dialog sends; returns its id.

    All partitioned assets share one definition, so the dialog lists its partitions and selects all of them.
    """
    partitions = {key for node in nodes if node["isPartitioned"] for key in node["partitionKeys"]}
    params = {
        "assetSelection": [{"path": node["assetKey"]["path"]} for node in nodes],
        "partitionNames": sorted(partitions),
        "fromFailure": False,
        "tags": [{"key": "dagster/from_ui", "value": "true"}],
    }
    launched = query(here, LAUNCH, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    return str(launched["backfillId"])


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pressed]:
    line = Timeline(say)
    with local_installation(tmp_path_factory.mktemp("button"), say) as here:
        here.environment["FOOTBALL_OPENFOOTBALL_URL"] = f"http://127.0.0.1:{free_port()}"  # nothing listens
        here.football("land", str(sample_folder()))
        for name in ("ui", "serve"):
            here.start(name)
        here.wait("the UI answers", lambda: executable_assets(here))
        here.start("daemon")
        nodes = here.wait("the sensor registers the partitions", lambda: registered(here))
        line.note("the partitions are registered")
        backfill = press(here, nodes)
        line.note(f"backfill {backfill} of {len(nodes)} assets is launched")

        def ended() -> str | None:
            status = str(query(here, STATUS, id=backfill)["partitionBackfillOrError"]["status"])
            return status if status.startswith("COMPLETED") or status in FAILED else None

        status = here.wait("the backfill ends", ended)
        line.note(f"the backfill is {status}")
        of_backfill = tuple(here.dagster.get_runs(RunsFilter(tags={BACKFILL_TAG: backfill})))
        for run in reversed(of_backfill):
            stats = here.dagster.get_run_record_by_id(run.run_id)
            assert stats is not None
            seconds = (stats.end_time or 0) - (stats.start_time or 0)
            made = sorted(key.to_user_string() for key in run.asset_selection or ())
            say(f"  {seconds:6.1f} s  {run.status.value}: {', '.join(made)}")
            if run.status is not DagsterRunStatus.SUCCESS:
                say(here.failure(run))
        known = {run.run_id for run in of_backfill}
        others = tuple(run for run in here.runs() if run.run_id not in known)
        names = tuple("/".join(node["assetKey"]["path"]) for node in nodes)
        yield Pressed(here, backfill, names, status, of_backfill, others)


def registered(here: Installation) -> list[dict[str, Any]] | None:
    nodes = executable_assets(here)
    return nodes if any(node["partitionKeys"] for node in nodes) else None


def test_the_backfill_succeeds_and_materializes_every_asset(pressed: Pressed) -> None:
    assert pressed.status == "COMPLETED_SUCCESS"
    assert {run.status for run in pressed.backfill_runs} == {DagsterRunStatus.SUCCESS}
    missing = [
        name
        for name in pressed.assets
        if pressed.here.dagster.get_latest_materialization_event(AssetKey(name.split("/"))) is None
    ]
    assert missing == []


def test_one_version_is_registered_and_in_production(pressed: Pressed) -> None:
    assert pressed.here.registry.versions() == [1]
    assert pressed.here.production() == 1


def test_each_asset_is_materialized_by_one_run(pressed: Pressed) -> None:
    counts = Counter(
        key.to_user_string() for run in pressed.backfill_runs for key in run.asset_selection or ()
    )
    assert set(counts.values()) == {1}
    assert set(counts) == set(pressed.assets)


def test_sensors_request_nothing_during_the_backfill_and_then_only_the_check_of_the_new_version(
    pressed: Pressed,
) -> None:
    backfill = pressed.here.dagster.get_backfill(pressed.backfill)
    assert backfill is not None
    assert backfill.backfill_end_timestamp is not None
    for run in pressed.other_runs:
        record = pressed.here.dagster.get_run_record_by_id(run.run_id)
        assert record is not None
        assert record.create_timestamp.timestamp() > backfill.backfill_end_timestamp - CLOCK_SECONDS
        assert not run.asset_selection
        assert run.asset_check_selection == {VERSIONS_CHECK}


def test_the_unreachable_source_is_a_warning(pressed: Pressed) -> None:
    instance = pressed.here.dagster
    (run,) = (
        run for run in pressed.backfill_runs if AssetKey("synced_results") in (run.asset_selection or ())
    )
    evaluations = [
        evaluation
        for record in instance.get_records_for_run(run.run_id).records
        if (event := record.event_log_entry.dagster_event) is not None
        and event.event_type_value == "ASSET_CHECK_EVALUATION"
        and (evaluation := event.asset_check_evaluation_data).asset_key == AssetKey("synced_results")
    ]
    found = {item.check_name: (item.passed, item.severity.value) for item in evaluations}
    assert found == {"no_file_is_refused": (True, "WARN"), "every_source_delivers": (False, "WARN")}
