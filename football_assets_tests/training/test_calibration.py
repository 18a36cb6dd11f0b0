"""Temperature scaling on validation outputs, and the weight of the odds of the match."""

import pytest
import torch
from torch.nn import functional

from football_assets.sequences.spec import MATCH_ODDS
from football_assets.training.calibration import LEAST_PRICED, calibrate, calibrate_blend, copy_calibration
from football_assets.training.config import NetworkConfig
from football_assets.training.inputs import MappedReader, targets
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import raw_outputs
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import planted_tensors
from football_assets_tests.builders.priced import PRICED_SPEC

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


def blend_of(own: torch.Tensor, odds: torch.Tensor, outcome: torch.Tensor) -> MatchForecaster:
    """A network whose blend is fitted on probabilities of its own and of the odds, NaN where there are none."""
    network = MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=1, trunk=1))
    context = torch.full((len(own), len(PRICED_SPEC.context)), torch.nan)
    context[:, [PRICED_SPEC.context_names.index(name) for name in MATCH_ODDS]] = odds
    calibrate_blend(network, own.log(), context, outcome)
    return network


def world(matches: int = 20_000) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """True probabilities, those of somebody who sees half of what decides a match, and outcomes."""
    generator = torch.Generator().manual_seed(0)
    half, other = (torch.randn(matches, 3, generator=generator) * 0.5 for _ in range(2))
    truth = torch.softmax(half + other, dim=1)
    outcome = torch.multinomial(truth, 1, generator=generator)[:, 0]
    return truth, torch.softmax(half, dim=1), outcome


def test_beside_closing_odds_that_know_all_the_networks_weight_is_near_zero() -> None:
    """A leak: were the network to see results, or the odds of the wrong matches, it would have a weight here."""
    truth, half, outcome = world()

    blend = blend_of(half, truth, outcome).blend

    assert blend is not None
    assert 1 - blend.weight.item() < 0.05


def test_odds_that_are_noise_have_a_weight_near_zero() -> None:
    truth, half, outcome = world()
    noise = half[torch.randperm(len(half), generator=torch.Generator().manual_seed(1))]

    blend = blend_of(truth, noise, outcome).blend

    assert blend is not None
    assert blend.weight.item() < 0.05


def test_two_that_know_different_halves_share_the_weight() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(20_000, 3, generator=generator) * 0.5 for _ in range(2))
    outcome = torch.multinomial(torch.softmax(first + second, dim=1), 1, generator=generator)[:, 0]

    blend = blend_of(torch.softmax(first, dim=1), torch.softmax(second, dim=1), outcome).blend

    assert blend is not None
    assert blend.weight.item() == pytest.approx(0.5, abs=0.05)


def test_matches_without_odds_do_not_count_and_too_few_with_odds_leave_the_weight_at_zero() -> None:
    truth, half, outcome = world(2 * LEAST_PRICED + 5)
    some, few = truth.clone(), truth.clone()
    some[LEAST_PRICED:, 1] = torch.nan
    few[LEAST_PRICED - 1 :, 1] = torch.nan
    happened = functional.one_hot(outcome, 3)

    alone = blend_of(half[:LEAST_PRICED], truth[:LEAST_PRICED], outcome[:LEAST_PRICED]).blend
    beside = blend_of(torch.cat([half[:LEAST_PRICED], happened[LEAST_PRICED:] + 1e-3]), some, outcome).blend
    left = blend_of(half, few, outcome).blend

    assert alone is not None
    assert beside is not None
    assert left is not None
    assert alone.weight.item() == pytest.approx(beside.weight.item(), abs=1e-5)
    assert alone.weight.item() > 0.3
    assert left.weight.item() == 0


def test_a_calibration_is_copied_whole() -> None:
    truth, half, outcome = world(1000)
    source, target = blend_of(half, truth, outcome), blend_of(truth, half, outcome)
    source.calibration_scale.fill_(1.25)

    copy_calibration(source, target)

    for name in ("calibration_scale", "calibration_shift", "blend.weight"):
        assert torch.equal(source.state_dict()[name], target.state_dict()[name])
