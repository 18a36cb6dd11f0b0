"""Derived ablations: forecasts computed from those of trained ablations, such as other calibrations."""

from collections.abc import Mapping

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from benchmarks.research.ablation_types import DEFAULT, LOGITS, Probabilities, Result, probabilities_of

_LEAGUE_DEVIATION = 0.1  # of a league's calibration from that of all, before its matches are seen


def mean_of_all(results: Mapping[str, Result]) -> Probabilities:
    """Average the probabilities."""
    return np.mean([probabilities_of(result.season) for result in results.values()], axis=0)


def not_calibrated(results: Mapping[str, Result]) -> Probabilities:
    """Return the default's probabilities before temperature scaling."""
    return _softmax(_logits(results[DEFAULT].season))


def scale_and_shift(results: Mapping[str, Result]) -> Probabilities:
    """Calibrate with one scale and a shift per outcome, fitted on validation."""
    return _calibrated(results[DEFAULT], by_league=False)


def by_league(results: Mapping[str, Result]) -> Probabilities:
    """Calibrate as `scale_and_shift` does, with a deviation per league under a normal prior."""
    return _calibrated(results[DEFAULT], by_league=True)


def _calibrated(result: Result, by_league: bool) -> Probabilities:
    """Calibrate the season by `logits * exp(scale) + shift`, fitted on validation by maximum a posteriori."""
    leagues = pl.concat([result.validation["league_id"], result.season["league_id"]]).unique().sort()
    number = {name: i for i, name in enumerate(leagues)}
    shared = torch.zeros(1 + len(LOGITS), requires_grad=True)  # scale, shifts
    own = torch.zeros(len(leagues), 1 + len(LOGITS), requires_grad=by_league)
    learnt = [shared, own] if by_league else [shared]
    optimiser = torch.optim.LBFGS(learnt, max_iter=200, line_search_fn="strong_wolfe")

    def outputs(matches: pl.DataFrame) -> Tensor:
        codes = matches["league_id"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
        values = shared + own[torch.tensor(codes)]
        return torch.tensor(_logits(matches), dtype=torch.float32) * values[:, :1].exp() + values[:, 1:]

    outcome = torch.tensor(result.validation["outcome"].to_numpy())

    def closure() -> Tensor:
        optimiser.zero_grad()
        penalty = (own**2).sum() / (2 * _LEAGUE_DEVIATION**2)
        loss = functional.cross_entropy(outputs(result.validation), outcome) + penalty / len(outcome)
        loss.backward()
        return loss

    optimiser.step(closure)
    with torch.no_grad():
        return torch.softmax(outputs(result.season), dim=1).double().numpy()


def _logits(forecasts: pl.DataFrame) -> NDArray[np.float64]:
    return forecasts.select(LOGITS).to_numpy()


def _softmax(logits: NDArray[np.float64]) -> Probabilities:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
