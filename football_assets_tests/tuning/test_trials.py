"""The configurations that a sweep tries."""

import pytest

from football_assets.training.best_config import TUNED
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.tuning.trials import BEFORE, DEFAULT, DRAWN, Trial, draw_trials
from football_assets_tests.builders.trials import SWEEP, a_trial


def test_the_default_is_tried_first_then_the_last_best_then_what_the_seed_draws() -> None:
    last = TrainingConfig(network=NetworkConfig(hidden=5), learning_rate=0.123, epochs=99, seed=99)

    trials = draw_trials(SWEEP, last)

    assert [trial.origin for trial in trials] == [DEFAULT, BEFORE, *[DRAWN] * 4]
    assert [trial.number for trial in trials] == list(range(6))
    assert trials[0].training == SWEEP.default
    assert trials[1].training == SWEEP.default.model_copy(
        update={"network": NetworkConfig(hidden=5), "learning_rate": 0.123}
    )
    drawn = [trial.training.model_dump(include=set(TUNED)) for trial in trials[2:]]
    assert all(left != right for i, left in enumerate(drawn) for right in drawn[:i])
    kept = [trial.training.model_dump(exclude=set(TUNED)) for trial in trials]
    assert all(fields == kept[0] for fields in kept)


def test_the_seed_decides_what_is_drawn_and_more_trials_do_not_change_the_first() -> None:
    more = SWEEP.model_copy(update={"trials": 20})
    other = SWEEP.model_copy(update={"seed": 8})

    assert draw_trials(SWEEP) == draw_trials(more)[:6]
    assert draw_trials(SWEEP)[1:] != draw_trials(other)[1:]


def test_what_is_drawn_is_a_configuration_that_training_takes() -> None:
    for trial in draw_trials(SWEEP.model_copy(update={"trials": 300})):
        assert TrainingConfig.model_validate(trial.training.model_dump()) == trial.training


@pytest.mark.parametrize(
    ("trial", "outcome"),
    [
        (a_trial(1), "not reached"),
        (a_trial(1, 1.2, 1.1), "stopped after epoch 2"),
        (a_trial(1, 1.2, 1.1, epochs=2), "finished"),
        (a_trial(1, 1.0, 1.1, 1.1, 1.1, 1.1), "finished"),  # out of patience
        (a_trial(1, failure="Training diverged"), "failed: Training diverged"),
    ],
)
def test_what_became_of_a_trial_is_told(trial: Trial, outcome: str) -> None:
    assert trial.outcome == outcome
    assert trial.line().startswith(f"Trial 1 (drawn) {outcome}: ")


@pytest.mark.parametrize(("matches", "count"), [(6_048, 6), (100_000, 12), (252_000, 24)])
def test_an_unset_number_of_trials_follows_the_size_of_the_data(matches: int, count: int) -> None:
    unset = SWEEP.model_copy(update={"trials": None})
    assert len(draw_trials(unset, matches=matches)) == count
    assert len(draw_trials(SWEEP, matches=matches)) == 6
