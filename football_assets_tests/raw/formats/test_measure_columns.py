"""The measures in the columns of CSV files, for every generation of names."""

import polars as pl
import pytest

from football_assets.domain.measures import (
    BOOKMAKER_ODDS,
    CLOSING_HANDICAP,
    CLOSING_ODDS,
    CLOSING_TOTAL_ODDS,
    MEASURED_XG_COLUMNS,
    PRE_MATCH_HANDICAP,
    PRE_MATCH_ODDS,
    PRE_MATCH_TOTAL_ODDS,
    STATISTIC_COLUMNS,
)
from football_assets.raw.formats.measure_columns import (
    EXTRA_FIXTURES_MEASURES,
    EXTRA_RESULTS_MEASURES,
    MAIN_MEASURES,
    XG_MEASURES,
    Alternatives,
    half_time_measures,
    present_measures,
    read_measures,
)


def read(header: str, *rows: str, alternatives: Alternatives = MAIN_MEASURES) -> pl.DataFrame:
    names = header.lower().split(",")
    return read_measures([row.split(",") for row in rows], names, alternatives)


def test_each_statistic_is_read_from_the_columns_of_its_side() -> None:
    header = "HTHG,HTAG,HS,AS,HST,AST,HC,AC,HF,AF,HY,AY,HR,AR"
    frame = read(header, "2,1,20,15,6,5,8,4,14,13,3,2,1,0")
    assert frame.columns == ["place", *STATISTIC_COLUMNS]
    assert frame.row(0) == (0, 2, 1, 20, 15, 6, 5, 8, 4, 14, 13, 3, 2, 1, 0)


@pytest.mark.parametrize(
    ("header", "group"),
    [
        ("BbAvH,BbAvD,BbAvA", PRE_MATCH_ODDS),
        ("AvgH,AvgD,AvgA", PRE_MATCH_ODDS),
        ("AvgCH,AvgCD,AvgCA", CLOSING_ODDS),
        ("PSCH,PSCD,PSCA", CLOSING_ODDS),
        ("B365H,B365D,B365A", BOOKMAKER_ODDS),
        ("BbAv>2.5,BbAv<2.5", PRE_MATCH_TOTAL_ODDS),
        ("Avg>2.5,Avg<2.5", PRE_MATCH_TOTAL_ODDS),
        ("GB>2.5,GB<2.5", PRE_MATCH_TOTAL_ODDS),
        ("AvgC>2.5,AvgC<2.5", CLOSING_TOTAL_ODDS),
        ("BbAHh,BbAvAHH,BbAvAHA", PRE_MATCH_HANDICAP),
        ("AHh,AvgAHH,AvgAHA", PRE_MATCH_HANDICAP),
        ("AHCh,AvgCAHH,AvgCAHA", CLOSING_HANDICAP),
    ],
)
def test_odds_of_every_generation_of_names_are_read(header: str, group: tuple[str, ...]) -> None:
    texts = ["-1.5", "2.25", "3.5"][-len(group) :] if "odds" in group[0] else ["-1.5", "2.25", "3.5"]
    frame = read(header, ",".join(texts))
    assert frame.columns == ["place", *group]
    assert frame.row(0)[1:] == tuple(map(float, texts))


def test_the_first_complete_alternative_of_each_row_is_read() -> None:
    frame = read("PSCH,PSCD,PSCA,AvgCH,AvgCD,AvgCA", "2,3,4,2.1,3.1,4.1", "2,3,4,2.1,,4.1", ",3,4,2.1,,4.1")
    assert frame.select(CLOSING_ODDS).rows() == [(2.1, 3.1, 4.1), (2, 3, 4), (None, None, None)]


@pytest.mark.parametrize("text", ["", " ", "NA", "-", "nan", "x"])
def test_a_group_with_a_missing_value_counts_as_not_given(text: str) -> None:
    frame = read("HS,AS,HC,AC", f"9,{text},5,4")
    assert frame.select("home_shots", "away_shots", "home_corners").rows() == [(None, None, 5)]


def test_numbers_may_have_spaces_decimals_and_a_decimal_comma() -> None:
    names = ["hs", "as", "b365h", "b365d", "b365a"]
    frame = read_measures([[" 9 ", "7.0", "1,85", "3,4", "4"]], names, MAIN_MEASURES)
    assert frame.row(0) == (0, 9, 7, 1.85, 3.4, 4)


def test_rows_without_fields_keep_their_place() -> None:
    frame = read_measures([["9", "7"], [], ["5"], ["3", "2"]], ["hs", "as"], MAIN_MEASURES)
    assert frame.rows() == [(0, 9, 7), (1, None, None), (2, None, None), (3, 3, 2)]


def test_a_file_without_measures_gives_places_alone() -> None:
    assert read("Date,HomeTeam", "1,a", "2,b").to_dict(as_series=False) == {"place": [0, 1]}


def test_the_odds_of_results_of_extra_leagues_are_those_at_kickoff_and_of_fixtures_earlier_ones() -> None:
    header, row = "AvgH,AvgD,AvgA", "1.5,4,7"
    results = read(header, row, alternatives=EXTRA_RESULTS_MEASURES)
    fixtures = read(header, row, alternatives=EXTRA_FIXTURES_MEASURES)
    assert results.columns == ["place", *CLOSING_ODDS]
    assert fixtures.columns == ["place", *PRE_MATCH_ODDS]
    assert results.row(0) == fixtures.row(0) == (0, 1.5, 4, 7)
    older = read("PH,PD,PA", row, alternatives=EXTRA_RESULTS_MEASURES)
    assert older.select(CLOSING_ODDS).rows() == [(1.5, 4, 7)]


def test_expected_goals_are_read_for_both_teams() -> None:
    frame = read("xg1,xg2,nsxg1,nsxg2", "2.5,0.25,1.75,0.5", alternatives=XG_MEASURES)
    assert frame.columns == ["place", *MEASURED_XG_COLUMNS]
    assert frame.row(0) == (0, 2.5, 0.25, 1.75, 0.5)


def test_alternatives_without_all_columns_are_not_present() -> None:
    names = ["avgh", "avgd", "avga", "psch", "pscd", "hs"]
    assert present_measures(MAIN_MEASURES, names) == {PRE_MATCH_ODDS: (("avgh", "avgd", "avga"),)}


def test_scores_at_half_time_keep_their_place() -> None:
    frame = half_time_measures([(1, 0), (None, None), (2, 3)])
    assert frame.columns == ["place", "home_half_time_goals", "away_half_time_goals"]
    assert frame.rows() == [(0, 1, 0), (1, None, None), (2, 2, 3)]
