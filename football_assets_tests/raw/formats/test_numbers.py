"""Numbers as programs and spreadsheets write them."""

import pytest

from football_assets.raw.formats.numbers import parse_decimal, parse_goals, parse_odds
from football_assets.raw.formats.records import UnusableRecord

MISSING = ["", " ", "NaN", "nan", "NA", "N/A", "#N/A", "<NA>", "None", "null", "-", "?", "–"]


@pytest.mark.parametrize("text", MISSING)
def test_what_stands_for_nothing_is_no_number(text: str) -> None:
    assert (parse_goals(text), parse_decimal(text), parse_odds(text)) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "goals"), [("2", 2), (" 2 ", 2), ("2.0", 2), ("2,0", 2), ("2.", 2), ("-1", -1)]
)
def test_goals_are_whole_numbers_however_they_are_written(text: str, goals: int) -> None:
    assert parse_goals(text) == goals


@pytest.mark.parametrize("text", ["two", "1.5", "0x2", "2-1", "99999999999", "2.0.0"])
def test_other_text_is_no_number_of_goals(text: str) -> None:
    with pytest.raises(UnusableRecord, match="is not a whole number"):
        parse_goals(text)


@pytest.mark.parametrize(
    ("text", "odds"),
    [
        ("1.85", 1.85),
        ("1,85", 1.85),
        (" 4 ", 4.0),
        ("1", None),
        ("0", None),
        ("inf", None),
        ("-3", None),
        ("x", None),
    ],
)
def test_odds_pay_more_than_the_stake(text: str, odds: float | None) -> None:
    assert parse_odds(text) == odds
