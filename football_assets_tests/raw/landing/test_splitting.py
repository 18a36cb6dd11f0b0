"""Files that span seasons or leagues, split into one a season and league."""

import pytest

from football_assets.raw.formats.csv_table import read_csv_table
from football_assets.raw.formats.reader import read_csv
from football_assets.raw.formats.records import UnreadableFile
from football_assets.raw.landing.splitting import (
    FilePart,
    competitions_left_out,
    names_no_division,
    spans_leagues,
    split_by_season_and_league,
)

EXTRA = "Country,League,Season,Date,Home,Away,HG,AG,Res"
MAIN = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG"
FIXTURES = "Div,Date,Time,HomeTeam,AwayTeam,Referee,B365H,B365D,B365A"


def parts_of(
    *lines: str, season: str | None = None, league_id: str | None = None
) -> dict[tuple[str, str], FilePart]:
    table = read_csv_table(("\n".join(lines) + "\n").encode())
    return {
        (part.season, part.league_id): part for part in split_by_season_and_league(table, season, league_id)
    }


def test_an_extra_league_is_split_by_its_seasons() -> None:
    parts = parts_of(
        EXTRA,
        "Denmark,Superliga,2012/2013,14/07/2012,Brondby,Aarhus,2,1,H",
        "Denmark,Superliga,2013/2014,20/07/2013,Aarhus,Brondby,0,1,A",
        "Denmark,Superliga,2012/2013,15/07/2012,Viborg,Randers,2,2,D",
    )
    assert list(parts) == [("2012-13", "dk.1"), ("2013-14", "dk.1")]
    first = parts["2012-13", "dk.1"]
    assert first.data.decode().splitlines() == [
        EXTRA,
        "Denmark,Superliga,2012/2013,14/07/2012,Brondby,Aarhus,2,1,H",
        "Denmark,Superliga,2012/2013,15/07/2012,Viborg,Randers,2,2,D",
    ]
    assert first.lines == (None, 2, 4)


def test_a_season_that_is_no_label_is_that_of_the_day() -> None:
    parts = parts_of(
        EXTRA,
        "Argentina,Liga Profesional,2013/2015,03/08/2013,Tigre,Lanus,2,1,H",
        "Argentina,Liga Profesional,2013/2015,09/08/2014,Lanus,Tigre,2,1,H",
    )
    assert list(parts) == [("2013-14", "ar.1"), ("2014", "ar.1")]


@pytest.mark.parametrize("year", ["2015", "2016"])
@pytest.mark.parametrize("league_id", ["eng.1", None])
def test_the_first_or_last_year_of_a_season_from_autumn_to_spring_is_that_season(
    year: str, league_id: str | None
) -> None:
    parts = parts_of(
        "season,league,date,home,away,hg,ag",
        f"{year},eng.1,2015-08-08,Arsenal,Hull,2,1",
        f"{year},eng.1,2016-01-02,Leeds,Hull,2,1",
        f"{year},eng.1,2016-05-15,Bury,Hull,2,1",
        league_id=league_id,
    )
    assert list(parts) == [("2015-16", "eng.1")]


@pytest.mark.parametrize(
    ("league_id", "year", "days"),
    [
        ("br.1", "2015", ["2015-08-08", "2015-12-06"]),  # a season of a calendar year
        ("ru.1", "2010", ["2010-03-12", "2010-11-28"]),  # until 2010 from spring to autumn
        ("is.1", "2015", ["2015-08-08", "2015-09-20"]),  # its calendar is not known here
    ],
)
def test_a_year_in_the_column_is_a_season_where_the_league_may_play_by_the_year(
    league_id: str, year: str, days: list[str]
) -> None:
    rows = [f"{year},{day},A,B,2,1" for day in days]
    assert list(parts_of("season,date,home,away,hg,ag", *rows, league_id=league_id)) == [(year, league_id)]


def test_fixtures_of_many_divisions_are_split_by_division_and_by_the_season_of_their_days() -> None:
    lines = (
        FIXTURES,
        "E0,30/11/2026,15:00,Burnley,Man City,,8,5.5,1.33",
        "SP1,12/12/2026,20:00,Sevilla,Valencia,,2,3,4",
        "E0,05/12/2026,15:00,Arsenal,Everton,,1.2,6,9",
    )
    for season in (None, "2026-27"):
        parts = parts_of(*lines, season=season)
        assert {place: len(read_csv(part.data, place[1]).rows) for place, part in parts.items()} == {
            ("2026-27", "eng.1"): 2,
            ("2026-27", "es.1"): 1,
        }


def test_the_folders_season_holds_where_a_day_lies_in_it() -> None:
    row = "E0,20/07/2020,Arsenal,Everton,1,0"
    assert list(parts_of(MAIN, row, season="2019-20")) == [("2019-20", "eng.1")]
    assert list(parts_of(MAIN, row, season="2015-16")) == [("2019-20", "eng.1")]


def test_a_row_without_a_place_goes_with_the_row_above_it_and_those_at_the_top_with_the_first() -> None:
    parts = parts_of(
        EXTRA,
        "Denmark,Superliga,,never,Odense,Vejle,0,0,D",
        "Denmark,Superliga,2012/2013,14/07/2012,Brondby,Aarhus,2,1,H",
        "Atlantis,First,2012/2013,14/07/2012,A,B,2,1,H",
    )
    ((place, part),) = parts.items()
    reading = read_csv(part.data, place[1])
    assert len(reading.rows) == 1
    assert [refusal.reason for refusal in reading.rejections] == [
        "The date 'never' is not like '2014-08-16', '16/08/2014' or 'Sat Aug 16 2014'.",
        "The row is of division 'Atlantis, First', which is not known, the file of 'Denmark, Superliga'.",
    ]
    assert part.lines == (None, 2, 3, 4)


def test_a_row_of_an_unknown_division_and_without_a_season_goes_with_the_row_above_it() -> None:
    parts = parts_of(MAIN, "E0,16/08/2014,Arsenal,Hull,1,0", "X9,17/08/2015,Ayr,Bury,2,1")
    ((place, part),) = parts.items()
    assert place == ("2014-15", "eng.1")
    assert part.lines == (None, 2, 3)


def test_the_order_of_day_and_month_of_the_file_holds_in_parts_that_do_not_show_it() -> None:
    parts = parts_of(
        EXTRA,
        "USA,MLS,2012,3/11/2012,Dallas,LA Galaxy,2,1,H",
        "USA,MLS,2013,3/13/2013,Houston,Dallas,2,1,H",
        'USA,MLS,2012,10/3/2012,"Dallas, FC",Chivas USA,0,0,D',
    )
    rows = read_csv(parts["2012", "us.1"].data).rows
    assert [str(row.kickoff_date) for row in rows] == ["2012-03-11", "2012-10-03"]
    assert rows[1].home_team == "Dallas, FC"


def test_a_second_header_stays_above_its_own_lines() -> None:
    parts = parts_of(
        MAIN,
        "E0,16/08/2014,Arsenal,Hull,1,0",
        "Date,Div,AwayTeam,HomeTeam,FTAG,FTHG",
        "17/08/2014,E0,Everton,Leeds,2,3",
        "17/08/2014,E1,Derby,Fulham,0,0",
    )
    first, second = read_csv(parts["2014-15", "eng.1"].data).rows
    assert (first.home_team, second.home_team, second.home_goals) == ("Arsenal", "Leeds", 3)
    assert read_csv(parts["2014-15", "eng.2"].data).rows[0].home_team == "Fulham"


def test_a_league_that_is_not_known_is_named_with_what_to_do() -> None:
    with pytest.raises(
        UnreadableFile, match=r"of Atlantis, First, which is not known here.*seeds/leagues\.csv"
    ):
        parts_of(EXTRA, "Atlantis,First,2012/2013,14/07/2012,A,B,2,1,H")
    ((place, _),) = parts_of(EXTRA, "Atlantis,First,2013,14/07/2013,A,B,2,1,H", league_id="is.1").items()
    assert place == ("2013", "is.1")


def test_a_table_says_whether_its_rows_name_their_leagues() -> None:
    extra = read_csv_table(f"{EXTRA}\nDenmark,Superliga,2012/2013,14/07/2012,Brondby,Aarhus,2,1,H\n".encode())
    main = read_csv_table(f"{MAIN}\nE0,16/08/2014,Arsenal,Hull,1,0\n".encode())
    blank = read_csv_table(f"{MAIN}\n,16/08/2014,Arsenal,Hull,1,0\n".encode())
    other = read_csv_table(b"Date,Team 1,FT,Team 2\n2014-08-16,Arsenal,1-0,Hull\n")
    assert [spans_leagues(table) for table in (extra, main, blank, other)] == [True, False, False, False]
    assert [names_no_division(table) for table in (extra, main, blank, other)] == [False, False, True, True]


SPI = "season,date,league,team1,team2,score1,score2,xg1,xg2,nsxg1,nsxg2"


def test_fivethirtyeights_file_is_split_by_league_and_the_season_of_the_day() -> None:
    lines = (
        SPI,
        "2016,2016-08-13,Barclays Premier League,Hull City,Leicester City,2,1,0.85,2.77,0.17,1.25",
        "2016,2016-08-13,UEFA Champions League,Hull City,Leicester City,2,1,0.85,2.77,0.17,1.25",
        "2017,2017-03-03,Major League Soccer,Portland Timbers,Minnesota United FC,5,1,2.3,0.9,1.2,0.8",
        "2016,2017-05-01,Barclays Premier League,Watford,Liverpool,0,1,0.5,1.5,0.5,1.5",
    )
    parts = parts_of(*lines)
    assert {key: part.lines for key, part in parts.items()} == {
        ("2016-17", "eng.1"): (None, 2, 5),
        ("2017", "us.1"): (None, 4),
    }
    table = read_csv_table(("\n".join(lines) + "\n").encode())
    assert spans_leagues(table)
    assert competitions_left_out(table) == (
        "1 of its 4 rows are of competitions that have no name of FiveThirtyEight in "
        "football_assets/domain/seeds/leagues.csv."
    )
    assert read_csv(parts["2017", "us.1"].data, "us.1").rows[0].is_addition


def test_a_file_of_expected_goals_is_split_by_league_and_season() -> None:
    header = "date,league,home,away,home_xg,away_xg"
    lines = (header, "2016-08-13,eng.1,Hull,Leicester,0.85,2.77", "2018-03-03,E1,Leeds,Derby,2.3,0.9")
    parts = parts_of(*lines)
    assert list(parts) == [("2016-17", "eng.1"), ("2017-18", "eng.2")]
    assert competitions_left_out(read_csv_table("\n".join(lines).encode())) is None
    (row,) = read_csv(parts["2017-18", "eng.2"].data, "eng.2").rows
    assert (row.home_team, row.away_team, row.home_goals, row.is_addition) == ("Leeds", "Derby", None, True)


def test_the_season_of_expected_goals_is_that_of_the_day_and_not_the_first_year_in_its_column() -> None:
    parts = parts_of(
        "season,date,league,home,away,home_xg,away_xg",
        "2021,2021-08-14,eng.1,Norwich,Liverpool,0.5,2.5",
        "2021,2022-05-22,eng.1,Liverpool,Wolves,2.5,0.5",
        "2021,2021-05-01,us.1,Seattle,Portland,1.5,0.5",
    )
    assert {place: part.lines for place, part in parts.items()} == {
        ("2021", "us.1"): (None, 4),
        ("2021-22", "eng.1"): (None, 2, 3),
    }


def test_results_with_expected_goals_are_split_by_league_and_season_as_results() -> None:
    header = "date,league,home,away,hg,ag,home_xg,away_xg"
    parts = parts_of(
        header, "2016-08-13,eng.1,Hull,Leicester,2,1,0.85,2.77", "2018-03-03,E1,Leeds,Derby,0,3,2.3,0.9"
    )
    assert list(parts) == [("2016-17", "eng.1"), ("2017-18", "eng.2")]
    (row,) = read_csv(parts["2017-18", "eng.2"].data, "eng.2").rows
    assert (row.home_goals, row.away_goals, row.is_addition) == (0, 3, False)
