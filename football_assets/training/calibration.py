"""Calibrate a network's probabilities by temperature scaling."""

import torch
from torch import Tensor
from torch.nn import functional

from football_assets.training.network import MatchForecaster


def calibrate(network: MatchForecaster, logits: Tensor, outcome: Tensor) -> None:
    """Fit temperature scaling on validation outputs [1]: one scale for all outcomes, no shift.

    Parameters
    ----------
    network
        Receives `calibration_scale` and `calibration_shift`.
    logits
        `[n, 3]` outputs before calibration.
    outcome
        `[n]` outcomes.

    References
    ----------
    [1] Guo et al., 2017, On calibration of modern neural networks.
    """
    log_scale = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_scale], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(logits * log_scale.exp(), outcome)
        loss.backward()
        return loss

    with torch.enable_grad():
        optimiser.step(closure)
    with torch.no_grad():
        network.calibration_scale.fill_(log_scale.exp().item())
        network.calibration_shift.zero_()
