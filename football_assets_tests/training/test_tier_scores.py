"""Scores by tier: each of the same matches with other inputs hidden, and compared match by match."""

import numpy as np
import pytest

from football_assets.domain.block_bootstrap import league_weeks, paired_differences
from football_assets.domain.scoring_rules import score
from football_assets.sequences.spec import MATCH_ODDS, FeatureGroup
from football_assets.training.predictions import forecast
from football_assets.training.tier_scores import tier_scores
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.priced import PRICED_SPEC

HIDDEN: dict[str, tuple[FeatureGroup, ...]] = {
    "results": ("odds", "shots", "match_odds"),
    "results+shots": ("odds", "match_odds"),
    "results+odds": ("shots", "match_odds"),
    "results+shots+odds": ("match_odds",),
    "results+shots+odds+match_odds": (),
}
BLENDED = "results+shots+odds+match_odds"


@pytest.fixture(scope="module")
def found(priced: Fitted) -> list[dict]:
    return tier_scores(priced.fit.network, priced.tensors, priced.split.test)


def with_odds_of_the_match(priced: Fitted) -> np.ndarray:
    test = priced.split.test
    own = priced.tensors.context[test, PRICED_SPEC.context_names.index(MATCH_ODDS[0])]
    return test[~np.isnan(own)]


def test_every_tier_is_scored_with_the_others_hidden(priced: Fitted, found: list[dict]) -> None:
    assert [row["tier"] for row in found] == list(HIDDEN)
    for row in found:
        rows = with_odds_of_the_match(priced) if row["tier"] == BLENDED else priced.split.test
        probabilities, _ = forecast(priced.fit.network, priced.tensors, rows, HIDDEN[row["tier"]])
        scores = score(probabilities, priced.tensors.outcome[rows]).as_dict()
        assert {name: row[name] for name in scores} == scores
        assert row["matches"] == len(rows)
    assert 0 < found[-1]["matches"] < found[0]["matches"]
    assert len({row["log_loss"] for row in found}) == len(found)


def test_past_inputs_are_compared_with_results_and_the_blend_with_all_past_inputs(
    priced: Fitted, found: list[dict]
) -> None:
    tensors, rows = priced.tensors, with_odds_of_the_match(priced)
    assert [row["reference"] for row in found] == [*["results"] * 4, "results+shots+odds"]
    assert "difference" not in found[0]
    for row in found[1:4]:
        apart = row["difference"]["log_loss"]
        assert apart["value"] == pytest.approx(row["log_loss"] - found[0]["log_loss"])
        assert apart["low"] < apart["value"] < apart["high"]
    pair = {name: forecast(priced.fit.network, tensors, rows, HIDDEN[name])[0] for name in list(HIDDEN)[3:]}
    weeks = league_weeks(tensors.keys[rows]["league_id"], tensors.keys[rows]["kickoff_date"])
    expected = paired_differences(pair, "results+shots+odds", tensors.outcome[rows], weeks)[BLENDED]
    assert found[-1]["difference"]["log_loss"]["value"] == pytest.approx(expected["log_loss"].value)
    assert found[-1]["difference"]["log_loss"]["low"] == pytest.approx(expected["log_loss"].low)


def test_what_is_known_makes_the_forecast_better(found: list[dict]) -> None:
    by_tier = {row["tier"]: row["log_loss"] for row in found}

    assert by_tier["results+shots+odds"] < by_tier["results"] - 0.03
    assert by_tier["results+odds"] < by_tier["results+shots"]


def test_matches_of_which_only_results_are_known_have_no_tiers(priced: Fitted, planted: Fitted) -> None:
    assert tier_scores(planted.fit.network, planted.tensors, planted.split.test) == []
    names = PRICED_SPEC.context_names
    unknown = np.array(
        [names.index("odds_rated"), names.index("shots_rated"), *(names.index(name) for name in MATCH_ODDS)]
    )
    test = priced.split.test
    known = np.nan_to_num(priced.tensors.context[test][:, unknown]).any(axis=1)
    assert tier_scores(priced.fit.network, priced.tensors, test[~known]) == []


def test_a_tier_that_no_match_has_is_left_out(priced: Fitted) -> None:
    names, test = PRICED_SPEC.context_names, priced.split.test
    context = priced.tensors.context[test]
    shots_only = (
        (context[:, names.index("odds_rated")] == 0)
        & (context[:, names.index("shots_rated")] == 1)
        & np.isnan(context[:, names.index(MATCH_ODDS[0])])
    )
    assert shots_only.sum() > 5

    found = tier_scores(priced.fit.network, priced.tensors, test[shots_only])

    assert [row["tier"] for row in found] == ["results", "results+shots"]
