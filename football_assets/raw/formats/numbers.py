"""Parse numbers of CSV files: goals like `2`, `2.0` or `NaN`, odds like `1.85` or `1,85`."""

import re
from functools import lru_cache

from football_assets.raw.formats.records import UnusableRecord

_MISSING = frozenset(
    ("", "-", "--", "–", "—", "?", ".", "nan", "na", "n/a", "#n/a", "<na>", "n.a.", "none", "null", "nat")
)
_INFINITY = float("inf")
_GOALS = re.compile(r"(-?\d{1,9})(?:[.,]0*)?", re.ASCII)


def is_missing(text: str) -> bool:
    """Return whether a field stands for a missing value: blank, `NaN`, `NA`, `-` or the like."""
    return text.strip().lower() in _MISSING


@lru_cache(maxsize=1 << 10)
def parse_goals(text: str) -> int | None:
    """Parse the goals of one team. Return None for a missing value.

    Raises
    ------
    UnusableRecord
        The text is not an integer.

    >>> parse_goals("2"), parse_goals("2.0"), parse_goals("NaN")
    (2, 2, None)
    """
    if is_missing(text):
        return None
    number = _GOALS.fullmatch(text.strip())
    if number is None:
        raise UnusableRecord(f"The number of goals '{text}' is not a whole number.")
    return int(number[1])


def parse_decimal(text: str) -> float | None:
    """Parse a decimal number with a point or a comma. Return None for anything else."""
    if is_missing(text):
        return None
    try:
        return float(text.strip().replace(",", ".", 1))
    except ValueError:
        return None


def parse_listed_odds(text: str) -> float | None:
    """Parse odds, also impossible ones. Return None for a missing value, NaN for text that is not a decimal number.

    NaN lets `rules.odds_are_unusable` report the odds: fractional ones (`5/2`) are not read.

    >>> parse_listed_odds("1,85"), parse_listed_odds("-200"), parse_listed_odds("NA"), parse_listed_odds("5/2")
    (1.85, -200.0, None, nan)
    """
    if is_missing(text):
        return None
    odds = parse_decimal(text)
    return float("nan") if odds is None else odds


def parse_odds(text: str) -> float | None:
    """Parse decimal odds above 1. Return None for anything else.

    >>> parse_odds("1.85"), parse_odds("1,85"), parse_odds("1"), parse_odds("NA")
    (1.85, 1.85, None, None)
    """
    try:
        odds = float(text)
    except ValueError:
        odds = parse_decimal(text) or 0
    return odds if 1 < odds < _INFINITY else None
