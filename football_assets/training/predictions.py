"""Apply a network to rows of the tensors, batch by batch and without gradients."""

from collections.abc import Callable, Collection, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.sequences.tiers import hide_groups
from football_assets.training.inputs import Batch, BatchReader
from football_assets.training.network import MatchForecaster
from football_assets.training.workers import Alone, Workers

_EVALUATION_BATCH = 4096
_WIDTHS = (3, 2, 1, 2)  # columns of logits, log expected goals, outcome, goals


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
        Groups of inputs that are hidden from the network. By default the odds of the match itself, since a forecast
        with them is mostly that of the bookmaker.
    """
    network.eval()
    parts = [(torch.zeros(0, 3), torch.zeros(0, 2))]
    with torch.no_grad():
        for part in in_parts(rows):
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
    network: MatchForecaster,
    reader: BatchReader,
    rows: NDArray[np.int64],
    workers: Workers | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the outputs of `raw_outputs` with outcomes `[n]` and goals `[n, 2]`, all on the CPU.

    Parameters
    ----------
    workers
        Each worker computes the outputs of the rows that it owns and receives those of all rows. None: this process
        computes all.
    """
    network.eval()

    def columns(batch: Batch) -> Tensor:
        logits, log_rates = network.raw_outputs(*batch.inputs)
        return torch.cat([logits, log_rates, batch.outcome[:, None], batch.goals], dim=1)

    joined = read_joined(reader, rows, columns, sum(_WIDTHS), workers or Alone())
    logits, log_rates, outcomes, goals = joined.split(_WIDTHS, dim=1)
    return logits.float(), log_rates.float(), outcomes.flatten().long(), goals.float()


@torch.no_grad()
def read_joined(
    reader: BatchReader,
    rows: NDArray[np.int64],
    columns: Callable[[Batch], Tensor],
    width: int,
    workers: Workers,
) -> Tensor:
    """Compute columns `[n, width]` of some rows, float64 on the CPU; each worker computes those of its own rows."""
    values = torch.zeros(len(rows), width, dtype=torch.float64)
    for part in in_parts(np.flatnonzero(workers.owns(rows))):
        values[part] = columns(reader.read(rows[part])).to("cpu", torch.float64)
    return workers.total(values)


def in_parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the rows in order, in parts that fit into memory."""
    for start in range(0, len(rows), _EVALUATION_BATCH):
        yield rows[start : start + _EVALUATION_BATCH]
