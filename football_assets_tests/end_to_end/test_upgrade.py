"""The homes of earlier releases are read by the present code: registry, tables, prediction log, Dagster's storage."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import AssetKey, DagsterInstance, DagsterRunStatus

from football_assets.monitoring.compaction import compact
from football_assets.monitoring.schema import LOG_SCHEMA, LOG_TABLE
from football_assets.registry.store import Registry
from football_assets.sequences.fixture_days import FIXTURE_TABLE
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table
from football_assets_tests.builders.running import fixture_query
from football_assets_tests.end_to_end.earlier_home import DAY, MATCH, homes, unpack_home
from football_assets_tests.end_to_end.serving import COMMAND
from serve.metrics import ServingMetrics
from serve.served_model import MatchForecast
from serve.service import ForecastService, ModelChoice

Home = tuple[Path, dict[str, Any]]
LOG_COLUMNS = [name for name in LOG_SCHEMA if name != "unnamed_features"]


@pytest.fixture(scope="module", params=homes(), ids=lambda file: str(file.name))
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return unpack_home(request.param, tmp_path_factory.mktemp("earlier"))


@pytest.fixture
def service(home: Home) -> Iterator[ForecastService]:
    folder, _ = home
    service = ForecastService(open_bucket(str(folder / "bucket")), folder / "scratch", ServingMetrics())
    service.load(ModelChoice())
    service.refresh()
    yield service
    service.close()


def test_there_is_a_home_to_upgrade() -> None:
    assert [file.name for file in homes()][:1] == ["home-0.1.0.tar.xz"]


def test_its_model_is_loaded_and_forecasts_what_its_release_forecast(
    home: Home, service: ForecastService
) -> None:
    folder, expected = home
    registry = Registry(open_bucket(str(folder / "bucket")))
    assert registry.resolve("production") == 1

    version, (answer,) = service.answer([fixture_query("now", "predict", *MATCH, DAY)])

    assert version == 1
    assert isinstance(answer, MatchForecast)
    assert answer.probabilities == pytest.approx(expected["probabilities"], abs=1e-6)
    assert len(service.fixtures.rows) + len(service.fixtures.overdue) > 0


def test_its_prediction_log_is_read_and_compacted_with_new_records(home: Home) -> None:
    folder, expected = home
    bucket = open_bucket(str(folder / "bucket"))
    before = read_table(bucket, LOG_TABLE)
    assert before["request_id"].to_list() == expected["in_table"]

    done = compact(bucket)

    assert done.problems == []
    rows = read_table(bucket, LOG_TABLE, columns=LOG_COLUMNS)
    earlier = rows.filter(pl.col("request_id") != "now")
    assert earlier["request_id"].to_list() == ["r0", "r1", "r2", "r3"]
    assert earlier["p_home"].to_list() == pytest.approx([expected["probabilities"][0]] * 4)
    assert done.rows == expected["in_segments"] + rows.height - earlier.height


def test_dagsters_storage_is_migrated_and_a_new_run_follows_the_earlier_ones(home: Home) -> None:
    folder, _ = home
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FOOTBALL_")},
        "DAGSTER_HOME": str(folder / "dagster"),
        "FOOTBALL_HOME": str(folder),
    }
    prepare = "from football_assets.runtime.home import prepare_home; prepare_home()"
    subprocess.run(
        [sys.executable, "-c", prepare],
        check=True,
        env={name: value for name, value in environment.items() if name != "DAGSTER_HOME"},
    )
    migrate = [sys.executable, "-m", "dagster", "instance", "migrate"]
    subprocess.run(migrate, check=True, env=environment)
    for assets in ("+match_features", "fixture_predictions"):
        command = [COMMAND, "materialize", "--select", assets, "--home", folder]
        subprocess.run(command, check=True, env=environment)

    with DagsterInstance.from_config(str(folder / "dagster")) as instance:
        runs = instance.get_runs()
        models = instance.get_latest_materialization_event(AssetKey("registered_model"))
        forecasts = instance.get_latest_materialization_event(AssetKey("fixture_predictions"))
    assert len(runs) == 4, "two of the earlier release, and two of this one"
    assert {run.status for run in runs} == {DagsterRunStatus.SUCCESS}
    assert models is not None
    assert models.run_id in {run.run_id for run in runs[1:]}
    assert forecasts is not None
    assert forecasts.run_id == runs[0].run_id
    assert read_table(open_bucket(str(folder / "bucket")), FIXTURE_TABLE).height > 0
