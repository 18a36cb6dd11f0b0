"""The margin in decimal odds."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from football_assets.domain.bookmaker_margin import implied_probabilities, power_probabilities
from football_assets.domain.odds_rules import OVERROUND_BOUNDS


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
    for probabilities in (implied_probabilities, power_probabilities):
        assert np.isnan(probabilities(np.array([odds, (2.0, 4.0, 3.2)])[:1])).all()


def test_a_bad_row_leaves_the_others() -> None:
    probabilities = implied_probabilities(np.array([[np.nan] * 3, [2.0, 4.0, 3.2]]))
    assert np.isfinite(probabilities[1]).all()


def test_the_power_method_takes_more_margin_from_outsiders() -> None:
    odds = np.array([[1.25, 6.0, 11.0]])
    ((home, draw, away),) = power_probabilities(odds)
    exponents = np.log([home, draw, away]) / np.log(1 / odds[0])

    assert home + draw + away == pytest.approx(1)
    np.testing.assert_allclose(exponents, exponents[0], rtol=1e-9)
    assert exponents[0] > 1
    ((proportional, _, _),) = implied_probabilities(odds)
    assert home > proportional


def test_without_a_margin_both_methods_give_one_over_the_odds() -> None:
    odds = np.array([[2.0, 4.0, 4.0], [1.25, 10.0, 10.0]])

    np.testing.assert_allclose(power_probabilities(odds), 1 / odds, rtol=1e-12)
    np.testing.assert_allclose(implied_probabilities(odds), 1 / odds, rtol=1e-12)


@given(
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
    st.floats(OVERROUND_BOUNDS[0] + 1e-6, OVERROUND_BOUNDS[1] - 1e-6),
)
def test_probabilities_of_plausible_odds_sum_to_1_and_keep_their_order(
    shares: list[float], overround: float
) -> None:
    odds = 1 / (np.array([shares]) / sum(shares) * overround)
    assume((odds > 1).all())

    (found,) = power_probabilities(odds)

    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert (found > 0).all()
    assert list(np.argsort(found, kind="stable")) == list(np.argsort(1 / odds[0], kind="stable"))


def test_one_match_and_many_give_the_same_bits() -> None:
    generator = np.random.default_rng(3)
    odds = 1 / (generator.dirichlet([4, 3, 3], 200) * generator.uniform(1.0, 1.1, (200, 1)))

    together = power_probabilities(odds)

    alone = np.concatenate([power_probabilities(odds[row : row + 1]) for row in range(len(odds))])
    np.testing.assert_array_equal(alone, together)
