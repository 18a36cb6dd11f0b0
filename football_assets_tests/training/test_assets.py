"""The learning assets in one Dagster run, on a simulated country, with their metadata and checks."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetKey,
    AssetSpec,
    DagsterInstance,
    DagsterRun,
    Definitions,
    ExecuteInProcessResult,
    in_process_executor,
    materialize,
)

from football_assets.errors import FootballError
from football_assets.orchestration.dagster_private import InMemoryJob, execute_run_iterator
from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.sequences.tensors import SequenceTensors
from football_assets.storage.artifacts import fetch, publish
from football_assets.storage.tables import read_table
from football_assets.training.assets import assets, parse_day, trained_lstm
from football_assets.training.checks import checks
from football_assets.training.evaluation import load_metrics
from football_assets.training.network import load_description, load_forecaster
from football_assets_tests.builders.wandb_server import wait_for_record
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries

TRAINING = {
    "epochs": 3,
    "learning_rate": 5e-3,
    "averaging": 0.9,
    "network": {"hidden": 8, "trunk": 8},
    "split": {"test_share": 0.25},
}
CONFIG = {
    "ops": {
        "trained_lstm": {"config": TRAINING},
        "backtest": {"config": {"start": "2014-08-14", "end": "2014-09-01", "training": TRAINING}},
    }
}


@dataclass(frozen=True)
class Run:
    bucket: BucketResource
    result: ExecuteInProcessResult

    def folder(self, name: str) -> Path:
        return fetch(self.bucket.open(), name, Path(self.bucket.scratch))

    def metadata(self, name: str) -> dict[str, Any]:
        (event,) = self.result.asset_materializations_for_node(name)
        return {key: value.value for key, value in event.metadata.items()}


def run(bucket: BucketResource, config: dict[str, Any], **options: Any) -> ExecuteInProcessResult:
    resources = {
        "bucket": bucket,
        "tables": TableIOManager(bucket=bucket),
        "folders": FolderIOManager(bucket=bucket),
    }
    tensors = AssetSpec("sequence_tensors").with_io_manager_key("folders")
    return materialize([tensors, *assets, *checks], resources=resources, run_config=config, **options)


@pytest.fixture(scope="module")
def learnt(countries: SimulatedCountries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    root = tmp_path_factory.mktemp("learnt")
    (root / "tensors").mkdir()
    countries.tensors(TRUTH, root / "tensors")
    bucket = BucketResource(url=str(root / "bucket"), scratch=str(root / "scratch"))
    publish(bucket.open(), "sequence_tensors", root / "tensors")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("FOOTBALL_WANDB_PROJECT", "WANDB_API_KEY", "WANDB_MODE"):
            environment.delenv(name, raising=False)
        yield Run(bucket, run(bucket, CONFIG))


def test_the_trained_network_is_stored_with_how_it_came_about(learnt: Run, tensors: SequenceTensors) -> None:
    folder = learnt.folder("trained_lstm")

    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.safetensors",
        "training.json",
        "feature_spec.json",
        "loss_curves.png",
    }
    description = load_description(folder)
    assert description["config"]["network"] == {"hidden": 8, "layers": 1, "trunk": 8, "dropout": 0.15}
    assert [epoch["epoch"] for epoch in description["epochs"]] == [1, 2, 3]
    assert sum(description["matches"].values()) < tensors.played.sum()
    assert load_forecaster(folder).config.hidden == 8
    scale = float(load_forecaster(folder).calibration_scale[0])
    assert description["temperature"] == pytest.approx(1 / scale)


def test_training_shows_its_curves_and_figures_in_the_metadata(learnt: Run) -> None:
    metadata = learnt.metadata("trained_lstm")
    description = load_description(learnt.folder("trained_lstm"))

    picture = metadata["loss_curves"].split("base64,")[1].removesuffix(")")
    assert base64.b64decode(picture) == (learnt.folder("trained_lstm") / "loss_curves.png").read_bytes()
    assert metadata["train_matches"] == description["matches"]["train"]
    best = description["epochs"][description["best_epoch"] - 1]
    assert metadata["validation_log_loss"] == best["validation_log_loss"]
    assert metadata["wandb"] == "off"
    assert metadata["split"] == description["split"]


def test_the_evaluation_judges_the_stored_network_on_the_period_it_did_not_see(learnt: Run) -> None:
    folder = learnt.folder("model_evaluation")
    metrics, metadata = load_metrics(folder), learnt.metadata("model_evaluation")
    description = load_description(learnt.folder("trained_lstm"))
    predictions = pl.read_parquet(folder / "test_predictions.parquet")

    assert metrics["split"] == description["split"]
    assert metrics["test_matches"] == description["matches"]["test"] == len(predictions)
    assert str(predictions["kickoff_date"].min()) > metrics["split"]["validation_end"]
    assert metadata["test_log_loss"] == metrics["test"]["log_loss"]
    assert f"| LSTM | {metrics['test']['log_loss']:.4f} |" in metadata["scores"]
    assert metadata["by_league"].count("| eng.") == len(metrics["by_league"])
    assert "| draw | " in metadata["confusion"]
    assert (folder / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_the_backtest_is_a_table_of_the_days_asked_for(learnt: Run, tensors: SequenceTensors) -> None:
    table = read_table(learnt.bucket.open(), "backtest")

    days = pl.col("kickoff_date").is_between(date(2014, 8, 14), date(2014, 9, 1))
    expected = tensors.keys.filter(days & pl.col("is_played"))

    assert table["date"].to_list() == expected["kickoff_date"].to_list()
    assert table["home_team"].to_list() == expected["home_team"].to_list()
    assert learnt.metadata("backtest")["matches"] == len(table)
    assert learnt.metadata("backtest")["split"]["validation_end"] == "2014-08-13"


def test_the_checks_run_with_their_assets_and_those_of_soundness_pass(learnt: Run) -> None:
    found = {item.check_name: item.passed for item in learnt.result.get_asset_check_evaluations()}

    assert set(found) == {key.name for check in checks for key in check.check_keys}
    assert found["periods_in_order"]
    assert found["probabilities_sum_to_one"]
    assert found["beats_class_prior"]


def test_no_scratch_folder_is_left(learnt: Run) -> None:
    assert list(Path(learnt.bucket.scratch).iterdir()) == []


def test_a_backtest_of_a_day_that_is_none_is_refused(learnt: Run) -> None:
    config = {"ops": {"backtest": {"config": {"start": "the first of May"}}}}

    with pytest.raises(FootballError, match="'the first of May' is not a day: write it YYYY-MM-DD"):
        run(learnt.bucket, config, selection=["backtest"])


def test_a_day_is_read_as_written() -> None:
    assert str(parse_day("2021-07-01")) == "2021-07-01"
    with pytest.raises(FootballError, match="'2021-02-30' is not a day"):
        parse_day("2021-02-30")


def test_a_knob_that_cannot_be_is_refused_before_anything_is_trained(learnt: Run) -> None:
    before = learnt.folder("trained_lstm")

    with pytest.raises(Exception, match="(?s)epochs.*greater than or equal to 1"):
        run(learnt.bucket, {"ops": {"trained_lstm": {"config": {"epochs": 0}}}}, selection=["trained_lstm"])

    assert learnt.folder("trained_lstm") == before


class Requests:
    """Runs of `trained_lstm` that are requested first and executed later, on an instance of their own."""

    def __init__(self, bucket: BucketResource, instance: DagsterInstance) -> None:
        tensors = AssetSpec("sequence_tensors").with_io_manager_key("folders")
        resources = {"bucket": bucket, "folders": FolderIOManager(bucket=bucket)}
        definitions = Definitions([tensors, trained_lstm], resources=resources, executor=in_process_executor)
        self.instance = instance
        self.job = definitions.resolve_implicit_global_asset_job_def()

    def request(self, **config: Any) -> DagsterRun:
        run_config = {"ops": {"trained_lstm": {"config": TRAINING | config}}}
        return self.instance.create_run_for_job(job_def=self.job, run_config=run_config)

    def execute(self, run: DagsterRun) -> None:
        list(execute_run_iterator(InMemoryJob(self.job), run, self.instance))
        finished = self.instance.get_run_by_id(run.run_id)
        assert finished is not None
        assert finished.is_success


def test_a_run_copies_the_model_that_another_has_trained_since_its_request_and_trains_otherwise(
    learnt: Run, tmp_path: Path
) -> None:
    bucket = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    tensors = tmp_path / "tensors"
    shutil.copytree(learnt.folder("sequence_tensors"), tensors)
    publish(bucket.open(), "sequence_tensors", tensors)

    def model() -> Path:
        return fetch(bucket.open(), "trained_lstm", tmp_path / "scratch")

    def trained_by() -> str:
        return str(load_description(model())["run_id"])

    with DagsterInstance.ephemeral() as instance:
        requests = Requests(bucket, instance)
        sensor, person = requests.request(), requests.request()
        other_epochs, other_tensors = requests.request(epochs=2), requests.request(epochs=2)
        requests.execute(sensor)
        assert trained_by() == sensor.run_id
        stored = model()

        requests.execute(person)
        assert model() == stored
        event = instance.get_latest_materialization_event(AssetKey("trained_lstm"))
        assert event is not None
        assert event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
        assert event.run_id == person.run_id
        assert metadata["copied_from_run"].value == sensor.run_id
        assert metadata["best_epoch"].value == load_description(stored)["best_epoch"]

        requests.execute(other_epochs)
        assert trained_by() == other_epochs.run_id

        (tensors / "note").write_text("other content")
        publish(bucket.open(), "sequence_tensors", tensors)
        requests.execute(other_tensors)
        assert trained_by() == other_tensors.run_id

        later = requests.request(epochs=2)
        requests.execute(later)
        assert trained_by() == later.run_id
        assert list((tmp_path / "scratch").iterdir()) == []


def test_training_and_evaluation_are_tracked_in_one_group_of_runs_with_their_plots(
    learnt: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("FOOTBALL_WANDB_PROJECT", "football")
    monkeypatch.setenv("FOOTBALL_HOME", str(tmp_path))

    config = {"ops": {"trained_lstm": CONFIG["ops"]["trained_lstm"]}}
    training = run(learnt.bucket, config, selection=["trained_lstm"])
    evaluation = run(learnt.bucket, {}, selection=["model_evaluation"])

    for result, asset, plot in (
        (training, "trained_lstm", b"loss_curves"),
        (evaluation, "model_evaluation", b"test_log_loss"),
    ):
        (event,) = result.asset_materializations_for_node(asset)
        folder = Path(str(event.metadata["wandb"].value))
        assert folder.name.endswith(f"{result.run_id}-{asset}")
        content = wait_for_record(folder, training.run_id.encode(), plot)
        assert asset.encode() in content
        assert list(folder.glob("files/media/images/*.png"))
