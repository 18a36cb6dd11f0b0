"""The reader of football-data.co.uk files."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.raw.formats.football_data import ODDS
from football_assets.raw.formats.reader import detect_extension, read_csv
from football_assets.raw.formats.records import UnreadableFile

HEADER = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR"
GOOD = "E0,16/08/14,Arsenal,Crystal Palace,2,1,H"
HEADER_OF_TODAY = (
    "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HTR,Referee,HS,AS,B365H,B365D,B365A,"
    "AvgH,AvgD,AvgA,B365CH,B365CD,B365CA,AvgCH,AvgCD,AvgCA"
)


def lines(*rows: str, header: str = HEADER, end: str = "\n") -> bytes:
    return (end.join([header, *rows]) + end).encode()


def test_a_row_becomes_a_match_with_its_line() -> None:
    reading = read_csv(lines(GOOD, "E0,17/08/2014,Leeds,Hull,0,3,A"))
    first, second = reading.rows
    assert (first.line, first.kickoff_date, first.home_team, first.away_team) == (
        2,
        date(2014, 8, 16),
        "Arsenal",
        "Crystal Palace",
    )
    assert (first.home_goals, first.away_goals, first.record) == (2, 1, GOOD)
    assert (first.kickoff_time, first.round, first.odds_home) == (None, None, None)
    assert (second.line, second.kickoff_date) == (3, date(2014, 8, 17))
    assert (second.home_goals, second.away_goals) == (0, 3)
    assert reading.rejections == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("14/08/93", date(1993, 8, 14)),
        ("01/01/00", date(2000, 1, 1)),
        ("9/2/05", date(2005, 2, 9)),
        ("09/02/2005", date(2005, 2, 9)),
    ],
)
def test_years_of_two_and_of_four_digits_are_read_day_first(text: str, day: date) -> None:
    assert read_csv(lines(f"E0,{text},a,b,1,0,H")).rows[0].kickoff_date == day


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_change_nothing(end: str, mark: bytes) -> None:
    assert read_csv(mark + lines(GOOD, end=end)) == read_csv(lines(GOOD))


def test_latin_1_names_are_read_even_behind_a_byte_order_mark() -> None:
    data = lines("SP1,16/08/2014,Málaga,Almería,1,0,H").decode().encode("latin-1")
    for start in (b"", b"\xef\xbb\xbf"):
        row = read_csv(start + data).rows[0]
        assert (row.home_team, row.away_team) == ("Málaga", "Almería")


def test_blank_rows_and_blank_surplus_fields_do_no_harm() -> None:
    reading = read_csv(lines(GOOD + ",,,", ",,,,,,", "", GOOD, ",,,,,,,,,,", " "))
    assert [row.line for row in reading.rows] == [2, 5]
    assert reading.rejections == []


def test_a_match_without_goals_is_a_fixture() -> None:
    (row,) = read_csv(lines("E0,16/08/2014,Leeds,Hull,,,")).rows
    assert (row.home_goals, row.away_goals) == (None, None)


def test_older_names_of_columns_are_known_where_the_newer_are_missing() -> None:
    data = lines("G1,25/08/01,Aris,Xanthi,1,2,A", header="Div,Date,HT,AT,FTHG,FTAG,FTR")
    (row,) = read_csv(data).rows
    assert (row.home_team, row.away_team, row.away_goals) == ("Aris", "Xanthi", 2)


def test_odds_are_the_average_at_kickoff_then_the_earlier_average_then_a_bookmakers() -> None:
    start = "E0,12/09/2020,12:30,Fulham,Arsenal,0,3,A,0,1,A,C Kavanagh,5,13"
    b365, average, b365_closing, closing = "6,4.33,1.53", "5.94,4.34,1.55", "5,4,1.66", "5.36,3.93,1.67"
    rows = (
        f"{start},{b365},{average},{b365_closing},{closing}",
        f"{start},{b365},{average},{b365_closing},5.36,,1.67",
        f"{start},{b365},,,,{b365_closing},,,",
        f"{start},{b365},,,,,,,,,",
        f"{start},{b365}",
        f"{start},1,0,inf,-,2,3",
        start,
    )
    reading = read_csv(lines(*rows, header=HEADER_OF_TODAY))
    assert [(row.odds_home, row.odds_draw, row.odds_away) for row in reading.rows] == [
        (5.36, 3.93, 1.67),
        (5.94, 4.34, 1.55),
        (5.0, 4.0, 1.66),
        (6.0, 4.33, 1.53),
        (6.0, 4.33, 1.53),
        (None, None, None),
        (None, None, None),
    ]
    assert reading.rejections == []


@pytest.mark.parametrize("prefix", ODDS)
def test_odds_of_every_known_kind_are_read_where_they_are_all_there_is(prefix: str) -> None:
    data = lines(f"{GOOD},2.5,3.1,2.9", header=f"{HEADER},{prefix}H,{prefix}D,{prefix}A")
    (row,) = read_csv(data).rows
    assert (row.odds_home, row.odds_draw, row.odds_away) == (2.5, 3.1, 2.9)


def test_fields_beyond_the_header_cost_the_odds_not_the_result() -> None:
    header = f"{HEADER},Referee,HS,B365H,B365D,B365A"
    moved, whole = read_csv(
        lines(GOOD + ",Dean, M,12,2.5,3.1,2.9", GOOD + ",Dean,12,2.5,3.1,2.9,", header=header)
    ).rows
    assert (moved.home_goals, moved.away_goals, moved.odds_home) == (2, 1, None)
    assert (whole.odds_home, whole.odds_draw, whole.odds_away) == (2.5, 3.1, 2.9)


def test_measures_belong_to_the_rows_that_are_read() -> None:
    header = f"{HEADER},HS,AS,AvgCH,AvgCD,AvgCA"
    reading = read_csv(
        lines(
            f"{GOOD},9,8,2,3,4",
            "E0,16/08/14,Arsenal,Hull,x,1,A,1,1,2,3,4",
            f"{GOOD},5,6,1.5,4,7",
            header=header,
        )
    )
    assert len(reading.rows) == 2
    (measures,) = reading.measures
    names = ["place", "home_shots", "away_shots", "closing_odds_home"]
    assert measures.select(names).rows() == [(0, 9, 8, 2), (1, 5, 6, 1.5)]


def test_fields_beyond_the_header_cost_the_measures() -> None:
    reading = read_csv(lines(f"{GOOD},9,8", f"{GOOD},9,8,1", header=f"{HEADER},HS,AS"))
    (measures,) = reading.measures
    assert measures.rows() == [(0, 9, 8), (1, None, None)]


def test_measures_of_two_sections_keep_their_rows() -> None:
    reading = read_csv(lines(f"{GOOD},9,8", f"{HEADER},HC,AC", f"{GOOD},5,4", header=f"{HEADER},HS,AS"))
    assert [frame.rows() for frame in reading.measures] == [[(0, 9, 8)], [(1, 5, 4)]]


@pytest.mark.parametrize(
    ("header", "row", "group"),
    [
        ("HG,AG,Res,AvgH,AvgD,AvgA", "2,1,H,2,3,4", "closing_odds"),
        ("AvgH,AvgD,AvgA", "2,3,4", "pre_match_odds"),
    ],
)
def test_odds_of_extra_leagues_are_closing_ones_for_results_alone(header: str, row: str, group: str) -> None:
    start = "Country,League,Season,Date,Home,Away"
    reading = read_csv(lines(f"Austria,Bundesliga,2014/2015,16/08/14,a,b,{row}", header=f"{start},{header}"))
    (measures,) = reading.measures
    assert measures.to_dicts() == [{"place": 0, f"{group}_home": 2, f"{group}_draw": 3, f"{group}_away": 4}]


@pytest.mark.parametrize(
    ("division", "clock", "day", "told"),
    [
        ("E0", "20:00", 16, time(20)),
        ("SC0", "12:30", 16, time(12, 30)),
        ("P1", "20:15", 16, time(20, 15)),
        ("D1", "19:30", 16, time(20, 30)),
        ("G1", "18:00", 16, time(20)),
        ("SP1", "23:00", 17, time(0)),
        ("E0", "", 16, None),
        ("E0", "late", 16, None),
        ("X9", "20:00", 16, None),
    ],
)
def test_a_time_of_the_united_kingdom_is_told_where_the_match_is(
    division: str, clock: str, day: int, told: time | None
) -> None:
    data = lines(f"{division},16/08/2019,{clock},a,b,1,0", header="Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG")
    (row,) = read_csv(data).rows
    assert (row.kickoff_date, row.kickoff_time) == (date(2019, 8, day), told)


def test_turkey_has_no_winter_time() -> None:
    header = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG"
    summer, winter = read_csv(
        lines("T1,16/08/2019,17:45,a,b,1,0", "T1,18/01/2020,16:00,a,c,1,0", header=header)
    ).rows
    assert (summer.kickoff_time, winter.kickoff_time) == (time(19, 45), time(19))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("E0,16/08/14,Arsenal,Leeds,2", "short: 5 of 7"),
        ("E0,30/02/2015,Arsenal,Hull,2,1,H", "does not exist"),
        ("E0,2014-08,Arsenal,Hull,2,1,H", "is not like"),
        ("E0,,Arsenal,Hull,2,1,H", "no date"),
        ("E0,16/08/14,Arsenal,Hull,two,1,H", "'two' is not a whole number"),
        ("E0,16/08/14,Arsenal,Hull,2,1.5,H", "'1.5' is not a whole number"),
        ("E0,16/08/14,Brighton, Hove,Hull,2,1,H", "'Hull' is not a whole number"),
        ("E1,16/08/14,Arsenal,Hull,2,1,H", "division 'E1', the file of 'E0'"),
        ('E0,16/08/14,"Arsenal,Hull,2,1,H', "short"),
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


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Div,Date,HomeTeam,AwayTeam,FTHG", "ftag"),
        ("Div,Date,HomeTeam,AwayTeam,FTR", "fthg, ftag"),
        ("Div,Date,HomeTeam,AwayTeam,HS,AS", "fthg, ftag"),
        ("Div,Date,HomeTeam,AwayTeam,HomeGoals,AwayGoals", "fthg, ftag"),
        ("Date,Home,Away,Score", "hg, ag"),
        ("Div,Date", "awayteam, hometeam"),
    ],
)
def test_missing_columns_are_named(header: str, missing: str) -> None:
    data = lines("E0,16/08/14,a,b,1", header=header)
    for reader in (read_csv, detect_extension):
        with pytest.raises(UnreadableFile, match=missing):
            reader(data)


def test_the_header_tells_the_two_kinds_of_csv_apart() -> None:
    ours = read_csv(lines(GOOD)).rows
    other = read_csv(b"\n,,\nDate,Team 1,FT,HT,Team 2\nSat Aug 16 2014,Arsenal,2-1,1-1,Crystal Palace\n").rows
    assert [row[3:9] for row in ours] == [row[3:9] for row in other]
    assert len(ours) == 1
    assert detect_extension(lines(GOOD)) == "csv"


FIXTURES = "Div,Date,Time,HomeTeam,AwayTeam,Referee,B365H,B365D,B365A"


def test_a_list_without_columns_of_goals_is_one_of_fixtures_with_their_odds() -> None:
    (row,) = read_csv(lines("E0,05/12/2026,15:00,Burnley,Man City,,8,5.5,1.33", header=FIXTURES)).rows
    assert (row.home_team, row.away_team, row.home_goals, row.away_goals) == (
        "Burnley",
        "Man City",
        None,
        None,
    )
    assert (row.kickoff_date, row.kickoff_time) == (date(2026, 12, 5), time(15))
    assert (row.odds_home, row.odds_draw, row.odds_away) == (8.0, 5.5, 1.33)


@pytest.mark.parametrize(
    "header",
    [
        "date,home,away,xG_home,xG_away",
        "Date,HomeTeam,AwayTeam,home_xg,away_xg",
        "Date,Home,Away,home_xg",
        "date,home,away,HomeXG,AwayXG",
        "date,home,away,Expected 1,Expected 2",
    ],
)
def test_expected_goals_in_other_columns_are_rejected_and_make_no_fixtures(header: str) -> None:
    with pytest.raises(
        UnreadableFile, match=r"must be like 'date,league,home,away,home_xg,away_xg', or like '"
    ):
        detect_extension(lines("2014-08-16,Arsenal,Hull,1.5,0.7", header=header))


def test_expected_goals_beside_results_of_the_main_format_are_read() -> None:
    reading = read_csv(lines('E0,16/08/14,Arsenal,Hull,2,1,H,"1,5",0.7', header=f"{HEADER},home_xg,away_xg"))
    (measures,) = reading.measures
    assert measures.select("home_expected_goals", "away_expected_goals").rows() == [(1.5, 0.7)]
    assert [row.is_addition for row in reading.rows] == [False]


EXTRA = (
    "Country,League,Season,Date,Time,Home,Away,HG,AG,Res,PSCH,PSCD,PSCA,MaxCH,MaxCD,MaxCA,AvgCH,AvgCD,AvgCA"
)
NEWELLS = (
    "Argentina,Liga Profesional,2023,27/01/2023,22:00,Newells Old Boys,Platense,1,0,H,2.0,3.2,4.2,2.1,3.3,4.3,"
    "1.9,3.1,4.1"
)


def test_an_extra_league_is_read_with_its_odds_and_the_time_at_the_ground() -> None:
    (row,) = read_csv(lines(NEWELLS, header=EXTRA), "ar.1").rows
    assert (row.home_team, row.away_team, row.home_goals, row.away_goals) == (
        "Newells Old Boys",
        "Platense",
        1,
        0,
    )
    assert (row.kickoff_date, row.kickoff_time) == (date(2023, 1, 27), time(19))
    assert (row.odds_home, row.odds_draw, row.odds_away) == (1.9, 3.1, 4.1)


def test_a_night_of_the_americas_is_the_day_before_that_of_the_united_kingdom() -> None:
    row = "Brazil,Serie A,2023,27/08/2023,01:30,Flamengo RJ,Santos,2,1,H"
    (match,) = read_csv(lines(row, header="Country,League,Season,Date,Time,Home,Away,HG,AG,Res")).rows
    assert (match.kickoff_date, match.kickoff_time) == (date(2023, 8, 26), time(21, 30))


@pytest.mark.parametrize("league_id", ["jp.1", "us.1", "eng.1", "xx.1"])
def test_times_of_a_plain_file_are_those_at_the_ground(league_id: str) -> None:
    header = "date,time,home,away,hg,ag"
    (match,) = read_csv(lines("2014-08-16,19:00,Kashima,Urawa,2,1", header=header), league_id).rows
    assert (match.kickoff_date, match.kickoff_time) == (date(2014, 8, 16), time(19))


def test_times_of_a_plain_file_with_a_zone_are_converted() -> None:
    header = "date,home,away,hg,ag"
    (match,) = read_csv(lines("2014-08-16T19:00:00Z,Kashima,Urawa,2,1", header=header), "jp.1").rows
    assert (match.kickoff_date, match.kickoff_time) == (date(2014, 8, 17), time(4))


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("PH,PD,PA,MaxH,MaxD,MaxA", "2.5,3.1,2.9,,,"),
        ("AvgH,AvgD,AvgA,PH,PD,PA", "2.5,3.1,2.9,3,3,3"),
    ],
)
def test_the_older_odds_of_an_extra_league_are_read(header: str, fields: str) -> None:
    row = f"Denmark ,Superliga ,2012/2013,14/07/2012,Brondby,Aarhus,2,1,H,{fields}"
    data = lines(row, header=f"Country,League,Season,Date,Home,Away,HG,AG,Res,{header}")
    (match,) = read_csv(data, "dk.1").rows
    assert (match.odds_home, match.odds_draw, match.odds_away) == (2.5, 3.1, 2.9)


def test_a_row_with_more_fields_than_columns_is_on_record_with_the_measures_that_it_loses() -> None:
    header = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HS,AS,B365H,B365D,B365A"
    row = "E0,11/08/2023,Burnley,Man City,0,3,A,6,17,8,5,5,5,1,33"  # odds with a comma, delimited by commas
    reading = read_csv(lines(row, "E0,12/08/2023,Arsenal,Hull,2,1,H,9,3,1.5,4,7,,,", header=header))
    shifted, whole = reading.rows
    assert (shifted.home_goals, shifted.away_goals, shifted.odds_home) == (0, 3, None)
    assert (whole.odds_home, whole.odds_away) == (1.5, 7.0)
    (report,) = reading.rejections
    assert (report.line, report.record) == (2, row)
    assert "15 fields, the header 12 columns" in report.reason
    assert set((report.left_out or "").split(", ")) == {
        *("odds_home", "odds_draw", "odds_away", "home_shots", "away_shots"),
        *("bookmaker_odds_home", "bookmaker_odds_draw", "bookmaker_odds_away"),
    }
    (measures,) = reading.measures
    assert measures["home_shots"].to_list() == [None, 9.0]


def test_a_row_with_more_fields_than_columns_loses_nothing_where_there_are_no_measures() -> None:
    reading = read_csv(lines("E0,11/08/2023,Burnley,Man City,0,3,A,more"))
    assert (len(reading.rows), reading.rejections) == (1, [])


def test_an_extra_leagues_fixtures_have_no_goals_and_its_cup_is_a_stage() -> None:
    header = "Country,League,Date,Time,Home,Away,PSH,PSD,PSA"
    league, cup = read_csv(
        lines(
            "Argentina,Liga Profesional,10/10/2026,23:15,Boca Juniors,River Plate,,,",
            "Argentina,Copa De La Liga Profesional,17/10/2026,,Lanus,Tigre,2,3,4",
            header=header,
        )
    ).rows
    assert (league.home_goals, league.round, league.kickoff_time) == (None, None, time(19, 15))
    assert (cup.round, cup.kickoff_time, cup.odds_home) == ("Copa De La Liga Profesional", None, 2.0)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: lines(*text.split("\n"))))
def test_no_content_makes_the_reader_crash(data: bytes) -> None:
    try:
        reading = read_csv(data)
    except UnreadableFile:
        return
    rejected = [refusal.line for refusal in reading.rejections if refusal.left_out is None]
    lines_seen = [row.line for row in reading.rows] + rejected
    assert all(line is not None and line > 1 for line in lines_seen)
    assert len(lines_seen) == len(set(lines_seen))
