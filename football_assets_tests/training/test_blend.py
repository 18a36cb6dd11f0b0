"""The blend with the odds of the match: a weighted mean of log-probabilities, for the matches that have odds."""

import math

import numpy as np
import torch

from football_assets.sequences.spec import FeatureSpec
from football_assets.training.blend import MatchOddsBlend, blend_for, mix
from football_assets_tests.builders.priced import PRICED_SPEC

OWN = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]).log()
ODDS = torch.tensor([[0.6, 0.25, 0.15], [0.3, 0.3, 0.4]])


def test_a_weight_of_0_is_the_network_alone_and_of_1_the_odds_alone() -> None:
    np.testing.assert_allclose(mix(OWN, ODDS, torch.tensor(0.0)).exp(), OWN.exp(), rtol=1e-5)
    np.testing.assert_allclose(mix(OWN, ODDS, torch.tensor(1.0)).exp(), ODDS, rtol=1e-5)


def test_probabilities_are_a_weighted_geometric_mean() -> None:
    found = torch.softmax(mix(OWN, ODDS, torch.tensor(0.25)), dim=1).numpy()

    pool = OWN.exp().numpy() ** 0.75 * ODDS.numpy() ** 0.25
    np.testing.assert_allclose(found, pool / pool.sum(axis=1, keepdims=True), rtol=1e-5)


def test_odds_of_no_chance_stay_finite() -> None:
    impossible = torch.tensor([[1.0, 0.0, 0.0]])

    assert torch.isfinite(mix(OWN[:1], impossible, torch.tensor(0.5))).all()


def test_a_match_with_one_unknown_price_keeps_the_networks_logits_bit_for_bit() -> None:
    blend = MatchOddsBlend([2, 0, 1])
    blend.weight.fill_(0.5)
    context = torch.tensor([[0.25, 0.15, 0.6], [0.3, math.nan, 0.4]])

    found = blend(OWN, context)

    assert torch.equal(found[1], OWN[1])
    expected = (OWN[0] + torch.tensor([0.6, 0.25, 0.15]).log()) / 2
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


def test_a_blend_needs_all_three_prices_in_the_specification() -> None:
    fewer = PRICED_SPEC.model_copy(update={"context": PRICED_SPEC.context[:-1]})
    results = FeatureSpec(history=PRICED_SPEC.history, context=PRICED_SPEC.context[:3])

    assert blend_for(fewer) is None
    assert blend_for(results) is None
    blend = blend_for(PRICED_SPEC)
    assert blend is not None
    assert [PRICED_SPEC.context_names[column] for column in blend.columns] == [
        "match_odds_p_home",
        "match_odds_p_draw",
        "match_odds_p_away",
    ]
