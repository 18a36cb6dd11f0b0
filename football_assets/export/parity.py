"""Parity of the exported model with the PyTorch network: the largest difference of any forecast, by case."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from football_assets.export.batches import NetworkInputs, first_rows, large_batches
from football_assets.export.inference import OnnxForecaster
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tier_names import RESULTS
from football_assets.sequences.tiers import hide_groups

if TYPE_CHECKING:
    import torch

PARITY_BATCH_SIZES = (1, 2, 257)
_UNKNOWN_SHARE = 0.3  # of the context values in the case "unknown context"

_Forecasts = tuple[NDArray[np.floating], NDArray[np.floating]]  # probabilities [n, 3], expected goals [n, 2]


def parity_cases(test: NetworkInputs, spec: FeatureSpec) -> dict[str, NetworkInputs]:
    """Build the inputs to compare on: the test set, small and odd batches, unknown context, empty histories.

    Where the specification has odds or shots, there is a case for each of these groups without its inputs.
    """
    home, away, context = first_rows(test, max(PARITY_BATCH_SIZES))
    unknown = context.copy()
    unknown[np.random.default_rng(0).random(context.shape) < _UNKNOWN_SHARE] = np.nan
    cases = {"test set": test}
    cases |= {f"batch of {size}": first_rows(test, size) for size in PARITY_BATCH_SIZES}
    cases["unknown context"] = (home, away, unknown)
    cases["no context at all"] = (home, away, np.full_like(context, np.nan))
    cases["no history"] = (np.zeros_like(home), np.zeros_like(away), unknown)
    cases["no away history"] = (home, np.zeros_like(away), context)
    hideable = {feature.group for feature in (*spec.history, *spec.context)} - {RESULTS}
    for group in sorted(hideable):
        batch = hide_groups(SequenceBatch(home, away, context), spec, (group,))
        cases[f"no {group}"] = (batch.home_history, batch.away_history, batch.context)
    return cases


def compare_with_network(
    network: "torch.nn.Module", forecaster: OnnxForecaster, test: NetworkInputs, spec: FeatureSpec
) -> tuple[dict[str, float], float]:
    """Compare the forecasts of the network and of the exported model.

    Returns
    -------
    dict
        Largest absolute difference of a probability, by case of `parity_cases`; infinite where one is not finite.
    float
        Largest absolute difference of expected goals over all cases; infinite where one is not finite.
    """
    parity, goals_difference = {}, 0.0
    for name, inputs in parity_cases(test, spec).items():
        expected, found = predict_with_network(network, inputs), predict_all(forecaster, inputs)
        differences = [np.abs(a - b).max() for a, b in zip(expected, found, strict=True)]
        probability, goals = (float(d) if np.isfinite(d) else float("inf") for d in differences)
        parity[name] = probability
        goals_difference = max(goals_difference, goals)
    return parity, goals_difference


def predict_all(forecaster: OnnxForecaster, inputs: NetworkInputs) -> _Forecasts:
    """Forecast all rows with the exported model, in large batches."""
    parts = [forecaster.predict(*batch) for batch in large_batches(inputs)]
    probabilities, expected_goals = zip(*parts, strict=True)
    return np.concatenate(probabilities), np.concatenate(expected_goals)


def predict_with_network(network: "torch.nn.Module", inputs: NetworkInputs) -> _Forecasts:
    """Forecast all rows with the PyTorch network, in large batches."""
    import torch

    with torch.inference_mode():
        parts = [network(*(torch.from_numpy(rows) for rows in batch)) for batch in large_batches(inputs)]
    probabilities, expected_goals = zip(*parts, strict=True)
    return torch.cat(probabilities).numpy(), torch.cat(expected_goals).numpy()
