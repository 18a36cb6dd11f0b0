"""Find the groups of inputs that change the forecasts of a model.

A specification names inputs that a model may not have learnt: one that was trained without odds takes them and returns
the same forecast. An answer names only groups that the model uses.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from football_assets.export.inference import OnnxForecaster
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import FLAG, MATCH_ODDS, Feature, FeatureGroup, FeatureSpec
from football_assets.sequences.tier_names import RESULTS
from football_assets.sequences.tiers import hide_groups

_LEAST_CHANGE = 1e-5  # of a probability or of expected goals
_PLACE = 0.7  # of an invented value between its bounds
_ODDS = dict(zip(MATCH_ODDS, (0.7, 0.2, 0.1), strict=True))


def groups_used(forecaster: OnnxForecaster, spec: FeatureSpec) -> frozenset[FeatureGroup]:
    """Compare the forecast of an invented match without each group of inputs with that of the same match with it.

    Parameters
    ----------
    forecaster
        The model.
    spec
        Names the groups of its inputs.

    Returns
    -------
    frozenset
        `results`, and the groups that change a probability or the expected goals.
    """
    groups: set[FeatureGroup] = {feature.group for feature in (*spec.history, *spec.context)} - {RESULTS}
    known = _invented(spec)
    without_any = _forecast(forecaster, hide_groups(known, spec, groups))
    changed = (
        group
        for group in groups
        if _differs(_forecast(forecaster, hide_groups(known, spec, groups - {group})), without_any)
    )
    return frozenset({RESULTS, *changed})


def limited_tier(tier: str, used: Collection[str]) -> str:
    """Leave out the groups of a tier that a model does not use."""
    return "+".join(group for group in tier.split("+") if group in used)


def _invented(spec: FeatureSpec) -> SequenceBatch:
    """Build a match whose inputs are all known, and flags 1."""
    past = np.tile(_values(spec.history), (1, spec.history_length, 1))
    return SequenceBatch(past, past.copy(), _values(spec.context)[None])


def _values(features: Collection[Feature]) -> NDArray[np.float32]:
    return np.array(
        [
            _ODDS.get(
                item.name, 1.0 if item.unit == FLAG else item.lower + _PLACE * (item.upper - item.lower)
            )
            for item in features
        ],
        dtype=np.float32,
    )


def _forecast(forecaster: OnnxForecaster, batch: SequenceBatch) -> NDArray[np.float32]:
    return np.concatenate(
        forecaster.predict(batch.home_history, batch.away_history, batch.context), axis=1
    )  # [1, 5]


def _differs(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool(np.abs(one - other).max() > _LEAST_CHANGE)
