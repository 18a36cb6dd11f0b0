"""Fixtures: tensors and fits that the tests of training, tuning and comparison read. A pytest plugin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.training.config import TrainingConfig
    from football_assets.training.fit import Fit
    from football_assets.training.split import TimeSplit
    from football_assets_tests.builders.worlds import SimulatedCountries


@dataclass(frozen=True)
class Fitted:
    """A fit and its inputs."""

    tensors: "SequenceTensors"
    split: "TimeSplit"
    config: "TrainingConfig"
    fit: "Fit"


def fitted(tensors: "SequenceTensors", config: "TrainingConfig") -> Fitted:
    from football_assets.training.fit import fit_forecaster
    from football_assets.training.split import split_by_time

    split = split_by_time(tensors, config.split)
    return Fitted(tensors, split, config, fit_forecaster(tensors, split, config))


@pytest.fixture(scope="session")
def planted() -> Fitted:
    """Fitted on the planted signal."""
    from football_assets_tests.builders.planted import SMALL, planted_tensors

    return fitted(planted_tensors(), SMALL)


@pytest.fixture(scope="session")
def priced() -> Fitted:
    """Fitted on matches of which some have odds and shots."""
    from football_assets_tests.builders.priced import PRICED, priced_tensors

    return fitted(priced_tensors(), PRICED)


@pytest.fixture(scope="session")
def tensors(countries: "SimulatedCountries", tmp_path_factory: pytest.TempPathFactory) -> "SequenceTensors":
    """Of a simulated country, through the feature stage."""
    from football_assets_tests.builders.worlds import TRUTH

    return countries.tensors(TRUTH, tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="session")
def simulated(tensors: "SequenceTensors") -> Fitted:
    """Fitted on a simulated country."""
    from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig

    config = TrainingConfig(
        network=NetworkConfig(hidden=8, trunk=8),
        split=SplitConfig(test_share=0.25),
        batch_size=64,
        learning_rate=5e-3,
        averaging=0.9,
    )
    return fitted(tensors, config)
