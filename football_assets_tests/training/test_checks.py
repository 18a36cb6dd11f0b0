"""The checks of learning find what they are for."""

import json
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from dagster import AssetCheckResult, AssetChecksDefinition, AssetCheckSeverity

from football_assets.training.checks import (
    beats_class_prior,
    beats_elo,
    periods_in_order,
    probabilities_sum_to_one,
)


def check(definition: AssetChecksDefinition, folder: Path) -> AssetCheckResult:
    return cast(AssetCheckResult, definition(folder))


@pytest.mark.parametrize(
    ("validation_end", "passed"), [("2015-06-30", True), ("2014-01-01", False), ("2017-01-01", False)]
)
def test_periods_out_of_order_are_found(tmp_path: Path, validation_end: str, passed: bool) -> None:
    split = {
        "train_start": "2010-01-01",
        "train_end": "2014-06-30",
        "validation_end": validation_end,
        "test_end": "2016-06-30",
    }
    (tmp_path / "training.json").write_text(json.dumps({"split": split}))

    assert check(periods_in_order, tmp_path).passed is passed


@pytest.mark.parametrize(
    ("forecast", "passed"),
    [
        ((0.5, 0.3, 0.2), True),
        ((0.5, 0.3, 0.2001), False),
        ((1.2, -0.1, -0.1), False),
        ((0.5, None, 0.5), False),
    ],
)
def test_forecasts_that_are_no_probabilities_are_found(
    tmp_path: Path, forecast: tuple[float, float | None, float], passed: bool
) -> None:
    rows = [(0.2, 0.2, 0.6), forecast]
    schema = ["p_home", "p_draw", "p_away"]
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(tmp_path / "test_predictions.parquet")

    assert check(probabilities_sum_to_one, tmp_path).passed is passed


@pytest.mark.parametrize(
    ("ours", "passed"), [(0.99, (True, True)), (1.01, (True, False)), (1.06, (False, False))]
)
def test_a_model_no_better_than_a_baseline_is_a_warning(
    tmp_path: Path, ours: float, passed: tuple[bool, bool]
) -> None:
    metrics = {
        "test": {"log_loss": ours},
        "baselines": {"class_prior": {"log_loss": 1.05}, "elo": {"log_loss": 1.0}},
    }
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))

    results = [check(beats, tmp_path) for beats in (beats_class_prior, beats_elo)]

    assert tuple(result.passed for result in results) == passed
    assert all(result.severity is AssetCheckSeverity.WARN for result in results)
