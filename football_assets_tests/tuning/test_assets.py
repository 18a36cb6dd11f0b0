"""The asset `sweep` as Dagster runs it: its rivals, its metadata, and what the next training loads."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from dagster import AssetKey, AssetSpec, ExecuteInProcessResult, materialize

from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.sequences.tensors import open_tensors
from football_assets.storage.artifacts import fetch, folder_digest, publish
from football_assets.storage.tables import as_markdown, read_table
from football_assets.training.assets import trained_lstm
from football_assets.training.best_config import TUNED, BestConfig, load_best, save_best, spec_digest
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets.training.network import load_description
from football_assets.training.split import split_by_time
from football_assets.tuning.assets import assets, sweep
from football_assets.tuning.trials import BEFORE, DEFAULT, DRAWN
from football_assets_tests.builders.registry_graph import metadata
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries

LAST_WINNER = TrainingConfig(
    network=NetworkConfig(hidden=12, trunk=20), learning_rate=4e-3, goals_weight=0.25
)
SHORT = {"trials": 2, "minutes": 5.0, "epochs": 1, "final_seeds": 2}


@pytest.fixture
def bucket(countries: SimulatedCountries, tmp_path: Path) -> BucketResource:
    """A bucket with the tensors of a simulated country."""
    (tmp_path / "tensors").mkdir()
    countries.tensors(TRUTH, tmp_path / "tensors")
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    publish(resource.open(), "sequence_tensors", tmp_path / "tensors")
    return resource


def run(bucket: BucketResource, asset: Any, config: dict[str, Any]) -> ExecuteInProcessResult:
    resources = {
        "bucket": bucket,
        "tables": TableIOManager(bucket=bucket),
        "folders": FolderIOManager(bucket=bucket),
    }
    tensors = AssetSpec("sequence_tensors").with_io_manager_key("folders")
    name = asset.key.to_user_string()
    return materialize([tensors, asset], resources=resources, run_config={"ops": {name: {"config": config}}})


@pytest.mark.usefixtures("_ray")
def test_the_next_training_takes_what_the_sweep_found(bucket: BucketResource) -> None:
    swept = run(bucket, sweep, {"trials": 4, "minutes": 5.0, "epochs": 3, "final_seeds": 2})

    (event,) = swept.asset_materializations_for_node("sweep")
    shown: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
    found = load_best(bucket.open())
    assert found is not None
    assert found.run_id == swept.run_id
    assert found.wins is shown["changes_the_next_training"]
    assert shown["verdict"] == found.reason
    assert shown["curves"].startswith("![Validation log loss by epoch](data:image/png;base64,")
    assert "| 0 | default | " in shown["trials"]
    assert shown["best_config"] == found.training.model_dump(mode="json")
    table = read_table(bucket.open(), "sweep")
    assert table["origin"].to_list() == [DEFAULT, *[DRAWN] * 3]
    assert np.isfinite(table.filter(pl.col("trial") == 0)["final_log_loss"].item())
    assert not list(Path(bucket.scratch).glob("sweep-*"))

    trained = run(bucket, trained_lstm, {"epochs": 2})

    (trained_event,) = trained.asset_materializations_for_node("trained_lstm")
    description = load_description(fetch(bucket.open(), "trained_lstm", Path(bucket.scratch)))
    expected = found.training if found.wins else TrainingConfig()
    for name in TUNED:
        value = getattr(expected, name)
        assert description["config"][name] == (value.model_dump() if name == "network" else value)
    assert description["run_id"] == trained.run_id
    assert found.reason in str(trained_event.metadata["hyperparameters"].value)


def a_result(bucket: BucketResource, **changes: Any) -> BestConfig:
    """The record of a sweep that `LAST_WINNER` won, with changes."""
    tensors = open_tensors(fetch(bucket.open(), "sequence_tensors", Path(bucket.scratch)))
    fields = {
        "training": LAST_WINNER,
        "wins": True,
        "reason": "of the test",
        "validation_log_loss": [1.0, 1.0],
        "default_validation_log_loss": [1.1, 1.1],
        "feature_spec": spec_digest(tensors.spec),
        "tensors": "another digest",
        "validation_start": date(2014, 1, 1),
        "validation_end": date(2014, 2, 1),
        "found": datetime(2014, 3, 1, tzinfo=UTC),
        "run_id": "of the last sweep",
    }
    return BestConfig(**(fields | changes))


@pytest.mark.usefixtures("_ray")
def test_the_winner_of_the_last_sweep_is_a_rival_and_the_new_result_replaces_it(
    bucket: BucketResource,
) -> None:
    save_best(bucket.open(), a_result(bucket))

    result = run(bucket, sweep, SHORT)

    table, shown = read_table(bucket.open(), "sweep"), metadata(result, "sweep")
    assert table["origin"].to_list() == [DEFAULT, BEFORE]
    of_before = table.row(1, named=True)
    assert (of_before["hidden"], of_before["trunk"]) == (12, 20)
    assert (of_before["learning_rate"], of_before["goals_weight"]) == (4e-3, 0.25)
    assert table["epochs"].to_list() == [1, 1]
    assert shown["trials"] == as_markdown(table.sort("validation_log_loss", nulls_last=True))
    finals = [row.strip("| ").split(" | ")[:2] for row in shown["final"].splitlines()[2:]]
    assert sorted(finals) == [
        [f"trial {number}, {origin}", str(seed)]
        for number, origin in ((0, DEFAULT), (1, BEFORE))
        for seed in (1000, 1001)
    ]
    folder = fetch(bucket.open(), "sequence_tensors", Path(bucket.scratch))
    split = split_by_time(open_tensors(folder), SplitConfig())
    assert shown["split"] == split.as_dict()
    found = load_best(bucket.open())
    assert found is not None
    assert (found.run_id, found.tensors) == (result.run_id, folder_digest(folder))
    assert (found.validation_start, found.validation_end) == (split.validation_start, split.validation_end)
    assert len(found.validation_log_loss) == len(found.default_validation_log_loss) == 2


@pytest.mark.usefixtures("_ray")
@pytest.mark.parametrize("change", [{"wins": False}, {"feature_spec": "of other features"}])
def test_a_result_that_kept_the_defaults_or_is_of_other_features_is_no_rival(
    bucket: BucketResource, change: dict[str, Any]
) -> None:
    save_best(bucket.open(), a_result(bucket, **change))

    run(bucket, sweep, SHORT)

    assert read_table(bucket.open(), "sweep")["origin"].to_list() == [DEFAULT, DRAWN]


def test_the_asset_is_described_in_the_group_of_learning_and_shares_the_pool_of_training() -> None:
    (asset,) = assets
    spec = asset.get_asset_spec(AssetKey("sweep"))

    assert spec.group_name == trained_lstm.get_asset_spec(AssetKey("trained_lstm")).group_name
    assert (spec.owners, spec.kinds) == (["team:forecasting"], {"ray", "pytorch"})
    assert "one row per trial" in str(spec.description)
    assert asset.op.pool == trained_lstm.op.pool == "training"
