"""The margin in decimal odds."""

import numpy as np
import pytest

from football_assets.domain.bookmaker_margin import implied_probabilities


def test_probabilities_are_proportional_to_one_over_the_odds() -> None:
    # 1/2 + 1/4 + 1/3.2 = 1.0625
    ((home, draw, away),) = implied_probabilities(np.array([[2.0, 4.0, 3.2]]))
    assert (home, draw, away) == pytest.approx((0.5 / 1.0625, 0.25 / 1.0625, 0.3125 / 1.0625))


def test_odds_of_two_outcomes() -> None:
    assert implied_probabilities(np.array([[1.5, 2.5]])) == pytest.approx(np.array([[0.625, 0.375]]))


@pytest.mark.parametrize(
    "odds",
    [
        (2.0, np.nan, 3.2),
        (2.0, 1.0, 3.2),  # a price of 1 wins nothing
        (2.0, -4.0, 3.2),
        (2.1, 4.2, 5.0),  # 1 / odds sum to 0.914
        (1.8, 3.0, 2.0),  # 1.389
    ],
)
def test_implausible_odds_have_no_probabilities(odds: tuple[float, ...]) -> None:
    assert np.isnan(implied_probabilities(np.array([odds, (2.0, 4.0, 3.2)])[:1])).all()


def test_a_bad_row_leaves_the_others() -> None:
    probabilities = implied_probabilities(np.array([[np.nan] * 3, [2.0, 4.0, 3.2]]))
    assert np.isfinite(probabilities[1]).all()
