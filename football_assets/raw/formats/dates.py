"""Parse dates and times of CSV files. The order of day and month is inferred for a file as a whole."""

import re
from collections.abc import Iterable
from datetime import UTC, date, time, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from football_assets.raw.formats.match_status import MatchStatus, parse_status
from football_assets.raw.formats.numbers import is_missing
from football_assets.raw.formats.records import UnreadableFile, UnusableRecord

DATE_EXAMPLES = "'2014-08-16', '16/08/2014' or 'Sat Aug 16 2014'"
_FIRST_SHORT_YEAR = 70  # 70 is 1970, 69 is 2069
_LONGEST = 60  # characters; longer text is not a date


class DateOrder(StrEnum):
    """The position of the day among the first two numbers of a date."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


class ParsedDate(NamedTuple):
    """A date with what is written beside it.

    `clock` and `zone`: time of day and offset from UTC, None where missing. `void`: the reason why the match is no
    result of play, if a status follows the date.
    """

    day: date
    clock: time | None = None
    zone: timezone | None = None
    void: str | None = None


_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
# A status in brackets, then one without or a weekday. `wo` is Wednesday in Dutch: a status has four letters or more.
_BEFORE = r"\s*(?P<before>[(\[][^)\]]*[)\]]|[*†‡§]+)?\s*(?:(?P<status>[^\W0-9_]{4,12}\.?,?\s+)|[^\W0-9_]{2,3}\.?,?\s+)?"
_WORD = r"(?P<word>[^\W0-9_]{3,9})\.?"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_DAYS = {
    "iso": r"(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
    "compact": r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
    "numbers": rf"(?P<first>[0-9]{{1,2}})\s*[-/.\s]\s*(?P<second>[0-9]{{1,2}})\s*[-/.\s]\s*{_YEAR}\.?",
    "month in words": rf"{_WORD}[-/\s]+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[-/\s,.']+{_YEAR}",
    "day before words": rf"(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[-/\s.]*(?:of\s+)?{_WORD}[-/\s,.']*{_YEAR}",
    "year before words": rf"(?P<year>[0-9]{{4}})[-/\s]+{_WORD}[-/\s]+(?P<day>[0-9]{{1,2}})",
}
_TIME = (
    r"(?P<hour>[0-9]{1,2})[:.h](?P<minute>[0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(?P<half>[ap]\.?m\b\.?)?"
)
_CLOCK = rf"(?:[T\s,]+(?:at\s+)?{_TIME}\s*(?P<zone>(?:UTC|GMT)?[+-][0-9]{{2}}:?[0-9]{{2}}|UTC\b|GMT\b|Z\b)?)?"
_BEHIND = r"\s*(?P<mark>[(\[][^)\]]*[)\]]|[*†‡§]+|[^\W0-9_][^0-9]*)?\s*"
_FORMS = [re.compile(f"{_BEFORE}{day}{_CLOCK}{_BEHIND}", re.IGNORECASE) for day in _DAYS.values()]
_CLOCK_ALONE = re.compile(rf"\s*{_TIME}\s*", re.IGNORECASE)


def infer_date_order(listed: Iterable[tuple[str, str]]) -> DateOrder:
    """Infer the order of day and month of a file.

    A date that exists in only one order proves it, like 13/8. Without proof, the day comes first.

    Parameters
    ----------
    listed
        Place, like `line 3`, and text of each date.

    Raises
    ------
    UnreadableFile
        Dates prove both orders.
    """
    first_places: dict[str, str] = {}
    for place, text in listed:
        first_places.setdefault(text, place)
    proofs: dict[DateOrder, str] = {}
    for text, place in first_places.items():
        order = _only_order(text)
        if order is not None:
            proofs.setdefault(order, f"'{text.strip()}' in {place} is {order}")
    if len(proofs) == len(DateOrder):
        raise UnreadableFile(
            f"The dates are in two orders: {', '.join(proofs[order] for order in DateOrder)}. "
            "Write all dates in one order, preferably like '2014-08-16'."
        )
    return next(iter(proofs), DateOrder.DAY_FIRST)


def is_date(text: str) -> bool:
    """Return whether a text is a date in any of the forms that sources write, in either order of day and month.

    >>> is_date("16/08/14"), is_date("08/16/14"), is_date("Date")
    (True, True, False)
    """
    return any(_exists(text, order) for order in DateOrder)


@lru_cache(maxsize=1 << 14)
def parse_date(text: str, order: DateOrder | None) -> ParsedDate:
    """Parse a date in any of the forms that sources write.

    A time of midnight is dropped, since programs write it for a date without a time. A status beside the date, like
    `(P)` for postponed, is ignored unless it says that the match has no result of play.

    Parameters
    ----------
    order
        Order of day and month in the file. None: a date that needs it is rejected.

    Raises
    ------
    UnusableRecord
        The text is not a date, or a date that does not exist.
    """
    match = _match(text)
    if match is None:
        if is_missing(text):
            raise UnusableRecord("The row has no date.")
        raise UnusableRecord(f"The date '{text[:_LONGEST]}' is not like {DATE_EXAMPLES}.")
    parts = match.groupdict()
    try:
        day = _day(parts, order)
    except ValueError:
        raise UnusableRecord(f"The date '{text}' does not exist.") from None
    void = None
    if any(map(_is_void, (parts["before"], parts["status"], parts["mark"]))):
        void = f"The date '{text.strip()}' is marked as awarded, abandoned or the like: no result of play."
    return ParsedDate(day, _clock(parts), _zone(parts["zone"]), void)


def _is_void(mark: str | None) -> bool:
    """Return whether a status beside a date says that the match has no result of play. A lone `*` says nothing."""
    return bool(
        mark and parse_status(mark) is MatchStatus.NO_RESULT and any(letter.isalpha() for letter in mark)
    )


def _match(text: str) -> re.Match[str] | None:
    for form in _FORMS if len(text) <= _LONGEST else ():
        match = form.fullmatch(text)
        if match is not None and _is_known(match.groupdict()):
            return match
    return None


def _is_known(parts: dict[str, str | None]) -> bool:
    """Return whether the words of a date are a month and a known status."""
    word, mark = parts.get("word"), parts["mark"]
    is_mark = not mark or not mark[0].isalpha() or parse_status(mark) is not None
    return is_mark and (word is None or _month(word) is not None)


def _month(word: str) -> int | None:
    word = "sep" if word.lower() == "sept" else word.lower()
    return next((number for number, name in enumerate(_MONTHS, start=1) if name.startswith(word)), None)


def _day(parts: dict[str, str], order: DateOrder | None) -> date:
    year = int(parts["year"])
    if len(parts["year"]) == 2:
        year += 1900 if year >= _FIRST_SHORT_YEAR else 2000
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second"])
        if order is None:
            raise ValueError("the order of day and month is not known")
        return date(year, second, first) if order is DateOrder.DAY_FIRST else date(year, first, second)
    month = int(parts["month"]) if "month" in parts else _month(parts["word"])
    return date(year, month or 0, int(parts["day"]))


def _only_order(text: str) -> DateOrder | None:
    """Return the only order in which a date exists; None if it exists in both, in none, or needs no order."""
    found = [order for order in DateOrder if _exists(text, order)]
    return found[0] if len(found) == 1 else None


def _exists(text: str, order: DateOrder) -> bool:
    try:
        parse_date(text, order)
    except UnusableRecord:
        return False
    return True


@lru_cache(maxsize=1 << 12)
def parse_time(text: str) -> time | None:
    """Parse a time of day in a column of its own. Return None for anything else.

    >>> parse_time("20:00"), parse_time("8:00 pm"), parse_time("late")
    (datetime.time(20, 0), datetime.time(20, 0), None)
    """
    match = _CLOCK_ALONE.fullmatch(text) if len(text) <= _LONGEST else None
    return _time(match.groupdict()) if match is not None else None


def _clock(parts: dict[str, str]) -> time | None:
    """Return the time beside a date, None at midnight."""
    clock = _time(parts) if parts["hour"] is not None else None
    return clock if clock != time(0) else None


def _time(parts: dict[str, str]) -> time | None:
    hour, minute = int(parts["hour"]), int(parts["minute"])
    if parts["half"] is not None:
        hour = hour % 12 + (12 if parts["half"].lower().startswith("p") else 0)
    return time(hour, minute) if hour <= 23 and minute <= 59 else None


def _zone(text: str | None) -> timezone | None:
    """Parse the offset from UTC of `Z`, `UTC`, `+02:00` or `GMT+0200`."""
    if text is None:
        return None
    offset = re.search(r"([+-])(\d{2}):?(\d{2})", text)
    if offset is None:
        return UTC
    minutes = int(offset[2]) * 60 + int(offset[3])
    return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes < 1440 else UTC
