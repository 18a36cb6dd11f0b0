"""Odds that cannot be those of one match are found."""

import math

import pytest

from football_assets.domain.odds_rules import odds_error


@pytest.mark.parametrize(
    "odds",
    [
        pytest.param((2.1, 3.4, 3.6), id="a bookmaker's"),
        pytest.param((1.01, 21.0, 101.0), id="a clear favourite"),
        pytest.param((3 / 0.97, 3 / 0.97, 3 / 0.97 - 1e-9), id="the smallest sum"),
        pytest.param((3 / 1.35, 3 / 1.35, 3 / 1.35 + 1e-9), id="the largest sum"),
    ],
)
def test_plausible_odds_have_no_error(odds: tuple[float, float, float]) -> None:
    assert odds_error(*odds) is None


@pytest.mark.parametrize("wrong", [1.0, 0.5, 0.0, -2.0, 2000.5, math.inf, math.nan])
@pytest.mark.parametrize(("place", "name"), [(0, "home"), (1, "draw"), (2, "away")])
def test_a_number_that_is_no_decimal_odds_is_named(place: int, name: str, wrong: float) -> None:
    odds = [2.1, 3.4, 3.6]
    odds[place] = wrong

    assert odds_error(*odds) == (
        f"decimal odds are greater than 1 and at most 2000; those of {name} are {wrong:g}"
    )


def test_odds_whose_sum_of_inverses_is_not_of_one_match_show_the_sum() -> None:
    assert odds_error(2, 3, 10) == (
        "1/2 + 1/3 + 1/10 is 0.933; for the odds of one match that sum is between 0.97 and 1.35"
    )
    assert odds_error(1.5, 2.5, 3) == (
        "1/1.5 + 1/2.5 + 1/3 is 1.400; for the odds of one match that sum is between 0.97 and 1.35"
    )
