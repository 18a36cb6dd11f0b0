"""What the odds of a match imply."""

import polars as pl
import pytest

from football_assets.features.match_odds import match_odds_implied

KINDS = ("closing_odds", "pre_match_odds", "bookmaker_odds", "odds")
HOME_PRICES = {"closing_odds": 2.0, "pre_match_odds": 2.1, "bookmaker_odds": 2.2, "odds": 2.3}


def table(*kinds: str, over: tuple[float, float] | None = None) -> pl.DataFrame:
    columns: dict[str, list[float | str]] = {"match_id": ["m"]}
    for kind in kinds:
        columns |= {f"{kind}_home": [HOME_PRICES[kind]], f"{kind}_draw": [3.5], f"{kind}_away": [3.5]}
    if over:
        columns |= {"pre_match_odds_over": [over[0]], "pre_match_odds_under": [over[1]]}
    return pl.DataFrame(columns)


@pytest.mark.parametrize("first", range(4))
def test_the_sharpest_odds_on_file_are_taken(first: int) -> None:
    implied = match_odds_implied(table(*reversed(KINDS[first:])))
    inverse = 1 / HOME_PRICES[KINDS[first]], 1 / 3.5, 1 / 3.5
    row = implied.row(0, named=True)
    assert row["implied_p_home"] == pytest.approx(inverse[0] / sum(inverse))
    assert row["implied_p_draw"] == pytest.approx(inverse[1] / sum(inverse))
    assert row["implied_p_away"] == pytest.approx(inverse[2] / sum(inverse))
    assert row["implied_goals_home"] > row["implied_goals_away"]


def test_implausible_closing_odds_give_way_to_the_next_kind() -> None:
    odds = table("closing_odds", "odds").with_columns(closing_odds_draw=pl.lit(1.2))
    inverse = 1 / 2.3, 1 / 3.5, 1 / 3.5
    assert match_odds_implied(odds)["implied_p_home"][0] == pytest.approx(inverse[0] / sum(inverse))


def test_the_price_of_many_goals_raises_both_sides_goals() -> None:
    few, many = (
        match_odds_implied(table("closing_odds", over=over)).row(0, named=True)
        for over in ((2.6, 1.5), (1.5, 2.6))
    )
    assert many["implied_goals_home"] > few["implied_goals_home"] + 0.3
    assert many["implied_goals_away"] > few["implied_goals_away"] + 0.3


def test_a_match_without_odds_is_null() -> None:
    implied = match_odds_implied(table())
    assert implied.columns == [
        "match_id",
        "implied_p_home",
        "implied_p_draw",
        "implied_p_away",
        "implied_goals_home",
        "implied_goals_away",
    ]
    assert implied.row(0) == ("m", None, None, None, None, None)
