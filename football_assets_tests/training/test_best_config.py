"""Which configuration a training takes: the sweep's only where it is better, fits, and has not seen the test."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.storage.opening import open_bucket
from football_assets.training.best_config import (
    BEST,
    BestConfig,
    choose_config,
    load_best,
    save_best,
    spec_digest,
)
from football_assets.training.config import LaunchedTraining, NetworkConfig, SplitConfig, TrainingConfig

TEST_START = date(2020, 1, 1)
FOUND = TrainingConfig(
    network=NetworkConfig(hidden=48), learning_rate=5e-3, seed=99, epochs=3, split=SplitConfig(test_share=0.3)
)


def best(**changes: Any) -> BestConfig:
    fields: dict[str, Any] = {
        "training": FOUND,
        "wins": True,
        "reason": "trial 3 beats the default",
        "validation_log_loss": [1.00, 1.01],
        "default_validation_log_loss": [1.02, 1.03],
        "feature_spec": spec_digest(DEFAULT_SPEC),
        "tensors": "t",
        "validation_start": date(2019, 1, 1),
        "validation_end": date(2019, 12, 31),
        "found": datetime(2020, 1, 2, tzinfo=UTC),
        "run_id": "run-3",
    }
    return BestConfig(**fields | changes)


def test_what_the_sweep_found_replaces_the_default_hyperparameters_and_nothing_else() -> None:
    launched = LaunchedTraining(epochs=20, seed=5, workers=2)

    choice = choose_config(launched, best(), DEFAULT_SPEC, TEST_START)

    assert choice.source == "sweep"
    assert choice.training == TrainingConfig(
        network=NetworkConfig(hidden=48), learning_rate=5e-3, epochs=20, seed=5, workers=2
    )
    assert choice.line() == ("Hyperparameters of the sweep: run run-3 found it: trial 3 beats the default.")


@pytest.mark.parametrize(
    ("launched", "found", "reason"),
    [
        ({}, None, "there is no result of a sweep"),
        ({"use_best_config": False}, best(), "use_best_config is off"),
        ({"learning_rate": 2e-3}, best(), "learning_rate is given"),
        ({"network": {"hidden": 8}, "averaging": 0.5}, best(), "network, averaging are given"),
        ({}, best(wins=False, reason="no trial beats it"), "kept the defaults: no trial beats it"),
        ({}, best(feature_spec="other"), "was on other features"),
        ({}, best(validation_end=TEST_START), "saw results until 2020-01-01, which are in the test period"),
    ],
)
def test_otherwise_the_launched_configuration_stands_and_the_reason_is_told(
    launched: dict[str, Any], found: BestConfig | None, reason: str
) -> None:
    configuration = LaunchedTraining.model_validate(launched)

    choice = choose_config(configuration, found, DEFAULT_SPEC, TEST_START)

    assert choice.training == configuration.as_given()
    assert choice.line().startswith("Hyperparameters as launched: ")
    assert reason in choice.line()


def test_another_feature_is_another_specification() -> None:
    fewer = DEFAULT_SPEC.model_copy(update={"context": DEFAULT_SPEC.context[:-1]})

    assert spec_digest(fewer) != spec_digest(DEFAULT_SPEC)
    assert spec_digest(DEFAULT_SPEC.model_copy()) == spec_digest(DEFAULT_SPEC)


def test_the_verdict_is_kept_in_the_bucket(bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    assert load_best(bucket) is None

    save_best(bucket, best())
    save_best(bucket, best(run_id="run-4"))

    assert load_best(bucket) == best(run_id="run-4")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"training": {"wheels": 4}}'])
def test_a_verdict_that_this_version_does_not_understand_is_none(content: bytes, bucket_url: str) -> None:
    bucket = open_bucket(bucket_url)
    bucket.write(BEST, content)

    assert load_best(bucket) is None
