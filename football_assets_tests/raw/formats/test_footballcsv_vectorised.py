"""The reader of many plain footballcsv files: it says what the reader of one says, or leaves the file to it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.raw.formats.footballcsv_vectorised import HEADER, read_plain
from football_assets.raw.formats.reader import read_results
from football_assets.raw.formats.records import RECORD_CHARACTERS

GOOD = "Sat Aug 16 2014,Arsenal,2-1,1-1,Crystal Palace"
FIELDS = ("line", "record", "kickoff_date", "home_team", "away_team", "home_goals", "away_goals", "void")
HALF_TIME = ("home_half_time_goals", "away_half_time_goals")
ODD_LINES = (
    "Sat Aug 16 2014,Arsenal,2-1",
    "Sat Aug 16 2014,Arsenal,2-1,1-1,Crystal Palace,",
    'Sat Aug 16 2014,"Arsenal",2-1,1-1,Crystal Palace',
    "Mon Feb 30 2015,Arsenal,2-1,?,Hull",
    "Sat Aug 16 2014,Arsenal,2-1 aet,?,Hull",
    "16/08/2014,Arsenal,2-1,?,Hull",
    "2014-08-16 20:00,Arsenal,2-1,?,Hull",
    HEADER,
    f"Sat Aug 16 2014,{'x' * RECORD_CHARACTERS},2-1,?,Hull",
    f"{GOOD}\r{GOOD}",
    f"{GOOD}\0",
    f"{GOOD}\x1a",
)


def file_of(*lines: str, end: str = "\n") -> bytes:
    return (end.join([HEADER, *lines]) + end).encode()


def assert_read_alike(files: dict[int, bytes]) -> None:
    rows = read_plain(files)
    expected = [
        (number, *(getattr(row, name) for name in FIELDS))
        for number, data in files.items()
        if number in set(rows["file"])
        for row in read_results("csv", data).rows
    ]
    assert rows.select("file", *FIELDS).rows() == expected
    half_times = [
        half_time
        for number, data in files.items()
        if number in set(rows["file"])
        for frame in read_results("csv", data).measures
        for half_time in frame.select(HALF_TIME).rows()
    ]
    assert rows.select(HALF_TIME).rows() == half_times
    assert not any(read_results("csv", files[number]).rejections for number in set(rows["file"]))


def test_plain_files_are_read_with_their_lines_and_marks() -> None:
    files = {
        4: file_of(GOOD, "", " ,", "2014-08-17,Köln,?,?, Hull "),
        7: file_of("Sun Aug 17 2014,Hull,3-0 (*),,Leeds", end="\r\n"),
    }
    rows = read_plain(files)
    assert rows.select("file", "line", "home_team", "away_team", "home_goals").rows() == [
        (4, 2, "Arsenal", "Crystal Palace", 2),
        (4, 5, "Köln", " Hull ", None),
        (7, 2, "Hull", "Leeds", 3),
    ]
    assert rows["kickoff_date"].to_list() == [date(2014, 8, 16), date(2014, 8, 17), date(2014, 8, 17)]
    assert "awarded" in rows["void"][2]
    assert_read_alike(files)


@pytest.mark.parametrize("odd", ODD_LINES)
def test_a_file_with_an_odd_line_is_left_to_the_reader_of_one_and_keeps_no_other_from_being_read(
    odd: str,
) -> None:
    assert set(read_plain({0: file_of(GOOD, odd), 1: file_of(GOOD)})["file"]) == {1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEADER.encode(),
        b"\xef\xbb\xbf" + file_of(GOOD),
        file_of("Sat Aug 16 2014,M\u00e1laga,1-0,?,Hull").decode().encode("latin-1"),
        file_of(GOOD).replace(b"HT", b"Round"),
    ],
)
def test_other_content_is_left_to_the_reader_of_one(data: bytes) -> None:
    assert read_plain({0: data}).is_empty()


texts = st.text(max_size=12) | st.sampled_from(
    (
        "Sat Aug 16 2014",
        "16/08/2014",
        "8/16/2014",
        "2014-08-16 20:00",
        "2-1",
        "?",
        "a.w.",
        "Leeds",
        " ",
        "",
        '"',
        ";",
    )
)
records = st.lists(texts, min_size=4, max_size=6).map(",".join) | st.sampled_from((GOOD, *ODD_LINES))


@given(
    st.lists(st.lists(records, max_size=4), max_size=3),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["", "sep=,\n", "\n", "# results\n"]),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_whatever_the_lines_and_however_they_are_written_both_readers_say_the_same(
    listed: list[list[str]], end: str, encoding: str, above: str, delimiter: str
) -> None:
    assert_read_alike(
        {
            number: (above + file_of(*lines, end=end).decode().replace(",", delimiter)).encode(encoding)
            for number, lines in enumerate(listed)
        }
    )
