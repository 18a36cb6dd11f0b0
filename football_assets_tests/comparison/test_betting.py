"""Paper bets: which are placed, what they win, and the worst stretch."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.betting import paper_bets

DAYS = pl.Series([date(2021, 8, 1), date(2021, 8, 1), date(2021, 8, 2), date(2021, 8, 3), date(2021, 8, 4)])
ODDS = np.array([[2.0, 3.5, 4.0], [2.0, 3.5, 4.0], [1.5, 4.0, 8.0], [2.5, 3.0, 3.0], [2.0, np.nan, 4.0]])
CHANCES = np.array([[0.6, 0.2, 0.2], [0.6, 0.2, 0.2], [0.5, 0.2, 0.3], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05]])
OUTCOMES = np.array([0, 1, 2, 0, 0])
WEEKS = np.array([0, 0, 1, 1, 1])


def test_the_outcome_of_best_expected_profit_is_backed_where_it_is_above_the_edge() -> None:
    found = paper_bets(CHANCES, ODDS, OUTCOMES, DAYS, WEEKS)

    # The first two back home wins at 2.0, the third the away win at 8.0; the fourth has no value, the fifth no odds.
    assert (found.bets, found.won) == (3, 2)
    assert found.profit == pytest.approx(1.0 - 1.0 + 7.0)
    assert found.roi == pytest.approx(7.0 / 3)
    assert found.roi_low <= found.roi <= found.roi_high
    assert found.mean_odds == pytest.approx(4.0)
    assert found.curve.rows() == [(date(2021, 8, 1), 2, 0.0, 0.0), (date(2021, 8, 2), 1, 7.0, 7.0)]
    assert found.worst_drawdown == 0.0


def test_the_worst_drawdown_is_from_the_highest_point_before() -> None:
    found = paper_bets(CHANCES, ODDS, np.array([1, 1, 2, 0, 0]), DAYS, WEEKS)

    assert found.curve["equity"].to_list() == [-2.0, 5.0]
    assert found.worst_drawdown == 2.0


def test_a_higher_edge_places_fewer_bets_and_none_is_no_error() -> None:
    assert paper_bets(CHANCES, ODDS, OUTCOMES, DAYS, WEEKS, edge=0.5).bets == 1
    nothing = paper_bets(CHANCES, ODDS, OUTCOMES, DAYS, WEEKS, edge=2.0)

    assert (nothing.bets, nothing.profit, len(nothing.curve)) == (0, 0.0, 0)
    assert nothing.as_dict()["roi"] == 0.0
