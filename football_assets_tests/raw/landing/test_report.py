"""What `football land` says of each file."""

from dataclasses import replace
from pathlib import Path

from football_assets.raw.landing import LandedFile, LandingResult
from football_assets.raw.landing.file_summaries import FileSummary, Loss
from football_assets.raw.landing.planning import SkippedFile
from football_assets.raw.landing.report import FILES_LISTED, problem_lines, report_lines


def landed(
    name: str, summary: FileSummary, *, problem: str | None = None, season: str = "2014-15"
) -> LandedFile:
    return LandedFile(Path(name), f"raw/x/{season}/eng.1.csv", season, "eng.1", True, summary, problem)


GOOD = landed("a.csv", FileSummary(1380, 1))
PARTLY = landed("b.csv", FileSummary(0, 2, 1, 7, None, "The date 'x' is no date."))
NONE = landed("c.csv", FileSummary(0, 0, 2, 2, None, "No."), problem="None of its 2 records is a match.")
ADDED = landed("d.csv", FileSummary(additions=35))


def test_each_of_a_few_files_has_a_line_and_the_totals_follow() -> None:
    assert list(report_lines(LandingResult((GOOD, PARTLY, NONE), ()))) == [
        "a.csv (eng.1 2014-15): 1,380 results, 1 fixture, 0 rejected",
        "b.csv (eng.1 2014-15): 0 results, 2 fixtures, 1 rejected. The first is line 7: The date 'x' is no date.",
        "c.csv (eng.1 2014-15): 0 results, 0 fixtures, 2 rejected. The first is line 2: No.",
        "3 files landed, 3 of them new or changed, season 2014-15: 1,380 results, 3 fixtures, "
        "3 rejected records.",
    ]


def test_of_many_files_those_without_rejected_records_are_only_counted() -> None:
    many = tuple(landed(f"{number}.csv", FileSummary(1, 0)) for number in range(FILES_LISTED))
    shown = list(report_lines(LandingResult((*many, PARTLY), ())))
    assert [line.split(" ")[0] for line in shown] == ["b.csv", "21"]
    assert "20 results, 2 fixtures, 1 rejected record." in shown[-1]


def test_the_parts_of_a_file_are_its_objects() -> None:
    parts = (GOOD, landed("a.csv", FileSummary(1, 0), season="2015-16"))
    *_, totals = report_lines(LandingResult(parts, ()))
    assert totals.startswith(
        "1 file landed as 2 objects, 2 of them new or changed, seasons 2014-15 to 2015-16"
    )


def test_files_that_did_not_land_and_files_without_a_match_are_named() -> None:
    skipped = SkippedFile(Path("d.csv"), "The file is of SP1.", is_wrong=True)
    assert list(problem_lines(LandingResult((GOOD, NONE), (skipped,)))) == [
        "skipped d.csv: The file is of SP1.",
        "rejected c.csv: None of its 2 records is a match.",
    ]


def test_a_file_that_replaced_one_of_far_more_matches_is_named() -> None:
    lost = replace(GOOD, loss=Loss("1 match", "19"))
    assert list(problem_lines(LandingResult((GOOD, lost), ()))) == [
        "warning a.csv: has 1 match, the replaced object raw/x/2014-15/eng.1.csv had 19."
    ]
    assert LandingResult((lost,), ()).is_complete


def test_a_landing_is_complete_if_every_file_holds_a_match_and_none_contradicts_its_name() -> None:
    notes = SkippedFile(Path("README.md"), "The file holds no results in JSON or CSV.")
    wrong = SkippedFile(Path("d.csv"), "The file is of SP1.", is_wrong=True)
    assert LandingResult((GOOD, PARTLY), (notes,)).is_complete
    assert not LandingResult((GOOD, NONE), ()).is_complete
    assert not LandingResult((GOOD,), (wrong,)).is_complete


def test_rows_that_only_add_measures_are_listed_as_additions() -> None:
    line, totals = report_lines(LandingResult((ADDED,), ()))
    assert line.endswith(": 0 results, 0 fixtures, 35 additions, 0 rejected")
    assert totals.endswith(": 0 results, 0 fixtures, 35 additions, 0 rejected records.")


def test_odds_and_statistics_that_are_left_out_are_reported_behind_rejected_records() -> None:
    one = landed(
        "a.csv", FileSummary(9, left_out=1, left_out_line=4, left_out_reason="The odds are left out.")
    )
    two = landed(
        "b.csv",
        FileSummary(9, 0, 1, 7, None, "No.", left_out=1200, left_out_reason="The shots are left out."),
    )
    assert list(report_lines(LandingResult((one, two), ())))[:2] == [
        "a.csv (eng.1 2014-15): 9 results, 0 fixtures, 0 rejected. Odds or statistics of 1 match are left out. "
        "The first is line 4: The odds are left out.",
        "b.csv (eng.1 2014-15): 9 results, 0 fixtures, 1 rejected. The first is line 7: No. "
        "Odds or statistics of 1,200 matches are left out. The first is The shots are left out.",
    ]


def test_of_many_files_those_without_some_of_their_odds_have_a_line() -> None:
    many = tuple(landed(f"{number}.csv", FileSummary(1, 0)) for number in range(FILES_LISTED))
    lacking = landed("b.csv", FileSummary(1, left_out=1, left_out_line=4, left_out_reason="No."))
    shown = list(report_lines(LandingResult((*many, lacking), ())))
    assert [line.split(" ")[0] for line in shown] == ["b.csv", "21"]
