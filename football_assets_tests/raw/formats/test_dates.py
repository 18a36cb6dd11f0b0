"""Dates in every form that sources write, and the order of day and month of a file."""

from contextlib import suppress
from datetime import UTC, date, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.raw.formats.dates import DateOrder, infer_date_order, parse_date, parse_time
from football_assets.raw.formats.records import UnreadableFile, UnusableRecord

DAY_FIRST, MONTH_FIRST = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


def order_of(*texts: str) -> DateOrder:
    return infer_date_order((f"line {line}", text) for line, text in enumerate(texts, start=2))


@pytest.mark.parametrize(
    "text",
    [
        "2014-08-16",
        "2014/08/16",
        "2014.8.16",
        "20140816",
        "16/08/14",
        "16/8/2014",
        "16-08-2014",
        "16.08.2014",
        "16. 8. 2014",
        "16.08.2014.",
        "Sat 16/08/2014",
        "Sa, 16.08.2014",
        "sáb 16/08/2014",
        "16 Aug 2014",
        "16-Aug-14",
        "16th August 2014",
        "Saturday, 16 August 2014",
        "Aug 16, 2014",
        "Sat Aug 16 2014",
        "Sat, Aug 16, 2014",
        "Sat Aug 16 '14",
        "2014-Aug-16",
        " 16/08/2014 ",
        "2014-08-16 00:00:00",
        "16/08/2014 00:00",
        "Sat Aug 16 2014(P)",
        "Sat Aug 16 2014 (P)",
        "Sat Aug 16 2014 P",
        "16/08/2014*",
        "16/08/2014 [1]",
        "(P) 16/08/2014",
        "wo 16-08-2014",
        "za. 16-08-2014",
        "Samstag, 16.08.2014",
        "16/08/2014 (postponed)",
    ],
)
def test_every_form_of_a_date_is_one_day(text: str) -> None:
    assert parse_date(text, DAY_FIRST) == (date(2014, 8, 16), None, None, None)


@pytest.mark.parametrize("text", ["Sept 3 2014", "3 September 2014", "Sep 3 2014"])
def test_september_has_two_short_names(text: str) -> None:
    assert parse_date(text, DAY_FIRST).day == date(2014, 9, 3)


@pytest.mark.parametrize(
    ("text", "clock", "zone"),
    [
        ("2023-08-11 20:00:00", time(20), None),
        ("2023-08-11T20:00", time(20), None),
        ("2023-08-11T20:00:00.000Z", time(20), UTC),
        ("2023-08-11T20:00:00+02:00", time(20), timezone(timedelta(hours=2))),
        ("Fri Aug 11 2023 20:00:00 GMT-0300 (-03)", time(20), timezone(timedelta(hours=-3))),
        ("2023-08-11T20:00+23:59", time(20), timezone(timedelta(hours=23, minutes=59))),
        ("2023-08-11T20:00+24:00", time(20), UTC),  # no offset that exists
        ("11/08/2023 20:00", time(20), None),
        ("11/08/2023 8:00 PM", time(20), None),
        ("11/08/2023, 8.00 p.m.", time(20), None),
    ],
)
def test_a_time_beside_the_date_is_read(text: str, clock: time, zone: timezone | None) -> None:
    assert parse_date(text, DAY_FIRST) == (date(2023, 8, 11), clock, zone, None)


@pytest.mark.parametrize(
    "text",
    [
        "16/08/2014 (abandoned)",
        "Sat Aug 16 2014 awarded",
        "(abandoned) 16/08/2014",
        "(a.w.) Sat Aug 16 2014",
        "Abandoned 2014-08-16",
        "[Cancelled] Sat 16.8.2014 15:00",
    ],
)
def test_a_mark_may_say_that_the_match_has_no_result_of_play(text: str) -> None:
    assert "no result of play" in str(parse_date(text, DAY_FIRST).void)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no date"),
        ("NaN", "no date"),
        ("16 Aug", "is not like '2014-08-16'"),
        ("16/08/2014 Hull", "is not like"),
        ("Sat Foo 16 2014", "is not like"),
        ("1/1/1", "is not like"),
        ("30/02/2015", "does not exist"),
        ("Mon Feb 30 2015", "does not exist"),
        ("0000-01-01", "does not exist"),
        ("2014-16-08", "does not exist"),
        ("16/08/2014" + " " * 100_000, "is not like"),
    ],
)
def test_what_is_no_date_says_why(text: str, reason: str) -> None:
    with pytest.raises(UnusableRecord, match=reason):
        parse_date(text, DAY_FIRST)


def test_a_date_that_needs_the_order_is_not_read_without_it() -> None:
    assert parse_date("2014-08-16", None).day == date(2014, 8, 16)
    with pytest.raises(UnusableRecord):
        parse_date("16/08/2014", None)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (("8/11/2023", "8/12/2023", "8/13/2023", "9/2/2023", "1/6/2024"), MONTH_FIRST),
        (("11/08/2023", "13/08/2023", "02/09/2023"), DAY_FIRST),
        (("11.08.2023", "08-13-2023"), MONTH_FIRST),
        (("01/02/2023", "03/04/2023"), DAY_FIRST),
        (("01/02/2023", "31/02/2023", "02/31/2023"), DAY_FIRST),
        (("01/02/2023", "2023-08-13", "Sun Aug 13 2023", "tomorrow", ""), DAY_FIRST),
        ((), DAY_FIRST),
    ],
)
def test_one_date_that_fits_one_order_only_decides_for_all(texts: tuple[str, ...], order: DateOrder) -> None:
    assert order_of(*texts) is order


def test_dates_in_both_orders_are_refused_with_one_of_each() -> None:
    with pytest.raises(UnreadableFile) as error:
        order_of("01/02/2023", "13/08/2023", "8/14/2023", "15/08/2023")
    assert str(error.value) == (
        "The dates are in two orders: '13/08/2023' in line 3 is day first, '8/14/2023' in line 4 is month first. "
        "Write all dates in one order, preferably like '2014-08-16'."
    )


@given(
    st.dates(date(1970, 1, 1), date(2069, 12, 31)),
    st.sampled_from(DateOrder),
    st.sampled_from("/-."),
    st.booleans(),
)
def test_a_day_is_read_as_it_was_written(day: date, order: DateOrder, separator: str, is_short: bool) -> None:
    pattern = ["%d", "%m"] if order is DAY_FIRST else ["%m", "%d"]
    text = day.strftime(separator.join([*pattern, "%y" if is_short else "%Y"]))
    assert parse_date(text, order).day == day
    assert order_of(text) in (order, DAY_FIRST)


@given(st.text(max_size=40))
def test_no_text_makes_the_reader_crash(text: str) -> None:
    for order in (*DateOrder, None):
        with suppress(UnusableRecord):
            assert isinstance(parse_date(text, order).day, date)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("20:00", time(20)),
        ("9:05", time(9, 5)),
        ("20:00:00", time(20)),
        ("8:00 PM", time(20)),
        ("12:30 am", time(0, 30)),
        ("20.00", time(20)),
        ("00:00", time(0)),
        ("24:00", None),
        ("later", None),
        ("", None),
    ],
)
def test_a_time_in_a_column_of_its_own_is_read_or_left_out(text: str, clock: time | None) -> None:
    assert parse_time(text) == clock
