"""Gradient-boosted trees on the network's inputs, flattened, as a competing model.

If they score better, their feature importances show which inputs the network does not use well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.sequences.spec import OBSERVED
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.sequences.tiers import hide_in_context
from football_assets.training.split import TimeSplit

_SLICE = 16_384
_RECENT = 3  # matches
_HALF_LIFE = 3.0  # matches
_MAX_ROUNDS, _PATIENCE = 3000, 60
_PARAMETERS: dict[str, object] = {
    "objective": "multiclass",
    "num_class": 3,
    "metric": "multi_logloss",
    "learning_rate": 0.04,
    "num_leaves": 15,
    "min_data_in_leaf": 300,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 127,
    "seed": 7,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class TreesForecasts:
    """Probabilities `[n, 3]`, trees per outcome, temperature, and the inputs' share of the gain, largest first."""

    probabilities: NDArray[np.float64]
    rounds: int
    temperature: float
    importances: dict[str, float]


@dataclass(frozen=True)
class BoostedTreesRival:
    """LightGBM on the network's inputs."""

    name: str = "boosted trees"
    key: str = "trees"
    kind: RivalKind = "model"
    package: str | None = "lightgbm"

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Fit once and forecast `rows`."""
        found = boosted_trees(tensors, split, rows, progress)
        note = f"Boosted trees: {found.rounds} rounds, temperature {found.temperature:.3f}."
        return RivalForecasts(found.probabilities, note, found.importances)


def boosted_trees(
    tensors: SequenceTensors,
    split: TimeSplit,
    rows: NDArray[np.int64],
    progress: Callable[[int, int], None] | None = None,
) -> TreesForecasts:
    """Fit on `split.train`, stop and calibrate on `split.validation` as the network does, and forecast `rows` [1].

    Parameters
    ----------
    progress
        Called with the number of rounds done and the largest number of rounds.

    Raises
    ------
    ImportError
        LightGBM is not installed: it is in the extra `compare`.

    References
    ----------
    [1] Ke et al., 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree.
    """
    import lightgbm
    from scipy.special import softmax

    names = flat_names(tensors)
    # Fewer matches need smaller leaves: with the full minimum a short training period would not split at all.
    smallest = min(300, max(20, len(split.train) // 100))
    parameters = _PARAMETERS | {"min_data_in_leaf": smallest}
    train = lightgbm.Dataset(
        flatten(tensors, split.train), tensors.outcome[split.train], feature_name=names, params=parameters
    )
    held_out = flatten(tensors, split.validation)
    validation = lightgbm.Dataset(held_out, tensors.outcome[split.validation], reference=train)
    callbacks = [lightgbm.early_stopping(_PATIENCE, verbose=False)]
    if progress is not None:
        callbacks.append(lambda state: progress(state.iteration + 1, _MAX_ROUNDS))
    booster = lightgbm.train(parameters, train, _MAX_ROUNDS, valid_sets=[validation], callbacks=callbacks)
    temperature = _temperature(booster.predict(held_out, raw_score=True), tensors.outcome[split.validation])
    probabilities = softmax(booster.predict(flatten(tensors, rows), raw_score=True) / temperature, axis=1)
    gain = booster.feature_importance("gain")
    order = np.argsort(-gain, kind="stable")
    shares = gain / max(gain.sum(), 1e-12)
    return TreesForecasts(
        probabilities,
        booster.best_iteration,
        temperature,
        {names[i]: round(float(shares[i]), 5) for i in order},
    )


def flat_names(tensors: SequenceTensors) -> list[str]:
    """Return the names of the columns of `flatten`."""
    history = [name for name in tensors.spec.history_names if name != OBSERVED]
    past = [f"{period}_{name}" for period in ("recent", "fading", "all") for name in history]
    sides = [f"{side}_{name}" for side in ("home", "away") for name in ["matches_seen", *past]]
    differences = [f"difference_{name}" for name in past]
    context = tensors.spec.context_names
    pairs = [f"difference_{name.removeprefix('home_')}" for name, _ in _pairs(context)]
    return [*context, *pairs, *sides, *differences]


def flatten(tensors: SequenceTensors, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Flatten the inputs of some matches, `[n, columns]`, NaN where unknown.

    The columns are the context, its differences between the sides, and each side's history with its differences: means
    over the last three matches, with weights that halve every three matches, and over the whole history. Odds of the
    match itself are unknown, as in every forecast that is compared.
    """
    context_names = tensors.spec.context_names
    pairs = [(context_names.index(home), context_names.index(away)) for home, away in _pairs(context_names)]
    first, second = (list(places) for places in zip(*pairs, strict=True)) if pairs else ([], [])
    observed = tensors.spec.history_names.index(OBSERVED)
    parts = []
    for start in range(0, len(rows), _SLICE):
        batch = tensors.take(rows[start : start + _SLICE])
        home, away = (_summary(history, observed) for history in (batch.home_history, batch.away_history))
        context = hide_in_context(batch.context, tensors.spec, OWN_ODDS)
        parts.append(
            np.hstack(
                [context, context[:, first] - context[:, second], home, away, home[:, 1:] - away[:, 1:]]
            ).astype(np.float32)
        )
    return np.concatenate(parts) if parts else np.zeros((0, len(flat_names(tensors))), dtype=np.float32)


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Pair the context features that both sides have."""
    pairs = [(name, name.replace("home_", "away_", 1)) for name in names if name.startswith("home_")]
    return [pair for pair in pairs if pair[1] in names]


def _summary(history: NDArray[np.float32], observed: int) -> NDArray[np.float32]:
    """Summarise histories `[n, length, features]` as `[n, 1 + 3 * (features - 1)]`."""
    seen = history[:, :, observed] > 0  # [n, length]
    values = np.delete(history, observed, axis=2)
    length = history.shape[1]
    age = np.arange(length)[::-1]
    weights = [age < _RECENT, 0.5 ** (age / _HALF_LIFE), np.ones(length)]
    means = [_weighted_mean(values, seen, np.asarray(weight, dtype=np.float32)) for weight in weights]
    return np.hstack([seen.sum(axis=1, keepdims=True, dtype=np.float32), *means])


def _weighted_mean(
    values: NDArray[np.float32], seen: NDArray[np.bool_], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    counted = ~np.isnan(values) & seen[:, :, None]
    weights = counted * weight[None, :, None]
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float32] = (np.where(counted, values, 0.0) * weights).sum(axis=1) / total
    return mean


def _temperature(raw: NDArray[np.float64], outcomes: NDArray[np.int64]) -> float:
    """Fit the divisor of the raw scores with the least log loss."""
    from scipy.optimize import minimize_scalar
    from scipy.special import softmax

    from football_assets.domain.scoring_rules import log_loss

    found = minimize_scalar(
        lambda scale: log_loss(softmax(raw * np.exp(scale), axis=1), outcomes),
        bounds=(-2.0, 2.0),
        method="bounded",
    )
    return float(np.exp(-found.x))
