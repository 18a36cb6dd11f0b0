"""Apply a network to rows of the tensors, batch by batch and without gradients."""

from collections.abc import Collection, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.sequences.tiers import hide_groups
from football_assets.training.inputs import BatchReader
from football_assets.training.network import MatchForecaster

_EVALUATION_BATCH = 4096


def forecast(
    network: MatchForecaster,
    tensors: SequenceTensors,
    rows: NDArray[np.int64],
    hidden: Collection[FeatureGroup] = OWN_ODDS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forecast rows: calibrated probabilities `[n, 3]` and expected goals `[n, 2]`.

    Parameters
    ----------
    hidden
        Groups of inputs that the network does not see. By default the odds of the match itself: with them a forecast is
        mostly the bookmaker's.
    """
    network.eval()
    parts = [(torch.zeros(0, 3), torch.zeros(0, 2))]
    with torch.no_grad():
        for part in _parts(rows):
            batch = hide_groups(tensors.take(part), tensors.spec, hidden)
            arrays = (batch.home_history, batch.away_history, batch.context)
            parts.append(network(*(torch.from_numpy(array) for array in arrays)))
    probabilities, goals = (torch.cat(part).double().numpy() for part in zip(*parts, strict=True))
    return probabilities, goals


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
        for part in _parts(rows):
            batch = reader.read(part)
            parts.append((*network.raw_outputs(*batch.inputs), batch.outcome, batch.goals))
    logits, log_rates, outcomes, goals = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
    return logits, log_rates, outcomes, goals


def _parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the rows in order, in parts that fit into memory."""
    for start in range(0, len(rows), _EVALUATION_BATCH):
        yield rows[start : start + _EVALUATION_BATCH]
