"""Apply a network to rows of the tensors, batch by batch and without gradients."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.inputs import BatchReader, MappedReader
from football_assets.training.network import MatchForecaster

_EVALUATION_BATCH = 4096


def forecast(
    network: MatchForecaster, tensors: SequenceTensors, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forecast rows: calibrated probabilities `[n, 3]` and expected goals `[n, 2]`."""
    if len(rows) == 0:
        return np.zeros((0, 3)), np.zeros((0, 2))
    logits, log_rates = raw_outputs(network, MappedReader(tensors, torch.device("cpu")), rows)
    with torch.no_grad():
        probabilities = torch.softmax(network.calibrate(logits), dim=1)
    return probabilities.double().numpy(), log_rates.exp().double().numpy()


def raw_outputs(
    network: MatchForecaster, reader: BatchReader, rows: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """Return the network's outputs before calibration, on the CPU: logits `[n, 3]`, log expected goals `[n, 2]`."""
    logits, log_rates, _, _ = outputs_and_targets(network, reader, rows)
    return logits, log_rates


def outputs_and_targets(
    network: MatchForecaster, reader: BatchReader, rows: NDArray[np.int64]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the outputs of `raw_outputs` with outcomes `[n]` and goals `[n, 2]`, all on the CPU."""
    network.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), _EVALUATION_BATCH):
            inputs, outcome, goals = reader.read(rows[start : start + _EVALUATION_BATCH])
            parts.append((*network.raw_outputs(*inputs), outcome, goals))
    logits, log_rates, outcomes, goals = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
    return logits, log_rates, outcomes, goals
