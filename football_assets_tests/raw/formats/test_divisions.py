"""Which division the rows of football-data.co.uk's files are of."""

import pytest

from football_assets.raw.formats.csv_table import CsvSection, read_csv_table
from football_assets.raw.formats.divisions import (
    SectionDivisions,
    check_division,
    divisions_of,
    label_of,
    leagues_of,
    places_of,
)
from football_assets.raw.formats.reader import read_csv
from football_assets.raw.formats.records import UnusableRecord, WrongDivision
from football_assets_tests.raw.formats.test_football_data import EXTRA, GOOD, HEADER, NEWELLS, lines

MAIN = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG"


def section_of(*rows: str, header: str = MAIN) -> CsvSection:
    (section,) = read_csv_table(lines(*rows, header=header)).sections
    return section


def test_a_file_of_another_division_than_its_place_is_refused_as_a_whole() -> None:
    data = lines("SP1,11/08/2023,Almeria,Vallecano,0,2,A", header=HEADER)
    with pytest.raises(
        WrongDivision, match=r"of SP1 \(La Liga, es\.1\), but its name says Premier League \(eng\.1\)"
    ):
        read_csv(data, "eng.1")
    assert len(read_csv(data, "es.1").rows) == 1


def test_the_place_of_a_file_says_which_of_two_divisions_is_its_own() -> None:
    other = "E1,16/08/14,Leeds,Hull,2,1,H"
    reading = read_csv(lines(other, GOOD, other), "eng.1")
    assert [row.line for row in reading.rows] == [3]
    assert [refusal.line for refusal in reading.rejections] == [2, 4]
    assert reading.rejections[0].reason == "The row is of division 'E1', the file of 'E0'."


def test_a_division_that_is_not_known_is_that_of_the_files_place_unless_others_are_known() -> None:
    mine = "Premier,16/08/14,Leeds,Hull,2,1,H"
    assert len(read_csv(lines(mine, mine), "eng.1").rows) == 2
    reading = read_csv(lines(GOOD, mine), "eng.1")
    assert [row.line for row in reading.rows] == [2]
    assert "which is not known" in reading.rejections[0].reason


def test_a_row_without_a_division_is_of_the_files() -> None:
    assert len(read_csv(lines(GOOD, ",17/08/14,Leeds,Hull,2,1,H"), "eng.1").rows) == 2


def test_an_extra_league_of_another_country_than_the_files_place_is_refused() -> None:
    with pytest.raises(WrongDivision, match="of Argentina, Liga Profesional"):
        read_csv(lines(NEWELLS, header=EXTRA), "br.1")


def test_divisions_are_listed_by_their_number_of_rows() -> None:
    section = section_of("SP1,1/8/14,a,b,1,0", "E0,1/8/14,c,d,1,0", "E0,2/8/14,e,f,1,0", ",2/8/14,g,h,1,0")
    assert divisions_of(section) == ["E0", "SP1"]


def test_each_record_has_the_league_of_its_own_label() -> None:
    section = section_of("SP1,1/8/14,a,b,1,0", "e0,1/8/14,c,d,1,0", "XX,2/8/14,e,f,1,0", ",2/8/14,g,h,1,0")
    assert leagues_of(section) == ["es.1", "eng.1", None, None]


def test_a_format_without_divisions_has_none() -> None:
    section = section_of("2014-08-16,Leeds,2-1,?,Hull", header="Date,Team 1,FT,HT,Team 2")
    assert (divisions_of(section), leagues_of(section)) == ([], [None])


def test_an_extra_leagues_label_is_country_and_league() -> None:
    section = section_of(
        "Denmark,Superliga,2012/2013,14/07/2012,a,b,2,1", header="Country,League,Season,Date,Home,Away,HG,AG"
    )
    assert (divisions_of(section), leagues_of(section)) == (["Denmark, Superliga"], ["dk.1"])


def test_a_file_without_a_row_of_its_league_is_of_another_division() -> None:
    section = section_of("SP1,1/8/14,a,b,1,0", "E0,1/8/14,c,d,1,0")
    check_division([section], "eng.1")
    check_division([section_of("XX,1/8/14,a,b,1,0")], "eng.1")  # an unknown division contradicts nothing
    with pytest.raises(
        WrongDivision, match=r"of SP1 \(La Liga, es\.1\), but its name says Bundesliga \(de\.1\)"
    ):
        check_division([section], "de.1")


def test_without_a_league_the_most_frequent_division_is_that_of_the_file() -> None:
    section = section_of("SP1,1/8/14,a,b,1,0", "E0,1/8/14,c,d,1,0", "E0,2/8/14,e,f,1,0")
    divisions = SectionDivisions(section, None)
    assert divisions.league_id == "eng.1"
    divisions.check(("E0",))
    divisions.check(("",))
    with pytest.raises(UnusableRecord, match="of division 'SP1', the file of 'E0'"):
        divisions.check(("SP1",))


def test_a_missing_column_and_a_short_record_have_an_empty_label() -> None:
    section = section_of("E0,1/8/14,a,b,1,0")
    assert places_of(section.names, ("div", "league")) == (0, 6)
    assert label_of(section.records[0], (0, 6)) == ("E0", "")
