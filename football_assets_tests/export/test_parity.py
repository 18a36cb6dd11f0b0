"""Parity with the network, whatever the batch size and however little is known."""

from typing import Any

import numpy as np
import pytest

from football_assets.export.parity import parity_cases
from football_assets.export.tolerances import PARITY_TOLERANCE
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.tier_names import RESULTS
from football_assets_tests.builders.priced import PRICED_SPEC, priced_tensors
from football_assets_tests.builders.simulation import TEST_INDEX


def test_the_export_agrees_with_the_network_in_every_case(report: dict[str, Any]) -> None:
    inputs = (*DEFAULT_SPEC.history, *DEFAULT_SPEC.context)
    assert set(report["parity"]) == {
        "test set",
        "batch of 1",
        "batch of 2",
        "batch of 257",
        "unknown context",
        "no context at all",
        "no history",
        "no away history",
        *(f"no {group}" for group in {feature.group for feature in inputs} - {RESULTS}),
    }
    assert report["parity_max_abs_difference"] == max(report["parity"].values()) <= PARITY_TOLERANCE
    assert report["expected_goals_max_abs_difference"] <= 1e-5
    assert report["probability_sum_max_error"] <= 1e-6
    assert report["test_matches"] == len(TEST_INDEX)


def test_parity_cases_cover_small_test_sets() -> None:
    batch = priced_tensors(matches=31).take(np.arange(5))
    cases = parity_cases((batch.home_history, batch.away_history, batch.context), PRICED_SPEC)
    assert [len(inputs[0]) for inputs in cases.values()] == [5, 1, 2, *8 * [257]]
    assert np.isnan(cases["no context at all"][2]).all()
    assert not cases["no history"][0].any()


@pytest.mark.parametrize("group", ["odds", "shots", "match_odds"])
def test_a_parity_case_hides_each_group_of_inputs_alone(group: str) -> None:
    batch = priced_tensors(matches=31).take(np.arange(5))
    home, _, context = parity_cases((batch.home_history, batch.away_history, batch.context), PRICED_SPEC)[
        f"no {group}"
    ]

    for features, values, known in (
        (PRICED_SPEC.context, context[:5], batch.context),
        (PRICED_SPEC.history, home[:5], batch.home_history),
    ):
        hidden = [feature.group == group for feature in features]
        np.testing.assert_array_equal(values[..., ~np.array(hidden)], known[..., ~np.array(hidden)])
        measures = [feature.group == group and feature.unit != "flag" for feature in features]
        observed = home[:5, :, [f.name for f in features].index("observed")] if values.ndim == 3 else ...
        assert np.isnan(values[..., measures][observed == 1 if values.ndim == 3 else ...]).all()
