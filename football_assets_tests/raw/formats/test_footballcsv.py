"""The reader of footballcsv files."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.raw.formats.footballcsv import parse_half_time
from football_assets.raw.formats.reader import read_csv
from football_assets.raw.formats.records import UnreadableFile

GOOD = "Sat Aug 16 2014,Arsenal,2-1,1-1,Crystal Palace"


def lines(*rows: str, header: str = "Date,Team 1,FT,HT,Team 2", end: str = "\n") -> bytes:
    return (end.join([header, *rows]) + end).encode()


def test_a_row_becomes_a_match_with_its_line() -> None:
    reading = read_csv(lines(GOOD, "", "Sun Aug 7 1993,Bayern,?,?,Köln"))
    first, second = reading.rows
    assert (first.line, first.kickoff_date, first.home_team, first.away_team) == (
        2,
        date(2014, 8, 16),
        "Arsenal",
        "Crystal Palace",
    )
    assert (first.home_goals, first.away_goals, first.record) == (2, 1, GOOD)
    assert (second.line, second.kickoff_date) == (4, date(1993, 8, 7))
    assert (second.home_goals, second.away_goals) == (None, None)
    assert reading.rejections == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_change_nothing(end: str, mark: bytes) -> None:
    assert read_csv(mark + lines(GOOD, end=end)) == read_csv(lines(GOOD))


def test_latin_1_names_are_read() -> None:
    data = lines("Sat Aug 16 2014,Málaga,1-0,?,Almería").decode().encode("latin-1")
    row = read_csv(data).rows[0]
    assert (row.home_team, row.away_team) == ("Málaga", "Almería")


def test_columns_are_found_by_name_and_optional_ones_are_read() -> None:
    data = lines(
        "7,19:45,Leeds,Derby,2 - 0,1.5,4,6.25,ignored",
        header="Round,Time,Team 1,Team 2,FT,odds_home,odds_draw,odds_away,Referee,Date",
    )
    assert read_csv(data).rejections[0].reason.startswith("The row is short: 9 of 10 fields")
    data = lines(
        "2014-08-16,7,19:45,Leeds,Derby,2 - 0,1.5,4,6.25",
        "2014-08-17,8,later,Leeds,Hull,2:0",
        header="date,round,time,team 1,team 2,ft,odds_home,odds_draw,odds_away",
    )
    first, second = read_csv(data).rows
    assert (first.round, first.kickoff_time, first.home_goals) == ("7", time(19, 45), 2)
    assert (first.odds_home, first.odds_draw, first.odds_away) == (1.5, 4.0, 6.25)
    assert (second.round, second.kickoff_time, second.odds_home) == ("8", None, None)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Sat Aug 16 2014,Arsenal,2-1", "short: 3 of 5"),
        ("Sat Aug 16 2014", "short: 1 of 5"),
        ("Mon Feb 30 2015,Arsenal,2-1,?,Hull", "does not exist"),
        ("Sat Foo 16 2014,Arsenal,2-1,?,Hull", "is not like"),
        ("16/08,Arsenal,2-1,?,Hull", "is not like"),
        ("Sat Aug 16 2014,Arsenal,two,?,Hull", "'two' is not like '2-1'"),
        ("Sat Aug 16 2014,Arsenal,99999999999-1,?,Hull", "is not like"),
        ("Sat Aug 16 2014,Brighton, Hove,2-1,?,Hull", "more fields"),
        ('Sat Aug 16 2014,"Arsenal,2-1,?,Hull', "short"),
        ('Sat Aug 16 2014,"' + "x" * 200_000, "short"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line_and_spoils_no_other(
    row: str, reason: str
) -> None:
    reading = read_csv(lines(GOOD, row, GOOD))
    assert [good.line for good in reading.rows] == [2, 4]
    (refusal,) = reading.rejections
    assert (refusal.line, refusal.record) == (3, row[:500])
    assert reason in refusal.reason


def test_quoted_names_may_hold_commas_and_blank_surplus_fields_do_no_harm() -> None:
    reading = read_csv(lines('Sat Aug 16 2014,"Brighton, Hove",2-1,?,Hull', GOOD + ",,"))
    assert [row.home_team for row in reading.rows] == ["Brighton, Hove", "Arsenal"]


def test_a_wrong_weekday_is_no_reason_to_refuse() -> None:
    assert read_csv(lines("Mon Aug 16 2014,Arsenal,2-1,?,Hull")).rows[0].kickoff_date == date(2014, 8, 16)


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Date,Team 1,HT,Team 2", "ft"),
        ("Date,Team 1,FT", "team 2"),
        (",,,", "date, team 1, team 2"),
    ],
)
def test_missing_columns_are_named(header: str, missing: str) -> None:
    with pytest.raises(UnreadableFile, match=missing):
        read_csv(lines("Sat Aug 16 2014,a,b,c", header=header))


@pytest.mark.parametrize("score", ["0-1", "0–1", "0—1", "0−1", "0:1", " 0 - 1 "])
def test_every_dash_is_one_of_a_score(score: str) -> None:
    (row,) = read_csv(lines(f"Sat Aug 16 2014,Arsenal,{score},?,Hull")).rows
    assert (row.home_goals, row.away_goals) == (0, 1)


@pytest.mark.parametrize("score", ["", "?", "-", "- : -", "? - ?", "NaN", "NA", "n/a", "P-P"])
def test_a_match_without_a_score_is_a_fixture(score: str) -> None:
    (row,) = read_csv(lines(f"Sat Aug 16 2014,Arsenal,{score},?,Hull")).rows
    assert (row.home_goals, row.away_goals, row.void) == (None, None, None)


def test_a_mark_behind_the_date_is_read() -> None:
    postponed, abandoned = read_csv(
        lines("Tue Jan 12 2021(P),Burnley,0–1,,Hull", "Tue Jan 12 2021 (abandoned),Leeds,0-1,,Derby")
    ).rows
    assert (postponed.kickoff_date, postponed.home_goals, postponed.void) == (date(2021, 1, 12), 0, None)
    assert "no result of play" in str(abandoned.void)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: lines(*text.split("\n"))))
def test_no_content_makes_the_reader_crash(data: bytes) -> None:
    try:
        reading = read_csv(data)
    except UnreadableFile:
        return
    lines_seen = [row.line for row in reading.rows] + [refusal.line for refusal in reading.rejections]
    assert all(line is not None and line > 1 for line in lines_seen)
    assert len(lines_seen) == len(set(lines_seen))


def test_half_time_belongs_to_the_rows_that_are_read_and_may_be_unknown() -> None:
    reading = read_csv(
        lines(
            "someday,Leeds,3-1,2-1,Hull",
            "Sat Aug 16 2014,Leeds,3-1,2-0,Hull",
            "Sat Aug 16 2014,Derby,3-1,?,Bury",
            'Sat Aug 16 2014,"York",3-1,half,Stoke',
        )
    )
    assert [row.home_team for row in reading.rows] == ["Leeds", "Derby", "York"]
    (measures,) = reading.measures
    assert measures.rows() == [(0, 2, 0), (1, None, None), (2, None, None)]


@pytest.mark.parametrize(
    ("text", "goals"),
    [
        ("1-0", (1, 0)),
        (" 0:2 ", (0, 2)),
        ("(1-0)", (1, 0)),
        ("[2:2]", (2, 2)),
        ("?", (None, None)),
        ("", (None, None)),
        ("1-0 (*)", (None, None)),
    ],
)
def test_a_half_time_score_is_two_numbers_or_unknown(text: str, goals: tuple[int | None, int | None]) -> None:
    assert parse_half_time(text) == goals


@pytest.mark.parametrize("half_time", [True, False])
def test_expected_goals_beside_results_are_read_for_their_row(half_time: bool) -> None:
    header = "Date,Team 1,FT,Team 2,home_xg,away_xg" + ",HT" * half_time
    rows = (
        "2014-08-16,Arsenal,bad,Hull,9,9",
        "2014-08-17,Leeds,2-1,Derby,1.5,0.7",
        "2014-08-18,Bury,1-0,York,,",
    )
    reading = read_csv("\n".join([header, *(row + ",1-0" * half_time for row in rows)]).encode())
    (measures,) = reading.measures
    expected_goals = ["place", "home_expected_goals", "away_expected_goals"]
    assert measures.select(expected_goals).rows() == [(0, 1.5, 0.7), (1, None, None)]
    if half_time:
        assert measures["home_half_time_goals"].to_list() == [1, 1]
