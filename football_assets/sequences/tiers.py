"""Tiers of input: which groups of inputs a match has, and batches with groups hidden.

A group is what inputs are computed from: results, past odds, past shots, or the odds of the match itself. One model
serves leagues with any of them. Where a group is unknown its inputs are NaN and its flags are 0.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import FLAG, MATCH_ODDS, OBSERVED, Feature, FeatureGroup, FeatureSpec
from football_assets.sequences.tier_names import RATED, RESULTS


def hide_groups(batch: SequenceBatch, spec: FeatureSpec, groups: Collection[FeatureGroup]) -> SequenceBatch:
    """Return a copy of a batch in which the inputs of some groups are unknown: NaN, their flags 0.

    The padding of histories stays zero, so that the result is what the encoder returns where the groups are unknown.

    Parameters
    ----------
    batch
        Inputs in the order of the specification.
    spec
        Names the group of each input.
    groups
        Groups to hide. A group without an input in the specification hides nothing.

    Raises
    ------
    ValueError
        `results` cannot be hidden.
    """
    past, observed = _hidden_values(spec.history, groups), spec.history_names.index(OBSERVED)
    home, away = (
        _with_hidden(history, past, history[..., observed] == 1)
        for history in (batch.home_history, batch.away_history)
    )
    return SequenceBatch(home, away, hide_in_context(batch.context, spec, groups))


def hide_in_context(
    context: NDArray[np.float32], spec: FeatureSpec, groups: Collection[FeatureGroup]
) -> NDArray[np.float32]:
    """Return a copy of the context `[n, context features]` in which some groups are unknown. See `hide_groups`."""
    return _with_hidden(context, _hidden_values(spec.context, groups))


def tier_of(context: NDArray[np.float32], spec: FeatureSpec) -> list[str]:
    """Name the tier of input of each row: `results`, then `+shots`, `+odds`, `+match_odds` where they are known.

    Parameters
    ----------
    context
        `[n, context features]`.
    spec
        Names the features. Groups that it does not have are unknown.

    Returns
    -------
    list[str]
        For example `results`, `results+odds`, `results+shots+odds+match_odds`.
    """
    names = spec.context_names
    known = {
        group: context[:, names.index(flag)] == 1 for group, flag in RATED.items() if flag in names
    }  # [n] each
    if set(MATCH_ODDS) <= set(names):
        known["match_odds"] = ~np.isnan(context[:, [names.index(name) for name in MATCH_ODDS]]).any(axis=1)
    return [
        "+".join((RESULTS, *(group for group, rows in known.items() if rows[row])))
        for row in range(len(context))
    ]


def _hidden_values(features: tuple[Feature, ...], groups: Collection[FeatureGroup]) -> dict[int, float]:
    """Return the value of a hidden feature by its position."""
    if RESULTS in groups:
        raise ValueError("The inputs computed from results cannot be hidden.")
    return {
        place: 0.0 if feature.unit == FLAG else np.nan
        for place, feature in enumerate(features)
        if feature.group in groups
    }


def _with_hidden(
    values: NDArray[np.float32], hidden: dict[int, float], rows: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Return a copy with the hidden values in the last axis, in all rows or in some."""
    copy = np.array(values)
    for place, value in hidden.items():
        copy[... if rows is None else rows, place] = value
    return copy
