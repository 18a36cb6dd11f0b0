"""Score a network on each tier of input: what it forecasts where odds or shots are hidden, on the same matches."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.block_bootstrap import league_weeks, paired_differences
from football_assets.domain.scoring_rules import score
from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import RESULTS
from football_assets.sequences.tiers import tier_of
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import forecast

_PAST: tuple[FeatureGroup, ...] = ("shots", "odds")  # in the order of a tier's name
_OF_MATCH: FeatureGroup = "match_odds"


def tier_scores(
    network: MatchForecaster, tensors: SequenceTensors, rows: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Score the forecasts of played matches by tier of input, from results alone to the odds of the matches themselves.

    Tiers of past inputs are scored on all rows and compared with results alone. The last tier, with the odds of the
    match, is scored on the rows that have them and compared with the tier before it on the same rows.

    Returns
    -------
    list
        One record per tier: `tier`, `matches`, the scores, the `reference` and, but for the reference itself, the
        `difference` of each measure to it with a 95 % interval. Empty where no row has more than results.
    """
    known = {group for tier in set(tier_of(tensors.context[rows], tensors.spec)) for group in tier.split("+")}
    past = [group for group in _PAST if group in known]
    tiers = [(), *((group,) for group in past), *([tuple(past)] if len(past) > 1 else [])]
    forecasts = {
        _name(tier): forecast(network, tensors, rows, {*_PAST, _OF_MATCH}.difference(tier))[0]
        for tier in tiers
        if len(known) > 1
    }
    table = _compared(forecasts, RESULTS, tensors, rows)
    if _OF_MATCH not in known:
        return table
    last = _name(tuple(past))
    priced = np.array([_OF_MATCH in tier for tier in tier_of(tensors.context[rows], tensors.spec)])
    blended = _name((*past, _OF_MATCH))
    pair = {
        last: forecasts[last][priced],
        blended: forecast(network, tensors, rows[priced], set(_PAST).difference(past))[0],
    }
    return [*table, *_compared(pair, last, tensors, rows[priced])[1:]]


def _compared(
    forecasts: dict[str, NDArray[np.float64]],
    reference: str,
    tensors: SequenceTensors,
    rows: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """Score forecasts `[n, 3]` of the same rows, each with its difference to one of them."""
    if not forecasts:
        return []
    outcomes = tensors.outcome[rows]
    keys = tensors.keys[rows]
    differences = paired_differences(
        forecasts, reference, outcomes, league_weeks(keys["league_id"], keys["kickoff_date"])
    )
    return [
        {
            "tier": name,
            "matches": len(rows),
            **score(probabilities, outcomes).as_dict(),
            "reference": reference,
        }
        | (
            {"difference": {measure: asdict(value) for measure, value in differences[name].items()}}
            if name in differences
            else {}
        )
        for name, probabilities in forecasts.items()
    ]


def _name(groups: tuple[FeatureGroup, ...]) -> str:
    return "+".join((RESULTS, *groups))
