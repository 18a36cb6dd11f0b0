"""Intervals of differences: as wide as whole league-weeks make them, and narrower where errors are shared."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.domain.block_bootstrap import (
    Difference,
    interval_text,
    league_weeks,
    mean_interval,
    paired_differences,
)
from football_assets.domain.scoring_rules import score

GENERATOR = np.random.default_rng(3)
OUTCOMES = GENERATOR.integers(0, 3, 600)
GOOD = 0.6 * np.eye(3)[OUTCOMES] + 0.4 * GENERATOR.dirichlet((2, 2, 2), 600)
POOR = GENERATOR.dirichlet((2, 2, 2), 600)
SINGLE = np.arange(600)


def test_a_difference_is_that_of_the_scores() -> None:
    found = paired_differences({"ours": GOOD, "other": POOR}, "ours", OUTCOMES, SINGLE)

    ours, other = score(GOOD, OUTCOMES).as_dict(), score(POOR, OUTCOMES).as_dict()
    assert set(found) == {"other"}
    for measure, difference in found["other"].items():
        assert difference.value == pytest.approx(other[measure] - ours[measure], abs=1e-12)
        assert difference.low < difference.value < difference.high
    assert found["other"]["log_loss"].is_clear


def test_the_interval_of_single_matches_is_that_of_the_normal_distribution() -> None:
    found = paired_differences({"ours": GOOD, "other": POOR}, "ours", OUTCOMES, SINGLE)["other"]["log_loss"]

    chosen = np.arange(600), OUTCOMES
    each = np.log(GOOD[chosen]) - np.log(POOR[chosen])
    half = 1.96 * each.std() / np.sqrt(600)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_matches_that_err_together_widen_the_interval() -> None:
    copies = np.repeat(np.arange(100), 6)  # each match six times: no more is known than from a hundred
    outcomes, good, poor = OUTCOMES[copies], GOOD[copies], POOR[copies]

    single = paired_differences({"ours": good, "other": poor}, "ours", outcomes, SINGLE)["other"]["rps"]
    weeks = paired_differences({"ours": good, "other": poor}, "ours", outcomes, copies)["other"]["rps"]

    assert (weeks.high - weeks.low) / (single.high - single.low) == pytest.approx(np.sqrt(6), rel=0.1)


def test_equal_forecasts_differ_by_nothing_in_every_draw() -> None:
    found = paired_differences({"ours": GOOD, "copy": GOOD.copy()}, "ours", OUTCOMES, SINGLE // 6)["copy"]

    assert all((d.value, d.low, d.high) == (0, 0, 0) for d in found.values())
    assert not found["log_loss"].is_clear


def test_a_weekend_with_its_monday_is_one_league_week_and_leagues_are_apart() -> None:
    days = [date(2021, 8, 13), date(2021, 8, 14), date(2021, 8, 16), date(2021, 8, 17), date(2021, 8, 14)]

    found = league_weeks(pl.Series(["eng.1"] * 4 + ["eng.2"]), pl.Series(days))

    assert found[0] == found[1] == found[2]
    assert len({found[0], found[3], found[4]}) == 3
    assert sorted(set(found.tolist())) == [0, 1, 2]


def test_the_interval_of_a_mean_holds_it_and_is_a_point_for_constants() -> None:
    profits = np.where(OUTCOMES == 0, 2.1, -1.0)

    low, high = mean_interval(profits, SINGLE // 6)

    assert low < profits.mean() < high
    assert mean_interval(np.full(600, 0.25), SINGLE // 6) == (0.25, 0.25)


def test_a_difference_is_written_in_thousandths_with_its_interval() -> None:
    assert interval_text(Difference(0.00424, 0.0011, 0.0073)) == "+4.2 [1.1, 7.3]"
    assert interval_text(Difference(-0.0089, -0.0123, 0.0045)) == "-8.9 [-12.3, 4.5]"
