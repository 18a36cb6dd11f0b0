"""Which measures are left out, and why."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.domain.measures import (
    BOOKMAKER_ODDS,
    CLOSING_ODDS,
    MEASURE_COLUMNS,
    ODDS_GROUPS,
    PRE_MATCH_ODDS,
    STATISTIC_PAIRS,
)
from football_assets.raw.measure_rules import without_bad_measures
from football_assets.raw.rules import ODDS_TRIPLE
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

SOUND: dict[str, Any] = {
    "row": 7,
    "home_goals": 2,
    "away_goals": 1,
    **{name: value for pair in STATISTIC_PAIRS for name, value in zip(pair, (2, 1), strict=True)},
    "home_shots": 12,
    "away_shots": 9,
    "home_expected_goals": 1.5,
    "away_expected_goals": 0.25,
    "home_non_shot_expected_goals": 1.25,
    "away_non_shot_expected_goals": 0.5,
    **dict(zip(PRE_MATCH_ODDS, (2.0, 3.5, 4.0), strict=True)),
    **dict(zip(CLOSING_ODDS, (2.1, 3.4, 3.8), strict=True)),
    **dict(zip(BOOKMAKER_ODDS, (1.95, 3.6, 4.2), strict=True)),
    "pre_match_odds_over": 1.8,
    "pre_match_odds_under": 2.0,
    "closing_odds_over": 1.85,
    "closing_odds_under": 1.95,
    "pre_match_handicap_line": -0.5,
    "pre_match_odds_handicap_home": 1.9,
    "pre_match_odds_handicap_away": 1.95,
    "closing_handicap_line": -0.25,
    "closing_odds_handicap_home": 1.8,
    "closing_odds_handicap_away": 2.05,
}
SCHEMA = {
    "row": pl.Int32,
    "home_goals": pl.Int64,
    "away_goals": pl.Int64,
    **dict.fromkeys(MEASURE_COLUMNS, pl.Float64),
}
STATISTICS = {name for pair in STATISTIC_PAIRS for name in pair}


def judged(**changes: float | None) -> tuple[set[str], list[tuple[int, str, str]]]:
    """The measures that are left out of one row, and the reports."""
    row = SOUND | changes
    clean, reports = without_bad_measures(pl.DataFrame([row], schema=SCHEMA))
    left_out = {name for name in MEASURE_COLUMNS if row[name] is not None and clean[name][0] is None}
    kept = {name: row[name] for name in MEASURE_COLUMNS if name not in left_out}
    assert {name: clean[name][0] for name in kept} == kept
    return left_out, reports.rows()


def test_a_row_of_sound_measures_is_left_as_it_is() -> None:
    assert judged() == (set(), [])


def test_a_row_without_measures_breaks_no_rule() -> None:
    assert judged(**dict.fromkeys(MEASURE_COLUMNS)) == (set(), [])


@pytest.mark.parametrize(
    ("changes", "left_out", "reason"),
    [
        (
            {"home_shots": 5, "home_shots_on_target": 6},
            {"home_shots", "away_shots", "home_shots_on_target", "away_shots_on_target"},
            "The shots are left out: 6 and 1 on target are more than 5 and 9 shots.",
        ),
        (
            {"away_half_time_goals": 2},
            {"home_half_time_goals", "away_half_time_goals"},
            "The half-time score 2-2 is left out: the final score is 2-1.",
        ),
        (
            {"home_fouls": 145},
            {"home_fouls", "away_fouls"},
            "The fouls 145 and 1 are left out: counts are from 0 to 60.",
        ),
        (
            {"away_corners": -1},
            {"home_corners", "away_corners"},
            "The corners 2 and -1 are left out: counts are from 0 to 35.",
        ),
        (
            {"away_red_cards": 0.5},
            {"home_red_cards", "away_red_cards"},
            "The red cards 2 and 0.5 are left out: counts are from 0 to 5.",
        ),
        (
            {"home_expected_goals": 15.1},
            {"home_expected_goals", "away_expected_goals"},
            "The expected goals 15.1 and 0.25 are left out: they are from 0 to 15.",
        ),
        (
            {"bookmaker_odds_home": 0.0},
            set(BOOKMAKER_ODDS),
            "The odds 0.0 / 3.6 / 4.2 (bookmaker odds) are left out: they are not above 1, or the sum of 1/odds is not "
            "from 0.97 to 1.35.",
        ),
        (
            {"closing_odds_over": 0.42},
            {"closing_odds_over", "closing_odds_under"},
            "The odds 0.42 / 1.95 (closing odds) are left out: they are not above 1, or the sum of 1/odds is not from "
            "0.97 to 1.25.",
        ),
        (
            {"pre_match_odds_handicap_away": 3.6},
            {"pre_match_handicap_line", "pre_match_odds_handicap_home", "pre_match_odds_handicap_away"},
            "The odds 1.9 / 3.6 (pre match odds handicap) are left out: they are not above 1, or the sum of 1/odds is "
            "not from 0.97 to 1.25.",
        ),
        (
            {"closing_handicap_line": -225},
            {"closing_handicap_line", "closing_odds_handicap_home", "closing_odds_handicap_away"},
            "The handicap of -225.0 goals is left out: it is above 5.",
        ),
        (
            dict(zip(PRE_MATCH_ODDS, (1.25, 5.5, 12.0), strict=True)),
            {*PRE_MATCH_ODDS, *BOOKMAKER_ODDS},
            "The odds 1.25 / 5.5 / 12.0 (pre match odds) and 1.95 / 3.6 / 4.2 (bookmaker odds) are left out: they "
            "contradict each other, a probability differs by more than 0.2.",
        ),
    ],
)
def test_a_measure_that_cannot_be_right_is_left_out_with_its_group(
    changes: dict[str, float], left_out: set[str], reason: str
) -> None:
    found, reports = judged(**changes)
    assert found == left_out
    (report,) = reports
    assert report[0] == SOUND["row"]
    assert set(report[1].split(", ")) == left_out
    assert report[2] == reason


@pytest.mark.parametrize(("odds", "is_left_out"), [(3.1, True), (3.09, False), (2.23, False), (2.22, True)])
def test_the_sum_of_the_inverse_odds_is_from_97_to_135_percent(odds: float, is_left_out: bool) -> None:
    others = dict.fromkeys((*PRE_MATCH_ODDS, *BOOKMAKER_ODDS))
    left_out, _ = judged(**others, **dict.fromkeys(CLOSING_ODDS, odds))
    assert left_out == (set(CLOSING_ODDS) if is_left_out else set())


def test_odds_at_kickoff_may_differ_more_from_earlier_ones_than_those_from_each_other() -> None:
    moved = dict.fromkeys(BOOKMAKER_ODDS) | dict(zip(CLOSING_ODDS, (4.49, 4.03, 1.76), strict=True))
    assert judged(**moved) == (set(), [])
    left_out, _ = judged(**(moved | dict(zip(CLOSING_ODDS, (9.0, 5.5, 1.3), strict=True))))
    assert left_out == {*PRE_MATCH_ODDS, *CLOSING_ODDS}


@pytest.mark.parametrize("wrong", [PRE_MATCH_ODDS, CLOSING_ODDS, BOOKMAKER_ODDS])
def test_of_odds_that_contradict_two_others_which_agree_they_alone_are_left_out(
    wrong: tuple[str, ...],
) -> None:
    left_out, reports = judged(**dict(zip(wrong, (9.0, 5.5, 1.3), strict=True)))
    assert left_out == set(wrong)
    ((_, columns, reason),) = reports
    assert columns == ", ".join(wrong)
    kind = wrong[0].removesuffix("_home").replace("_", " ")
    assert reason.startswith(f"The odds 9.0 / 5.5 / 1.3 ({kind}) are left out: they contradict ")
    assert reason.endswith("), which agree.")


def test_of_three_odds_that_contradict_each_other_none_is_kept() -> None:
    changes = dict(zip((*PRE_MATCH_ODDS, *BOOKMAKER_ODDS), (9.0, 5.5, 1.3, 1.2, 6.0, 15.0), strict=True))
    draw_alone = dict(zip(CLOSING_ODDS, (8.0, 1.2, 8.0), strict=True))
    assert judged(**changes, **draw_alone)[0] == {*PRE_MATCH_ODDS, *BOOKMAKER_ODDS, *CLOSING_ODDS}


HEADER = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A,AvgH,AvgD,AvgA,AvgCH,AvgCD,AvgCA"
AGREEING, SAME, WRONG = "2.0,3.5,4.0", "2.1,3.4,3.8", "9.0,5.5,1.3"


@pytest.mark.parametrize(
    ("bookmaker", "pre_match", "closing", "plain"),
    [
        (AGREEING, SAME, WRONG, SAME),
        (WRONG, AGREEING, SAME, SAME),
        (AGREEING, ",,", WRONG, ",,"),
        (WRONG, AGREEING, ",,", ",,"),
        ("1.95,3.6,4.2", "1.25,5.5,12.0", SAME, SAME),
    ],
)
def test_plain_odds_are_never_those_that_are_left_out(
    bucket: Bucket, bookmaker: str, pre_match: str, closing: str, plain: str
) -> None:
    row = f"E0,16/08/2014,Leeds,Hull,2,1,{bookmaker},{pre_match},{closing}"
    put(bucket, "x/2014-15/eng.1.csv", csv_of(row, header=HEADER))
    (match,) = read_season(bucket, "2014-15", TODAY).matches.rows(named=True)
    expected = [float(odds) if odds else None for odds in plain.split(",")]
    assert [match[name] for name in ODDS_TRIPLE] == expected


def test_plain_odds_of_one_file_go_with_them_if_the_odds_of_others_prove_them_wrong(bucket: Bucket) -> None:
    header = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG"
    for source, names, odds in (
        ("a", "AvgCH,AvgCD,AvgCA", WRONG),
        ("b", "AvgH,AvgD,AvgA,B365H,B365D,B365A", f"{AGREEING},{SAME}"),
    ):
        row = f"E0,16/08/2014,Leeds,Hull,2,1,{odds}"
        put(bucket, f"{source}/2014-15/eng.1.csv", csv_of(row, header=f"{header},{names}"))
    (match,) = read_season(bucket, "2014-15", TODAY).matches.rows(named=True)
    assert match["closing_odds_home"] is None
    assert [match[name] for name in ODDS_TRIPLE] == [2.0, 3.5, 4.0]


def test_a_half_time_score_before_the_end_of_the_match_is_kept() -> None:
    assert judged(home_goals=None, away_goals=None) == (set(), [])


@given(
    st.lists(
        st.fixed_dictionaries(
            {name: st.none() | st.floats(-5, 70, allow_nan=False, width=16) for name in MEASURE_COLUMNS}
        ),
        max_size=4,
    )
)
def test_what_is_kept_breaks_no_rule_and_all_that_is_left_out_is_reported(
    rows: list[dict[str, float | None]],
) -> None:
    given_ = pl.DataFrame(
        [{**row, "row": n, "home_goals": 3, "away_goals": 3} for n, row in enumerate(rows)], schema=SCHEMA
    )
    clean, reports = without_bad_measures(given_)
    assert without_bad_measures(clean)[1].is_empty()
    reported = {(row, name) for row, names, _ in reports.rows() for name in names.split(", ")}
    for number in range(given_.height):
        for name in MEASURE_COLUMNS:
            is_left_out = given_[name][number] is not None and clean[name][number] is None
            assert not is_left_out or (number, name) in reported
    for group in ODDS_GROUPS:
        odds = [name for name in group if "odds" in name]
        assert clean.filter(pl.any_horizontal(pl.col(odds) <= 1)).is_empty()
