"""The thresholds of the drift report."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from football_assets.monitoring.config import DriftConfig


def test_every_threshold_is_described_for_the_launchpad() -> None:
    assert all(field.description for field in DriftConfig.model_fields.values())


def test_the_defaults_are_those_that_the_report_was_calibrated_with() -> None:
    config = DriftConfig()

    assert (config.window_days, config.least_predictions, config.least_results) == (30, 50, 60)
    assert (config.column_distance, config.broken_distance, config.drift_share) == (0.25, 2.0, 0.3)
    assert (config.quality_share, config.significance) == (0.1, 0.01)


@pytest.mark.parametrize(
    "fields",
    [
        {"window_days": 0},
        {"least_predictions": 1},
        {"drift_share": 1.1},
        {"significance": 1},
        {"column_distance": math.inf},
        {"window": 30},
    ],
)
def test_values_without_a_meaning_and_unknown_names_are_rejected(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(ValidationError, match=name):
        DriftConfig.model_validate(fields)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DriftConfig().window_days = 7  # type: ignore[misc]
