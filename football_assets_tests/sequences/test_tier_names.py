"""Tiers of input are described in words, and past odds are not the odds of the match."""

import pytest

from football_assets.sequences.tier_names import inputs_text, uses_match_odds


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        ("results", False),
        ("results+shots+odds", False),
        ("results+match_odds", True),
        ("results+odds+match_odds", True),
    ],
)
def test_past_odds_are_not_the_odds_of_the_match(tier: str, expected: bool) -> None:
    assert uses_match_odds(tier) is expected


def test_a_tier_is_described_in_words() -> None:
    assert inputs_text("results") == "results"
    assert inputs_text("results+shots+odds+match_odds") == "results + shots + past odds + odds of the match"
