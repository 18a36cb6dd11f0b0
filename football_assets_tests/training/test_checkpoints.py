"""Checkpoints: a training that is interrupted after any epoch ends as one that was not."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from football_assets.training.checkpoints import (
    TrainingCheckpoint,
    load_random_state,
    save_random_state,
)
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Epoch, Fit, fit_forecaster
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import SMALL
from football_assets_tests.builders.priced import PRICED


class Interruption(Exception):
    """The machine is taken away."""


@dataclass
class Folder:
    """Keeps the last checkpoint in a folder, and interrupts the training once it has stored so many."""

    path: Path
    interrupt_after: int = 10**9
    stored: int = field(default=0)

    def latest(self) -> TrainingCheckpoint | None:
        return TrainingCheckpoint.load(self.path) if any(self.path.iterdir()) else None

    def restore_random_state(self) -> None:
        load_random_state(self.path, 0)

    def store(self, state: Callable[[], TrainingCheckpoint]) -> None:
        state().save(self.path)
        save_random_state(self.path, 0)
        self.stored += 1
        if self.stored == self.interrupt_after:
            raise Interruption


def without_seconds(epochs: list[Epoch]) -> list[dict[str, Any]]:
    return [{**epoch.as_dict(), "seconds": 0} for epoch in epochs]


def assert_same(resumed: Fit, whole: Fit) -> None:
    assert without_seconds(resumed.epochs) == without_seconds(whole.epochs)
    assert resumed.best_epoch == whole.best_epoch
    expected = whole.network.state_dict()
    for name, tensor in resumed.network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize("interrupt_after", [1, 4, 6])
def test_a_training_that_is_interrupted_after_an_epoch_ends_with_the_bits_of_one_that_is_not(
    planted: Fitted, tmp_path: Path, interrupt_after: int
) -> None:
    seen: list[Epoch] = []
    with pytest.raises(Interruption):
        fit_forecaster(
            planted.tensors, planted.split, planted.config, checkpoints=Folder(tmp_path, interrupt_after)
        )
    torch.manual_seed(0)  # another process

    resumed = fit_forecaster(
        planted.tensors, planted.split, planted.config, seen.append, checkpoints=Folder(tmp_path)
    )

    assert_same(resumed, planted.fit)
    assert seen == resumed.epochs


def test_hidden_odds_and_soft_labels_go_on_where_they_were(priced: Fitted, tmp_path: Path) -> None:
    assert PRICED.hidden_odds > 0
    assert PRICED.soft_labels > 0
    with pytest.raises(Interruption):
        fit_forecaster(priced.tensors, priced.split, priced.config, checkpoints=Folder(tmp_path, 2))

    resumed = fit_forecaster(priced.tensors, priced.split, priced.config, checkpoints=Folder(tmp_path))

    assert_same(resumed, priced.fit)


def test_a_training_that_validation_has_stopped_is_not_continued(planted: Fitted, tmp_path: Path) -> None:
    """Interrupted between the last epoch and the end."""
    patient = SMALL.model_copy(update={"epochs": 30, "patience": 1, "learning_rate": 0.2})
    whole = fit_forecaster(planted.tensors, planted.split, patient)
    assert len(whole.epochs) < 30

    with pytest.raises(Interruption):
        fit_forecaster(
            planted.tensors, planted.split, patient, checkpoints=Folder(tmp_path, len(whole.epochs))
        )
    folder = Folder(tmp_path)

    assert_same(fit_forecaster(planted.tensors, planted.split, patient, checkpoints=folder), whole)
    assert folder.stored == 0


@pytest.mark.parametrize("interrupt_after", [1, 3])
def test_a_refit_resumes_too(planted: Fitted, tmp_path: Path, interrupt_after: int) -> None:
    """Three epochs: the first interruption is in the fit, the second before the refit, a later one within it."""
    config: TrainingConfig = SMALL.model_copy(update={"epochs": 2, "refit": True})
    whole = fit_forecaster(planted.tensors, planted.split, config)

    with pytest.raises(Interruption):
        fit_forecaster(planted.tensors, planted.split, config, checkpoints=Folder(tmp_path, interrupt_after))
    assert json.loads((tmp_path / "state.json").read_text())["stage"] == ("fit", "refit")[interrupt_after > 2]

    assert_same(fit_forecaster(planted.tensors, planted.split, config, checkpoints=Folder(tmp_path)), whole)


def test_tensors_come_back_by_name_and_numbers_as_they_were(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    state = 2**127 + 1  # of numpy's generator
    TrainingCheckpoint(
        {"a.weight": shared, "a.bias": shared.t(), "ab.weight": torch.zeros(1)}, {"state": state, "rate": 0.1}
    ).save(tmp_path)

    loaded = TrainingCheckpoint.load(tmp_path)

    assert loaded.record == {"state": state, "rate": 0.1}
    assert sorted(loaded.part("a")) == ["bias", "weight"]
    assert torch.equal(loaded.part("a")["bias"], shared.t())


def test_each_worker_has_random_numbers_of_its_own(tmp_path: Path) -> None:
    drawn = {}
    for rank in (0, 1):
        torch.manual_seed(rank)
        save_random_state(tmp_path, rank)
        drawn[rank] = torch.rand(3)

    for rank in (1, 0):
        load_random_state(tmp_path, rank)
        assert torch.equal(torch.rand(3), drawn[rank])
