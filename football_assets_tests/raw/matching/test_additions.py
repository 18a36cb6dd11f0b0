"""Rows that add measures to matches of other files: FiveThirtyEight's and those of expected goals."""

import pytest

from football_assets.domain.measures import MEASURED_XG_COLUMNS
from football_assets.raw.matches import ReadMatches
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

SPI = "date,league,team1,team2,prob1,prob2,probtie,score1,score2,xg1,xg2,nsxg1,nsxg2"
XG = "date,league,home,away,home_xg,away_xg"
LEFT_OUT = ", ".join(MEASURED_XG_COLUMNS)


def read(bucket: Bucket) -> ReadMatches:
    return read_season(bucket, "2014-15", TODAY)


def spi(day: str, home: str, away: str, score: str = "2.0,1.0", xg: str = "1.5,0.25,1.25,0.5") -> str:
    return csv_of(f"{day},Barclays Premier League,{home},{away},0.5,0.2,0.3,{score},{xg}", header=SPI)


def xg(*rows: str) -> str:
    return csv_of(*rows, header=XG)


@pytest.mark.parametrize("day", ["2014-08-13", "2014-08-15", "2014-08-16", "2014-08-19"])
def test_expected_goals_join_the_match_of_a_file_of_results_and_do_not_move_it(
    bucket: Bucket, day: str
) -> None:
    put(bucket, "fivethirtyeight/2014-15/eng.1.csv", spi(day, "Fulham", "Burnley"))
    put(bucket, "results/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    read_ = read(bucket)
    (match,) = read_.matches.iter_rows(named=True)
    assert (match["source"], str(match["kickoff_date"])) == ("results", "2014-08-16")
    assert [match[name] for name in MEASURED_XG_COLUMNS] == [1.5, 0.25, 1.25, 0.5]
    assert match["odds_home"] is None
    assert read_.rejected.is_empty()


def test_a_row_without_its_match_adds_none_and_is_no_lost_record(bucket: Bucket) -> None:
    put(bucket, "fivethirtyeight/2014-15/eng.1.csv", spi("2014-08-20", "Fulham", "Burnley"))
    put(bucket, "results/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    read_ = read(bucket)
    assert read_.matches.select("home_team", "home_expected_goals").rows() == [("Fulham", None)]
    (row,) = read_.rejected.iter_rows(named=True)
    assert (row["source_object"], row["line"]) == ("raw/fivethirtyeight/2014-15/eng.1.csv", 2)
    assert row["left_out"] == LEFT_OUT
    assert row["reason"] == (
        "The measures are left out: no file of results has 'Fulham' against 'Burnley' within 3 days of 2014-08-20."
    )


def test_another_score_is_reported_and_brings_no_measures(bucket: Bucket) -> None:
    put(bucket, "fivethirtyeight/2014-15/eng.1.csv", spi("2014-08-16", "Fulham", "Burnley", "1.0,2.0"))
    put(bucket, "results/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    read_ = read(bucket)
    assert read_.matches.select("home_goals", "away_goals", "home_expected_goals").rows() == [(2, 1, None)]
    assert read_.rejected["reason"].to_list() == [
        "The measures are left out: the score 1-2 contradicts 2-1, that of the match."
    ]


def test_a_file_of_expected_goals_needs_no_scores(bucket: Bucket) -> None:
    put(
        bucket,
        "measured/2014-15/eng.1.csv",
        xg("2014-08-16,eng.1,Fulham,Burnley,1.5,0.25", "2014-08-16,eng.1,Leeds,Hull,1,2"),
    )
    put(bucket, "results/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,?,?,Burnley"))
    read_ = read(bucket)
    assert read_.matches.select("home_team", "home_expected_goals", "away_expected_goals").rows() == [
        ("Fulham", 1.5, 0.25)
    ]
    assert read_.rejected.select("line", "left_out").rows() == [(3, LEFT_OUT)]


def test_of_two_meetings_at_one_ground_each_row_joins_the_nearest(bucket: Bucket) -> None:
    put(
        bucket,
        "measured/2014-15/sco.1.csv",
        xg("2015-04-03,sco.1,Celtic,Hearts,2.5,0.5", "2014-08-16,sco.1,Celtic,Hearts,1.5,0.25"),
    )
    rows = ["Sat Aug 16 2014,Celtic,2-1,?,Hearts", "Sat Apr 4 2015,Celtic,1-1,?,Hearts"]
    put(bucket, "results/2014-15/sco.1.csv", csv_of(*rows))
    read_ = read(bucket)
    assert read_.matches.select("home_goals", "away_goals", "home_expected_goals").rows() == [
        (2, 1, 1.5),
        (1, 1, 2.5),
    ]


def test_bad_expected_goals_are_reported_at_their_own_line(bucket: Bucket) -> None:
    put(bucket, "measured/2014-15/eng.1.csv", xg("2014-08-16,eng.1,Fulham,Burnley,-1,0.25"))
    put(bucket, "results/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    read_ = read(bucket)
    assert read_.matches["home_expected_goals"].to_list() == [None]
    (row,) = read_.rejected.iter_rows(named=True)
    assert (row["source_object"], row["line"]) == ("raw/measured/2014-15/eng.1.csv", 2)
    assert row["reason"] == "The expected goals -1.0 and 0.25 are left out: they are from 0 to 15."


def test_two_files_of_measures_complete_the_match_in_order_of_their_names(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2014-15/eng.1.csv",
        spi("2014-08-16", "Fulham", "Burnley", xg="1.5,0.25,,"),
        age=1,
    )
    put(bucket, "b/2014-15/eng.1.csv", spi("2014-08-16", "Fulham", "Burnley", xg="9,9,1.25,0.5"))
    put(bucket, "results/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    (match,) = read(bucket).matches.iter_rows(named=True)
    assert [match[name] for name in MEASURED_XG_COLUMNS] == [1.5, 0.25, 1.25, 0.5]


@pytest.mark.parametrize("header", ["date,home,away,hg,ag", "date,league,home,away,fthg,ftag"])
def test_results_with_expected_goals_are_matches_with_these_measures(bucket: Bucket, header: str) -> None:
    league = "eng.1," if "league" in header else ""
    row = f"2014-08-16,{league}Fulham,Burnley,2,1,1.5,0.25"
    put(bucket, "measured/2014-15/eng.1.csv", csv_of(row, header=f"{header},home_xg,away_xg"))
    found = read_season(bucket, "2014-15", TODAY)
    (match,) = found.matches.rows(named=True)
    assert (match["home_goals"], match["away_goals"]) == (2, 1)
    assert (match["home_expected_goals"], match["away_expected_goals"]) == (1.5, 0.25)
    assert found.rejected.is_empty()
