"""The sweep: seeded, bounded, decided by validation over several seeds, and loaded by the next training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from dagster import AssetSpec, ExecuteInProcessResult, materialize

from football_assets.errors import FootballError
from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.artifacts import fetch, publish
from football_assets.storage.tables import read_table
from football_assets.training.assets import trained_lstm
from football_assets.training.best_config import TUNED, load_best
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import fit_forecaster
from football_assets.training.network import load_description
from football_assets.training.parallel.ray_cluster import ray_cluster
from football_assets.training.split import split_by_time
from football_assets.tuning.assets import sweep
from football_assets.tuning.sweep import (
    Finalist,
    choose_finalists,
    run_sweep,
    trials_table,
    verdict,
)
from football_assets.tuning.trials import BEFORE, DEFAULT, DRAWN
from football_assets_tests.builders.planted import planted_tensors, poisoned
from football_assets_tests.builders.trials import SWEEP, a_trial
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries


def finalist(number: int, *losses: float) -> Finalist:
    return Finalist(a_trial(number), dict(enumerate(losses)))


def test_the_final_has_the_default_the_last_best_and_the_best_drawn_by_their_best_epoch() -> None:
    trials = [
        a_trial(0, 1.05, origin=DEFAULT),
        a_trial(1, 1.04, origin=BEFORE),
        a_trial(2, 1.03, 1.01, 1.09),
        a_trial(3, failure="died"),
        a_trial(4, 1.02),
        a_trial(5, 0.99),
    ]

    chosen = choose_finalists(trials, SWEEP)

    assert [trial.number for trial in chosen] == [0, 1, 5, 2]


def test_a_sweep_without_any_score_says_why() -> None:
    trials = [a_trial(0, origin=DEFAULT, failure="it died"), a_trial(1)]

    with pytest.raises(FootballError, match="No trial of the sweep gave a score; the first failed: it died"):
        choose_finalists(trials, SWEEP)


def test_a_rival_wins_only_by_more_than_the_standard_error_over_equal_seeds() -> None:
    default = finalist(0, 1.00, 1.02, 1.01)
    clear, lucky, worse = (
        finalist(1, 0.98, 1.00, 0.99),
        finalist(2, 0.90, 1.04, 1.03),
        finalist(3, 1.1, 1.1, 1.1),
    )

    assert verdict([default, worse, clear])[0] is clear
    assert verdict([default, worse, lucky])[0] is default  # +0.020 ± 0.040
    assert verdict([default, worse])[0] is default
    assert verdict([default, clear])[1].startswith("trial 1 beats the default: +0.0200 ± 0.0000")


def test_without_two_seeds_in_common_nobody_wins() -> None:
    default, rival = finalist(0, 1.0, 1.0), Finalist(a_trial(1), {1: 0.5, 2: 0.5})

    winner, reason = verdict([default, rival])

    assert winner is None
    assert "too short to tell" in reason


@pytest.fixture(scope="module")
def _ray() -> Iterator[None]:
    """One cluster for the tests that need it: each sweep joins the one that runs."""
    with ray_cluster(least_cpus=2):
        yield


@pytest.mark.usefixtures("_ray")
def test_a_sweep_finds_what_beats_a_poor_default_without_a_look_at_the_test_period() -> None:
    tensors = planted_tensors()
    split = split_by_time(tensors, SWEEP.split)
    said: list[str] = []

    result = run_sweep(poisoned(tensors, split.test), split, SWEEP, say=said.append)

    alone = fit_forecaster(tensors, split, SWEEP.default)
    assert [epoch.validation_log_loss for epoch in result.trials[0].epochs] == pytest.approx(
        [epoch.validation_log_loss for epoch in alone.epochs], abs=1e-6
    )
    assert result.winner is not None
    assert result.winner is not result.finalists[0]
    assert max(result.winner.losses.values()) < min(result.finalists[0].losses.values())
    assert all(len(item.losses) == SWEEP.final_seeds for item in result.finalists)
    assert sum(line.startswith("Trial ") for line in said[:-1]) == SWEEP.trials
    assert sum(line.startswith("Final: ") for line in said) == 2 * len(result.finalists)
    table = trials_table(result)
    assert table["trial"].to_list() == list(range(6))
    assert table["final_log_loss"].drop_nulls().len() == len(result.finalists)
    best = table.sort("validation_log_loss")["trial"].head(2).to_list()
    assert set(best) <= {item.trial.number for item in result.finalists}


@pytest.mark.usefixtures("_ray")
def test_a_sweep_without_time_ends_and_says_so() -> None:
    tensors = planted_tensors()
    hasty = SWEEP.model_copy(update={"minutes": 1e-3, "epochs": 10_000, "patience": 10_000})

    with pytest.raises(FootballError, match="the first not reached.*more minutes"):
        run_sweep(tensors, split_by_time(tensors, SWEEP.split), hasty)


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
