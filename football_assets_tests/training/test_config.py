"""The hyperparameters of a training and of a sweep."""

import pytest
from pydantic import ValidationError

from football_assets.orchestration.launch_config import launchpad_config
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


@pytest.mark.parametrize(
    ("matches", "trials", "minutes"),
    [(0, 6, 0.75), (6_048, 6, 0.75), (80_000, 10, 8.0), (252_000, 24, 20.0), (10_000_000, 24, 20.0)],
)
def test_the_budget_of_a_sweep_grows_with_the_matches_between_bounds(
    matches: int, trials: int, minutes: float
) -> None:
    assert SweepConfig().budget(matches) == (trials, minutes)


def test_explicit_trials_and_minutes_are_kept_whatever_the_size() -> None:
    assert SweepConfig(trials=50, minutes=90).budget(6_048) == (50, 90)
    assert SweepConfig(minutes=90).budget(6_048) == (6, 90)
    assert SweepConfig(trials=2).budget(252_000) == (2, 20)


def test_the_launchpad_says_what_an_unset_budget_means() -> None:
    fields = launchpad_config(SweepConfig).model_fields
    for name in ("trials", "minutes"):
        assert fields[name].default is None
        assert "Unset: by the size of the data" in str(fields[name].description)
