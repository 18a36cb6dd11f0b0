"""Tensors and fits that the tests of training read."""

from dataclasses import dataclass

import pytest

from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets.training.fit import Fit, fit_forecaster
from football_assets.training.split import TimeSplit, split_by_time
from football_assets_tests.training.planted import SMALL, planted_tensors
from football_assets_tests.worlds import TRUTH, SimulatedCountries


@dataclass(frozen=True)
class Fitted:
    """A fit, and what it was made from."""

    tensors: SequenceTensors
    split: TimeSplit
    config: TrainingConfig
    fit: Fit


def fitted(tensors: SequenceTensors, config: TrainingConfig) -> Fitted:
    split = split_by_time(tensors, config.split)
    return Fitted(tensors, split, config, fit_forecaster(tensors, split, config))


@pytest.fixture(scope="session")
def planted() -> Fitted:
    """Fitted on the planted signal."""
    return fitted(planted_tensors(), SMALL)


@pytest.fixture(scope="session")
def tensors(countries: SimulatedCountries, tmp_path_factory: pytest.TempPathFactory) -> SequenceTensors:
    """Of a simulated country, through the feature stage."""
    return countries.tensors(TRUTH, tmp_path_factory.mktemp("tensors"))


@pytest.fixture(scope="session")
def simulated(tensors: SequenceTensors) -> Fitted:
    """Fitted on a simulated country."""
    config = TrainingConfig(
        network=NetworkConfig(hidden=8, trunk=8),
        split=SplitConfig(test_share=0.25),
        learning_rate=5e-3,
        averaging=0.9,
    )
    return fitted(tensors, config)
