"""Parity with the network, whatever the batch size and however little is known."""

from typing import Any

import numpy as np

from football_assets.export.parity import parity_cases
from football_assets.export.tolerances import PARITY_TOLERANCE
from football_assets_tests.builders.simulation import TEST_INDEX


def test_the_export_agrees_with_the_network_in_every_case(report: dict[str, Any]) -> None:
    assert set(report["parity"]) == {
        "test set",
        "batch of 1",
        "batch of 2",
        "batch of 257",
        "unknown context",
        "no context at all",
        "no history",
        "no away history",
    }
    assert report["parity_max_abs_difference"] == max(report["parity"].values()) <= PARITY_TOLERANCE
    assert report["expected_goals_max_abs_difference"] <= 1e-5
    assert report["probability_sum_max_error"] <= 1e-6
    assert report["test_matches"] == len(TEST_INDEX)


def test_parity_cases_cover_small_test_sets() -> None:
    rows = (np.ones((5, 10, 12), np.float32), np.ones((5, 10, 12), np.float32), np.ones((5, 3), np.float32))
    cases = parity_cases(rows)
    assert [len(inputs[0]) for inputs in cases.values()] == [5, 1, 2, 257, 257, 257, 257, 257]
    assert np.isnan(cases["no context at all"][2]).all()
    assert not cases["no history"][0].any()
