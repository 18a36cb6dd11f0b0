"""The hyperparameters of a training and of a sweep."""

import pytest
from pydantic import ValidationError

from football_assets.training.config import (
    LaunchedTraining,
    NetworkConfig,
    SplitConfig,
    SweepConfig,
    TrainingConfig,
)


def test_a_launched_training_is_its_configuration_without_the_choice_of_the_sweeps() -> None:
    launched = LaunchedTraining(network=NetworkConfig(hidden=24), epochs=7, use_best_config=False)

    given = launched.as_given()

    assert type(given) is TrainingConfig
    assert given == TrainingConfig(network=NetworkConfig(hidden=24), epochs=7)


def test_the_configuration_that_a_sweep_has_to_beat_has_the_sweeps_split_epochs_and_patience() -> None:
    split = SplitConfig(test_share=0.25)

    default = SweepConfig(split=split, epochs=9, patience=3).default

    assert default == TrainingConfig(split=split, epochs=9, patience=3)


@pytest.mark.parametrize(
    "changes", [{"epochs": 0}, {"learning_rate": 0}, {"averaging": 1.0}, {"workers": 0}, {"hidden": 8}]
)
def test_a_value_out_of_range_or_of_an_unknown_name_is_rejected(changes: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(changes))):
        TrainingConfig.model_validate(changes)
