"""The asset checks of `prediction_log` and `drift_report`, as Dagster runs them on a log and on a summary."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    AssetSpec,
    materialize,
)

from football_assets.errors import FootballError
from football_assets.monitoring.assets import assets
from football_assets.monitoring.checks import checks
from football_assets.monitoring.compaction import compact
from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import Evidence, examine
from football_assets.monitoring.summary import Area, DriftSummary, Finding, save_summary
from football_assets.orchestration.io_managers import TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.tables import read_table_of, write_table
from football_assets_tests.builders.prediction_logs import (
    DAY,
    lines,
    no_matches,
    publish_inputs,
    record,
    upload,
)
from football_assets_tests.builders.registry_graph import evaluations

EMPTY = no_matches()
QUIET = examine(Evidence(datetime.now(UTC), None, None, EMPTY, EMPTY, EMPTY), DriftConfig()).summary
CHECK_OF_AREA: dict[Area, str] = {
    "inputs": "inputs_are_as_in_training",
    "quality": "inputs_are_sound",
    "outcomes": "outcomes_are_as_forecast",
    "scores": "live_scores_are_as_expected",
}
NEXT_DAY = "2015-11-22"


@pytest.fixture
def resource(tmp_path: Path) -> BucketResource:
    """An empty bucket."""
    return BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))


def run_checks(
    resource: BucketResource, selection: AssetSelection | None = None, **arguments: Any
) -> dict[str, AssetCheckEvaluation]:
    """Evaluate the selected checks, or all of them, without their assets."""
    upstream = [AssetSpec("stg_matches").with_io_manager_key("tables"), AssetSpec("registered_model")]
    resources = {"bucket": resource, "tables": TableIOManager(bucket=resource)}
    selection = selection or AssetSelection.all_asset_checks()
    return evaluations(
        materialize([*upstream, *assets, *checks], resources=resources, selection=selection, **arguments)
    )


def checks_of_report(resource: BucketResource, summary: DriftSummary) -> dict[str, AssetCheckEvaluation]:
    save_summary(resource.open(), summary)
    return run_checks(resource, AssetSelection.checks_for_assets("drift_report"))


def with_verdicts(drifted: Mapping[Area, bool | None]) -> DriftSummary:
    """A summary whose areas have these verdicts, each with a note of its own."""
    findings = [Finding(area=area, drifted=drifted[area], note=f"Note of {area}.") for area in CHECK_OF_AREA]
    return QUIET.model_copy(
        update={"findings": findings, "predictions": 51, "results": 7, "thresholds": {"drift_share": 0.25}}
    )


# The log


@pytest.fixture
def logged(resource: BucketResource, tmp_path: Path) -> BucketResource:
    """A bucket with a compacted log of two days: three lines and two."""
    bucket = resource.open()
    publish_inputs(bucket, tmp_path / "version")
    upload(bucket, "a-000000", lines(record(1), record(2)))
    upload(bucket, "b-000000", lines(record(3)))
    upload(bucket, "a-000001", lines(record(4), record(5)), day=NEXT_DAY)
    compact(bucket)
    return resource


def log_check(resource: BucketResource) -> AssetCheckEvaluation:
    (found,) = run_checks(resource, AssetSelection.checks_for_assets("prediction_log")).values()
    return found


def test_a_log_whose_lines_are_there_once_passes(logged: BucketResource) -> None:
    found = log_check(logged)

    assert found.passed
    assert (found.metadata["rows"].value, found.metadata["repeated"].value) == (5, 0)


def test_a_line_that_is_there_twice_fails_and_every_repetition_is_counted(logged: BucketResource) -> None:
    bucket = logged.open()
    for day, again in ((DAY, [1, 1]), (NEXT_DAY, [0])):
        table = read_table_of(bucket, "prediction_log", [day])
        write_table(bucket, "prediction_log", pl.concat([table, table[again]]), day)

    found = log_check(logged)

    assert not found.passed
    assert found.severity is AssetCheckSeverity.ERROR
    assert not found.blocking
    assert (found.metadata["rows"].value, found.metadata["repeated"].value) == (8, 3)


def test_before_the_first_prediction_the_log_passes(resource: BucketResource) -> None:
    found = log_check(resource)

    assert found.passed
    assert found.metadata["rows"].value == 0


# The report


@pytest.mark.parametrize("area", CHECK_OF_AREA)
def test_drift_in_an_area_warns_at_its_check_alone(resource: BucketResource, area: Area) -> None:
    found = checks_of_report(resource, with_verdicts({name: name == area for name in CHECK_OF_AREA}))

    assert {name for name, item in found.items() if not item.passed} == {CHECK_OF_AREA[area]}
    warned = found[CHECK_OF_AREA[area]]
    assert warned.asset_key == AssetKey("drift_report")
    assert (warned.severity, warned.blocking) == (AssetCheckSeverity.WARN, False)
    assert warned.description == f"Note of {area}."
    assert warned.metadata["verdict"].value == "drift"


def test_an_area_with_too_little_data_passes_and_its_note_says_so(resource: BucketResource) -> None:
    found = checks_of_report(
        resource, with_verdicts({"inputs": False, "quality": None, "outcomes": None, "scores": False})
    )

    assert {name: (item.passed, item.metadata["verdict"].value) for name, item in found.items()} == {
        "inputs_are_as_in_training": (True, "ok"),
        "inputs_are_sound": (True, "insufficient_data"),
        "outcomes_are_as_forecast": (True, "insufficient_data"),
        "live_scores_are_as_expected": (True, "ok"),
    }
    assert found["outcomes_are_as_forecast"].description == "Note of outcomes."


def test_every_check_shows_how_much_the_verdict_rests_on_and_its_thresholds(resource: BucketResource) -> None:
    found = checks_of_report(resource, with_verdicts(dict.fromkeys(CHECK_OF_AREA, False)))

    assert len(found) == 4
    for item in found.values():
        assert (item.metadata["predictions"].value, item.metadata["results"].value) == (51, 7)
        assert (
            item.metadata["thresholds"].value
            == "| threshold | value |\n| --- | --- |\n| drift_share | 0.25 |"
        )


def test_the_latest_summary_counts(resource: BucketResource) -> None:
    drifted = with_verdicts(dict.fromkeys(CHECK_OF_AREA, True))
    assert not any(item.passed for item in checks_of_report(resource, drifted).values())

    assert all(item.passed for item in checks_of_report(resource, QUIET).values())


def test_one_check_can_be_evaluated_alone(resource: BucketResource) -> None:
    save_summary(resource.open(), QUIET)

    found = run_checks(
        resource, AssetSelection.checks(AssetCheckKey(AssetKey("drift_report"), "inputs_are_sound"))
    )

    assert list(found) == ["inputs_are_sound"]


def test_every_check_has_a_description() -> None:
    specs = [spec for definition in checks for spec in definition.check_specs]

    assert {spec.name for spec in specs} == {"every_prediction_is_logged_once", *CHECK_OF_AREA.values()}
    assert all((spec.description or "").endswith(".") for spec in specs)


def test_checks_before_the_first_report_say_what_to_do(resource: BucketResource) -> None:
    with pytest.raises(FootballError, match="materialize 'drift_report' first"):
        run_checks(resource, AssetSelection.checks_for_assets("drift_report"))
