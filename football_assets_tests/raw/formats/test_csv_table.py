"""What is decided for a CSV file as a whole: encoding, delimiter, header and the order of day and month."""

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.raw.formats.csv_table import CsvFormat, CsvRecord, read_csv_table
from football_assets.raw.formats.dates import DateOrder
from football_assets.raw.formats.reader import detect_extension, read_csv, read_results
from football_assets.raw.formats.records import MatchRow, UnreadableFile

HEADER = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,AvgH,AvgD,AvgA"
MATCHES = (
    "E0,11/08/2023,20:00,Burnley,Man City,0,3,A,8.02,5.33,1.36",
    "E0,12/08/2023,12:30,Arsenal,Nott'm Forest,2,1,H,1.18,7.2,14.9",
    "E0,13/08/2023,16:30,Chelsea,Liverpool,1,1,D,2.9,3.5,2.4",
    "E0,02/09/2023,15:00,Burnley,Tottenham,,,,4.1,4,1.8",
)
FILES = {
    CsvFormat.FOOTBALL_DATA: (HEADER, *MATCHES),
    CsvFormat.FOOTBALLCSV: (
        "Date,Team 1,FT,HT,Team 2",
        "Fri Aug 11 2023,Burnley,0-3,0-2,Man City",
        "Sat Aug 12 2023,Málaga,2-1,?,Almería",
    ),
    CsvFormat.EXTRA_LEAGUE: (
        "Country,League,Season,Date,Time,Home,Away,HG,AG,Res,AvgCH,AvgCD,AvgCA",
        "Denmark,Superliga,2023/2024,21/07/2023,18:00,Silkeborg,Nordsjaelland,1,0,H,3,3.4,2.2",
        "Denmark,Superliga,2023/2024,23/07/2023,15:00,Brondby,Lyngby,,,,1.6,4,5",
    ),
    CsvFormat.FIVETHIRTYEIGHT: (
        "date,league,team1,team2,prob1,prob2,probtie,score1,score2,xg1,xg2,nsxg1,nsxg2",
        "2016-08-13,Barclays Premier League,Hull City,Leicester City,0.35,0.35,0.3,2.0,1.0,0.85,2.77,0.17,1.25",
        "2016-08-14,Barclays Premier League,Arsenal,Liverpool,0.45,0.29,0.26,,,,,,",
    ),
    CsvFormat.EXPECTED_GOALS: (
        "date,league,home,away,home_xg,away_xg",
        "2016-08-13,eng.1,Hull,Leicester,0.85,2.77",
    ),
}


def file_of(*lines: str, end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


def meaning(data: bytes) -> list[MatchRow]:
    """The rows of a file without where they stand in it."""
    reading = read_csv(data)
    assert reading.rejections == []
    return [row._replace(line=None, record="") for row in reading.rows]


PLAIN = meaning(file_of(HEADER, *MATCHES))


@pytest.mark.parametrize("kind", CsvFormat)
def test_the_header_says_the_format(kind: CsvFormat) -> None:
    (section,) = read_csv_table(file_of(*FILES[kind])).sections
    assert section.format is kind
    assert len(read_csv(file_of(*FILES[kind])).rows) == len(FILES[kind]) - 1


@pytest.mark.parametrize("kind", CsvFormat)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("above", ["", "sep={}\n", '"sep={}"\r\n', "\n{0}{0}\n \n", "# source: x\n"])
def test_a_file_means_the_same_however_it_is_written(
    kind: CsvFormat, delimiter: str, encoding: str, above: str
) -> None:
    text = file_of(*FILES[kind]).decode()
    written = above.format(delimiter) + text.replace(",", delimiter)
    assert read_csv_table(written.encode(encoding)).delimiter == delimiter
    assert meaning(written.encode(encoding)) == meaning(text.encode())


@pytest.mark.parametrize(
    "lines",
    [
        (HEADER, HEADER, *MATCHES),
        (HEADER, *MATCHES[:2], HEADER.upper(), *MATCHES[2:]),
        (HEADER, *MATCHES, HEADER),
        (f"{HEADER},,,", *(f"{match},,," for match in MATCHES), ",,,,,,,,,,,,,"),
        (f",{HEADER}", *(f"{number},{match}" for number, match in enumerate(MATCHES))),
        (f"Unnamed: 0,{HEADER}", *(f"{number},{match}" for number, match in enumerate(MATCHES))),
        (HEADER, *(f"{number},{match}" for number, match in enumerate(MATCHES, start=1))),
        tuple(", ".join(f'"{field}"' for field in line.split(",")) for line in (HEADER, *MATCHES)),
        tuple(line.replace(",", " , ") for line in (HEADER, *MATCHES)),
    ],
    ids=[
        "header twice",
        "header between",
        "header at the end",
        "empty columns",
        "index without a name",
        "index that was saved twice",
        "index that the header does not count",
        "quoted",
        "spaced",
    ],
)
def test_repeated_headers_indices_and_quotes_change_nothing(lines: tuple[str, ...]) -> None:
    reading = read_csv(file_of(*lines))
    assert reading.rejections == []
    assert [
        row._replace(line=None, record="", home_team=row.home_team.strip(), away_team=row.away_team.strip())
        for row in reading.rows
    ] == PLAIN


def test_a_second_header_with_other_columns_begins_a_section_of_its_own() -> None:
    data = file_of(
        HEADER, *MATCHES[:2], "Date,AwayTeam,HomeTeam,FTAG,FTHG,Div", "13/08/2023,Liverpool,Chelsea,1,1,E0"
    )
    rows = read_csv(data).rows
    assert [row.home_team for row in rows] == ["Burnley", "Arsenal", "Chelsea"]
    assert [row.line for row in rows] == [2, 3, 5]


def test_a_line_above_the_header_that_says_something_is_on_record() -> None:
    reading = read_csv(file_of("Premier League 2023/24", "", HEADER, *MATCHES))
    assert [row.line for row in reading.rows] == [4, 5, 6, 7]
    assert [(refusal.line, refusal.record) for refusal in reading.rejections] == [
        (1, "Premier League 2023/24")
    ]


def test_a_line_above_the_header_and_an_index_column_have_their_fields() -> None:
    table = read_csv_table(file_of("Premier League,2023/24", HEADER, *(f"7,{match}" for match in MATCHES)))
    assert table.above == [CsvRecord(1, "Premier League,2023/24", ["Premier League", "2023/24"])]
    assert table.sections[0].names == ["", *HEADER.lower().split(",")]


def test_pandas_numbers_and_decimal_commas_are_read() -> None:
    data = file_of(
        ";Div;Date;HomeTeam;AwayTeam;FTHG;FTAG;FTR;AvgH;AvgD;AvgA",
        "0;E0;2023-08-11 00:00:00;Burnley;Man City;0,0;3.0;A;8,02;5,33;1,36",
        "1;E0;2023-08-13 00:00:00;Chelsea;Liverpool;NaN;NaN;NaN;;;",
    )
    played, fixture = read_csv(data).rows
    assert (played.kickoff_date, played.home_goals, played.away_goals) == (date(2023, 8, 11), 0, 3)
    assert (played.odds_home, played.odds_draw, played.odds_away) == (8.02, 5.33, 1.36)
    assert (fixture.kickoff_date, fixture.home_goals, fixture.away_goals) == (date(2023, 8, 13), None, None)


def test_the_order_of_day_and_month_is_decided_for_the_file() -> None:
    rows = ("8/11/2023", "8/12/2023", "8/13/2023", "9/2/2023", "1/6/2024")
    data = file_of("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG", *(f"E0,{day},a,b,1,0" for day in rows))
    assert read_csv_table(data).order is DateOrder.MONTH_FIRST
    assert [row.kickoff_date for row in read_csv(data).rows] == [
        date(2023, 8, 11),
        date(2023, 8, 12),
        date(2023, 8, 13),
        date(2023, 9, 2),
        date(2024, 1, 6),
    ]


@pytest.mark.parametrize("date_column", ["Date", "date", "DATE", "dAtE", " Date ", "\ufeffdate"])
def test_the_case_of_a_column_does_not_matter(date_column: str) -> None:
    data = file_of(f"div,{date_column},HomeTeam,AWAYTEAM,fthg,FtAg", "E0,11/08/2023,a,b,1,0", "\x1a")
    (row,) = read_csv(data).rows
    assert (row.kickoff_date, row.home_goals) == (date(2023, 8, 11), 1)
    assert read_csv(data).rejections == []


def test_a_file_with_both_orders_is_refused_as_a_whole() -> None:
    data = file_of("Date,Team 1,FT,Team 2", "13/08/2023,a,1-0,b", "08/14/2023,c,1-0,d")
    with pytest.raises(UnreadableFile, match="two orders"):
        detect_extension(data)
    (refusal,) = read_results("csv", data).rejections
    assert (refusal.line, "in line 2 is day first" in refusal.reason) == (None, True)


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        (
            b"Div;Date;HomeTeam\nE0;11/08/2023;Burnley\n",
            ["split at semicolons", "lacks the column(s) awayteam"],
        ),
        (
            b"Home\tAway\tScore\na\tb\t1-0\n",
            ["split at tabs", "date, team 1, team 2", "'Date,Team 1,FT,HT,Team 2'"],
        ),
        (b"Country,League,Season,Home,Away\n", ["lacks the column(s) date", "'Country,League,Season,Date"]),
        (b"Burnley 0-3 Man City\n", ["line 1 is 'Burnley 0-3 Man City'", "commas, semicolons, tabs"]),
        (
            "= English Premier League 2023/24\n\n» Matchday 1\n  Fri Aug 11\n    20.00  A v B  0-3\n".encode(),
            ["Football.TXT", "as JSON (openfootball/football.json) or as CSV (footballcsv)."],
        ),
    ],
)
def test_a_file_without_a_header_says_what_was_found_and_what_is_expected(
    data: bytes, reasons: list[str]
) -> None:
    with pytest.raises(UnreadableFile) as error:
        detect_extension(data)
    for reason in reasons:
        assert reason in str(error.value)


junk = st.binary(max_size=8) | st.sampled_from(
    [
        b"\n",
        b"\r",
        b"\0",
        b'"',
        b",",
        b";",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"Date",
        b"13/13/2013",
        b"99999999999",
        b"-",
    ]
)


@settings(max_examples=300)
@given(
    st.sampled_from(list(CsvFormat)),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 20), junk), max_size=6),
    st.sampled_from([None, "eng.1", "dk.1"]),
)
def test_a_spoilt_file_is_rows_and_refusals_with_a_reason_and_never_an_error(
    kind: CsvFormat, encoding: str, spoils: list[tuple[int, int, bytes]], league_id: str | None
) -> None:
    data = file_of(*FILES[kind]).decode().encode(encoding)
    for place, length, replacement in spoils:
        data = data[:place] + replacement + data[place + length :]
    assert_is_rows_and_refusals(data, league_id)


@settings(max_examples=300)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode), st.sampled_from([None, "eng.1"]))
def test_no_bytes_are_an_error(data: bytes, league_id: str | None) -> None:
    assert_is_rows_and_refusals(data, league_id)


def test_shuffled_bytes_are_no_error() -> None:
    chance = random.Random(7)
    for kind in CsvFormat:
        data = bytearray(file_of(*FILES[kind]))
        for _ in range(100):
            chance.shuffle(data)
            assert_is_rows_and_refusals(bytes(data), None)


def assert_is_rows_and_refusals(data: bytes, league_id: str | None) -> None:
    for extension in ("csv", "json"):
        reading = read_results(extension, data, league_id)
        assert all(refusal.reason for refusal in reading.rejections)
        rejected = [refusal.line for refusal in reading.rejections if refusal.left_out is None]
        lines = [row.line for row in reading.rows] + rejected
        assert extension == "json" or len(lines) == len(set(lines))


@pytest.mark.parametrize("second", [HEADER, "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG", f"\ufeff{HEADER}"])
@pytest.mark.parametrize("league_id", [None, "eng.1"])
def test_files_joined_without_a_line_end_between_them_are_rejected_with_the_line(
    second: str, league_id: str | None
) -> None:
    data = file_of(HEADER, MATCHES[0], f"{MATCHES[1]}{second}", MATCHES[2])
    with pytest.raises(UnreadableFile) as error:
        read_csv(data, league_id)
    assert str(error.value) == (
        f"Line 3 is a match and the header of another file, '{f'{MATCHES[1]}{second}'[:80]}': begin a line before that "
        "header."
    )
