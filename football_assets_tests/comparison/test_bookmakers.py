"""Bookmakers as rivals: each reads its own odds, and tensors without a column know none."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.bookmakers import (
    CLOSING_AVERAGE,
    FIRST_ODDS,
    PRE_MATCH_AVERAGE,
    BookmakerRival,
)
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit, split_by_time
from football_assets_tests.builders.planted import SMALL, planted_tensors

ODDS = {
    "pre_match_odds": (2.0, 4.0, 4.0),
    "closing_odds": (4.0, 4.0, 2.0),
    "odds": (4.0, 2.0, 4.0),
}
ROWS = np.array([7, 3])


@pytest.fixture
def bare() -> SequenceTensors:
    """Tensors of before there were averages: neither pre-match nor closing odds."""
    tensors = planted_tensors()
    return replace(tensors, keys=tensors.keys.drop("^(pre_match|closing)_odds.*$"))


@pytest.fixture
def split(bare: SequenceTensors) -> TimeSplit:
    return split_by_time(bare, SMALL.split)


@pytest.mark.parametrize(
    ("rival", "expected"),
    [
        (PRE_MATCH_AVERAGE, [0.5, 0.25, 0.25]),
        (CLOSING_AVERAGE, [0.25, 0.25, 0.5]),
        (FIRST_ODDS, [0.25, 0.5, 0.25]),
    ],
)
def test_each_bookmaker_reads_its_own_columns(
    bare: SequenceTensors, split: TimeSplit, rival: BookmakerRival, expected: list[float]
) -> None:
    known = pl.int_range(pl.len()) == 3
    keys = bare.keys.with_columns(
        pl.when(known).then(pl.lit(value)).alias(f"{group}_{outcome}")
        for group, values in ODDS.items()
        for outcome, value in zip(("home", "draw", "away"), values, strict=True)
    )

    found = rival.forecast(replace(bare, keys=keys), split, ROWS).probabilities

    np.testing.assert_allclose(found, [[np.nan] * 3, expected])


@pytest.mark.parametrize("rival", [PRE_MATCH_AVERAGE, CLOSING_AVERAGE])
def test_tensors_without_the_columns_know_no_odds(
    bare: SequenceTensors, split: TimeSplit, rival: BookmakerRival
) -> None:
    assert np.isnan(rival.forecast(bare, split, ROWS).probabilities).all()
