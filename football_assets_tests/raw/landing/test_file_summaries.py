"""What a file is said to hold before it lands."""

from datetime import date
from pathlib import Path

import pytest

from football_assets.raw.landing import land
from football_assets.raw.landing.file_summaries import (
    Candidate,
    FileSummary,
    find_loss,
    holds_all_of,
    summarise_files,
)
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import csv_of, json_of, listed, put, read_season

TODAY = date(2016, 1, 1)
PLAYED = "Sat Aug 16 2014,Leeds,2-1,?,Hull"
FIXTURE = "Sat Aug 23 2014,Hull,?,?,Leeds"


def candidate(content: str, *, extension: str = "csv", league_id: str = "eng.1") -> Candidate:
    return Candidate(content.encode(), extension, "2014-15", league_id)


def judged(content: str, **more: str) -> FileSummary:
    (summary,) = summarise_files([candidate(content, **more)], TODAY)
    return summary


def test_results_fixtures_and_rejected_records_are_counted_with_the_first_reason() -> None:
    found = judged(
        csv_of(PLAYED, FIXTURE, "Sat Aug 16 2014,Derby,two,?,Fulham", "Sat Aug 16 2014,Fulham,1-0,?,Fulham")
    )
    assert (found.results, found.fixtures, found.matches, found.rejected) == (1, 1, 2, 2)
    assert found.first_reason == "line 4: The score 'two' is not like '2-1' or '?'."
    assert found.problem is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Sat Aug 16 2014,Leeds,2-1 aet,?,Hull", "not that of 90 minutes"),
        ("Sat Aug 16 2014,Leeds,31-1,?,Hull", "more than 30 goals"),
        ("Sat Aug 16 2014,?,2-1,?,Hull", "not named"),
        ("Fri Aug 16 2013,Leeds,2-1,?,Hull", "outside the season"),
        ("Sat Aug 16 2014,Leeds,3-0 (*),?,Hull", "no result of play"),
        ("Sat Aug 16 2014,Man United,3-0,?,Manchester United", "two names of"),
        ("Sun Aug 16 2015,Leeds,2-1,?,Hull", "The match of 2015-08-16 has a score although it is after"),
    ],
)
def test_a_record_is_rejected_for_the_reason_that_raw_matches_gives(
    bucket: Bucket, row: str, reason: str
) -> None:
    today = date(2015, 1, 1)
    (found,) = summarise_files([candidate(csv_of(row))], today)
    assert (found.matches, found.rejected, found.line) == (0, 1, 2)
    assert reason in str(found.reason)
    put(bucket, "x/2014-15/eng.1.csv", csv_of(row))
    assert read_season(bucket, "2014-15", today).rejected["reason"].to_list() == [found.reason]


def test_a_match_that_only_loses_its_odds_is_no_rejected_record(bucket: Bucket) -> None:
    content = (
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A\nE0,16/08/14,Leeds,Hull,2,1,8,5,5,5,1,33\n"
    )
    found = judged(content)
    assert (found.results, found.rejected, found.first_reason) == (1, 0, None)
    put(bucket, "x/2014-15/eng.1.csv", content.encode())
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches["odds_home"].to_list() == [None]
    ((reason, left_out, line),) = read.rejected.select("reason", "left_out", "line").rows()
    assert "12 fields, the header 9 columns" in reason
    assert left_out.startswith("odds_home, odds_draw, odds_away, bookmaker_odds_home")
    assert line == 2


def test_no_file_is_judged_by_another() -> None:
    awarded = candidate(csv_of("Sat Aug 16 2014,Leeds,3-0 (*),?,Hull"))
    unmarked = candidate(csv_of("Sat Aug 16 2014,Leeds,3-0,?,Hull"))
    first, second = summarise_files([awarded, unmarked], TODAY)
    assert (first.rejected, second.results, second.rejected) == (1, 1, 0)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (csv_of(), "The file lists no match."),
        (
            csv_of("x,a,1-0,?,b"),
            "Its only record is not a match, line 2: The date 'x' is not like",
        ),
        ("<html>404</html>", "The file is an HTML page"),
        ("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nSP1,16/08/2014,a,b,1,0\n", "The file is of SP1"),
    ],
)
def test_a_file_without_a_match_says_why(content: str, problem: str) -> None:
    assert str(judged(content).problem).startswith(problem)


def test_json_says_where_by_its_path() -> None:
    found = judged(json_of(listed("2014-08-16", "a", "a", "1-0")), extension="json")
    assert found.problem == "Its only record is not a match, matches[0]: a cannot play itself."


def test_no_file_is_no_error() -> None:
    assert summarise_files([], TODAY) == []


@pytest.mark.parametrize(
    ("old", "new", "holds"),
    [
        ((PLAYED,), (PLAYED, FIXTURE), True),
        ((FIXTURE,), ("Sun Aug 24 2014,Hull,1-1,?,Leeds",), True),
        (("Sat Aug 16 2014,Leeds,0-0,?,Hull",), (PLAYED,), True),
        ((PLAYED, FIXTURE), (PLAYED,), False),
        ((PLAYED,), ("Sat Aug 16 2014,Leeds,?,?,Hull",), False),
        ((PLAYED,), (FIXTURE,), False),
        ((PLAYED, "Sat Jan 17 2015,Leeds,0-0,?,Hull"), (PLAYED,), False),
        ((), (PLAYED,), True),
    ],
)
def test_a_file_holds_all_of_another_if_no_match_and_no_result_would_be_lost(
    old: tuple[str, ...], new: tuple[str, ...], holds: bool
) -> None:
    assert holds_all_of(candidate(csv_of(*new)), candidate(csv_of(*old)), TODAY) is holds


@pytest.mark.parametrize(
    ("had", "has", "is_lost"),
    [
        ((8, 0), (3, 0), False),
        ((8, 0), (2, 0), True),
        ((40, 0), (36, 4), False),
        ((40, 0), (30, 10), True),
        ((8, 0), (0, 8), True),
    ],
)
def test_a_few_matches_or_results_fewer_are_a_correction_and_more_a_loss(
    had: tuple[int, int], has: tuple[int, int], is_lost: bool
) -> None:
    assert (find_loss(FileSummary(*has), FileSummary(*had)) is not None) is is_lost


SPI = csv_of(
    "2014-08-16,Barclays Premier League,Leeds,Hull,2,1,1.5,0.5",
    header="date,league,team1,team2,score1,score2,xg1,xg2",
)


def test_a_file_that_only_adds_measures_holds_no_results_and_no_file_of_results_holds_its_measures() -> None:
    results, additions = candidate(csv_of(PLAYED)), candidate(SPI)
    assert not holds_all_of(additions, results, TODAY)
    assert not holds_all_of(results, additions, TODAY)
    assert holds_all_of(additions, additions, TODAY)


def test_additions_are_no_results_so_that_a_file_of_them_loses_the_results_that_it_would_replace() -> None:
    found = judged(SPI)
    assert (found.results, found.fixtures, found.additions, found.matches) == (0, 0, 1, 1)
    assert found.problem is None
    assert find_loss(found, judged(csv_of(PLAYED))) == ("0 results", "1")
    assert find_loss(found, found) is None


def test_a_loss_says_what_was_there() -> None:
    assert find_loss(FileSummary(1), FileSummary(1200)) == ("1 match", "1,200")
    assert find_loss(FileSummary(0, 8), FileSummary(8)) == ("0 results", "8")


OF_RESULTS = csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley")
SPI = csv_of(
    "2014-08-16,Barclays Premier League,Fulham,Burnley,2,1,1.5,0.25",
    header="date,league,team1,team2,score1,score2,xg1,xg2",
)


@pytest.mark.parametrize("is_first", [True, False])
def test_results_and_measures_of_the_same_source_land_beside_each_other(
    bucket: Bucket, tmp_path: Path, is_first: bool
) -> None:
    results, measures = (
        tmp_path / "a" / "in" / "2014-15" / "eng.1.csv",
        tmp_path / "b" / "in" / "spi_matches.csv",
    )
    for file, content in ((results, OF_RESULTS), (measures, SPI)):
        file.parent.mkdir(parents=True)
        file.write_text(content)
    landed = [
        name
        for path in ((results, measures) if is_first else (measures, results))
        for name in land(bucket, [path], TODAY).objects
    ]
    assert landed == ["raw/in/2014-15/eng.1.csv", "raw/in-2/2014-15/eng.1.csv"]
    (match,) = read_season(bucket, "2014-15", TODAY).matches.rows(named=True)
    assert (match["home_goals"], match["home_expected_goals"], match["away_expected_goals"]) == (2, 1.5, 0.25)


MEASURED = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,HS,AS,HST,AST,WHH,WHD,WHA,B365H,B365D,B365A"
SOUND = "E0,16/08/14,Leeds,Hull,2,1,9,8,4,3,1.8,3.5,4.5,1.85,3.4,4.4"


@pytest.mark.parametrize(
    ("rows", "left_out", "line", "reason"),
    [
        ([SOUND], 0, None, "None"),
        ([SOUND, "E0,17/08/14,Bury,York,2,1,9,8,14,3,,,,,,"], 1, 3, "The shots are left out"),
        (
            ["E0,17/08/14,Bury,York,2,1,,,,,150,220,190,,,"],
            1,
            2,
            "The odds 150.0 / 220.0 / 190.0 are left out",
        ),
        (["E0,17/08/14,Bury,York,2,1,,,,,5/2,2/1,3/1,,,"], 1, 2, "not three decimal odds above 1"),
        (["E0,17/08/14,Bury,York,2,1,,,,,,,,1000,1000,1000"], 1, 2, "(bookmaker odds) are left out"),
        ([f"{SOUND},7"], 1, 2, "the row has 17 fields, the header 16 columns"),
        (["E0,17/08/14,Bury,York,2,1,9,8,14,3,5/2,2/1,3/1,,,", SOUND], 1, 2, "are left out"),
        (
            ["E0,never,Bury,York,2,1,9,8,14,3,150,220,190,,,,7", SOUND],
            0,
            None,
            "None",
        ),  # the record is rejected
    ],
)
def test_matches_without_some_of_their_odds_or_statistics_are_counted_as_raw_matches_leaves_them_out(
    bucket: Bucket, rows: list[str], left_out: int, line: int | None, reason: str
) -> None:
    content = csv_of(*rows, header=MEASURED)
    found = judged(content)
    assert (found.left_out, found.left_out_line) == (left_out, line)
    assert reason in str(found.left_out_reason)
    put(bucket, "a/2014-15/eng.1.csv", content)
    rejected = read_season(bucket, "2014-15", TODAY).rejected
    assert rejected.filter(rejected["left_out"].is_not_null())["line"].n_unique() == left_out


def test_the_line_of_odds_that_are_left_out_is_that_of_the_whole_file(bucket: Bucket, tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    header = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,WHH,WHD,WHA"
    rows = (
        "E0,16/08/14,Leeds,Hull,2,1,,,",
        "D1,16/08/14,Mainz,Hertha,2,1,,,",
        "E0,17/08/14,Bury,York,2,1,9,9,9",
    )
    file.write_text(csv_of(*rows, header=header))
    summaries = {item.league_id: item.summary for item in land(bucket, [file], TODAY).landed}
    assert (summaries["eng.1"].left_out_line, summaries["de.1"].left_out) == (4, 0)
