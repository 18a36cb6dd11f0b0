"""Detection of formats, and reading a file in whichever format it has."""

import pytest

from football_assets.raw.formats.csv_table import CsvFormat
from football_assets.raw.formats.reader import detect_extension, detect_format, read_csv, read_results
from football_assets.raw.formats.records import RECORD_CHARACTERS, Rejection, UnreadableFile

FOOTBALLCSV = b"Date,Team 1,FT,HT,Team 2\nSat Aug 16 2014,Leeds,2-1,?,Hull\n"
FOOTBALL_DATA = b"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,16/08/14,Arsenal,Hull,2,1\n"


@pytest.mark.parametrize(
    ("data", "extension"),
    [
        (b'\xef\xbb\xbf {"matches": []}', "json"),
        (b'{"rounds": []}', "json"),
        (b"\nDATE,Team 1,FT,Team 2\n", "csv"),
    ],
)
def test_the_content_says_the_format(data: bytes, extension: str) -> None:
    assert detect_extension(data) == extension


@pytest.mark.parametrize("data", [b"# Notes", b"[1, 2]", b'{"clubs": []}', b"{", b"Div,Date,HomeTeam\n"])
def test_content_in_no_format_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile):
        detect_extension(data)


def test_only_a_csv_with_another_header_than_the_usual_one_is_taken_apart() -> None:
    assert detect_format(FOOTBALLCSV) == ("csv", None)
    assert detect_format(b'{"matches": []}') == ("json", None)
    extension, table = detect_format(FOOTBALL_DATA)
    assert (extension, table and [section.format for section in table.sections]) == (
        "csv",
        [CsvFormat.FOOTBALL_DATA],
    )


def test_the_header_decides_the_parser() -> None:
    (one,), (other,) = read_csv(FOOTBALLCSV).rows, read_csv(FOOTBALL_DATA).rows
    assert (one.home_team, one.home_goals, one.away_goals) == ("Leeds", 2, 1)
    assert (other.home_team, other.home_goals, other.away_goals) == ("Arsenal", 2, 1)


def test_a_line_above_the_header_is_a_rejection_before_those_of_the_rows() -> None:
    parsed = read_csv(b"Results of 2014\n" + FOOTBALLCSV + b"someday,Hull,1-0,?,Leeds\n")
    assert [(rejection.line, rejection.record) for rejection in parsed.rejections] == [
        (1, "Results of 2014"),
        (4, "someday,Hull,1-0,?,Leeds"),
    ]
    assert parsed.rejections[0].reason == "The line is above the header and is not a match."


def test_a_file_of_the_competition_is_sent_to_the_command_that_rebuilds_it() -> None:
    for header in (b"id,home_team_history_goal_1\n", b"id,score,target\n"):
        with pytest.raises(UnreadableFile, match="land its folder with `football land`"):
            read_csv(header)


def test_an_unreadable_file_is_one_rejection_with_the_start_of_its_text() -> None:
    data = b"notes\0" + b"x" * 2 * RECORD_CHARACTERS
    parsed = read_results("csv", data)
    assert parsed.rows == []
    (rejection,) = parsed.rejections
    assert rejection == Rejection(
        None,
        None,
        "notes " + "x" * (RECORD_CHARACTERS - 6),
        "The file is binary, not text: land the unpacked results.",
    )


def test_the_extension_of_a_landing_object_decides_between_json_and_csv() -> None:
    assert [row.home_team for row in read_results("csv", FOOTBALLCSV).rows] == ["Leeds"]
    (rejection,) = read_results("json", FOOTBALLCSV).rejections
    assert rejection.reason.startswith("The file is broken JSON")
