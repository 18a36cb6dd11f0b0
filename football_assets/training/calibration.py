"""Calibrate a network on validation matches: its probabilities by temperature scaling, then the blend with odds."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from football_assets.training.blend import mix
from football_assets.training.network import MatchForecaster

LEAST_PRICED = 200  # validation matches with odds of their own, below which the blend is not fitted


def calibrate(network: MatchForecaster, logits: Tensor, outcome: Tensor) -> None:
    """Fit temperature scaling on validation outputs [1]: one scale for all outcomes, no shift.

    Parameters
    ----------
    network
        Receives `calibration_scale` and `calibration_shift`.
    logits
        `[n, 3]` outputs before calibration, without odds of the matches themselves.
    outcome
        `[n]` outcomes.

    References
    ----------
    [1] Guo et al., 2017, On calibration of modern neural networks.
    """
    log_scale = torch.zeros(1, requires_grad=True)
    _minimise([log_scale], lambda: functional.cross_entropy(logits * log_scale.exp(), outcome))
    with torch.no_grad():
        network.calibration_scale.fill_(log_scale.exp().item())
        network.calibration_shift.zero_()


def calibrate_blend(network: MatchForecaster, logits: Tensor, context: Tensor, outcome: Tensor) -> None:
    """Fit the weight of the odds of the match itself on validation matches.

    Both forecasts are calibrated already, so their mean is not scaled. Weights below 0 or above 1 are not considered.
    With fewer than `LEAST_PRICED` matches that have odds, the weight of the odds stays 0.

    Parameters
    ----------
    network
        Calibrated; receives the weight of its blend, if its specification has odds of the match.
    logits
        `[n, 3]` outputs before calibration.
    context
        `[n, context features]`, from which the odds are read.
    outcome
        `[n]` outcomes.
    """
    if network.blend is None:
        return
    odds = network.blend.odds(context)
    priced = ~torch.isnan(odds).any(dim=1)
    if priced.sum() < LEAST_PRICED:
        return
    odds, outcome = odds[priced], outcome[priced]
    own = torch.log_softmax(network.calibrate(logits[priced]), dim=1)
    position = torch.zeros(1, requires_grad=True)
    _minimise([position], lambda: functional.cross_entropy(mix(own, odds, torch.sigmoid(position)), outcome))
    network.blend.weight.fill_(torch.sigmoid(position).item())


def copy_calibration(source: MatchForecaster, target: MatchForecaster) -> None:
    """Copy the calibration and the blend of one network to another of the same specification."""
    target.calibration_scale.copy_(source.calibration_scale)
    target.calibration_shift.copy_(source.calibration_shift)
    if target.blend is not None and source.blend is not None:
        target.blend.load_state_dict(source.blend.state_dict())


def _minimise(parameters: list[Tensor], loss: Callable[[], Tensor]) -> None:
    """Minimise a loss over parameters that require gradients, by L-BFGS."""
    optimiser = torch.optim.LBFGS(parameters, max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(closure)
