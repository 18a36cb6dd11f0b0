"""Temperature scaling on validation outputs."""

import pytest
import torch
from torch.nn import functional

from football_assets.training.calibration import calibrate
from football_assets.training.config import NetworkConfig
from football_assets.training.inputs import MappedReader, targets
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import raw_outputs
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import planted_tensors

CPU = torch.device("cpu")


def test_the_temperature_is_the_one_that_validation_likes_best(planted: Fitted) -> None:
    network = planted.fit.network
    logits, _ = raw_outputs(network, MappedReader(planted.tensors, CPU), planted.split.validation)
    outcome, _ = targets(planted.tensors, planted.split.validation)
    scale = network.calibration_scale[0]

    def loss(factor: float) -> float:
        return functional.cross_entropy(logits * scale * factor, outcome).item()

    assert loss(1.0) <= min(loss(0.97), loss(1.03))
    assert torch.equal(network.calibration_scale, scale.expand(3))
    assert torch.equal(network.calibration_shift, torch.zeros(3))


@pytest.mark.parametrize("exaggeration", [0.5, 1.0, 4.0])
def test_exaggerated_and_timid_outputs_are_brought_back(exaggeration: float) -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(20_000, 3, generator=generator)
    outcome = torch.multinomial(torch.softmax(truth, dim=1), 1, generator=generator)[:, 0]
    network = MatchForecaster(planted_tensors(matches=31).spec, NetworkConfig(hidden=1, trunk=1))

    calibrate(network, truth * exaggeration, outcome)

    assert network.calibration_scale[0].item() == pytest.approx(1 / exaggeration, rel=0.05)
