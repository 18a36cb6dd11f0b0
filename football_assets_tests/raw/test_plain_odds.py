"""Plain odds (`odds_home`, `odds_draw`, `odds_away`) that cannot be those of one match."""

import polars as pl
import pytest

from football_assets.raw.rules import ODDS_TRIPLE
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

PLAIN = "Date,Team 1,FT,Team 2,odds_home,odds_draw,odds_away"
MAIN = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG"
LEFT_OUT = "odds_home, odds_draw, odds_away"


def read(bucket: Bucket, row: str, header: str) -> tuple[list[float | None], list[tuple[str, str]]]:
    """The plain odds of a match, and what is left out of it with the reason."""
    put(bucket, "a/2014-15/eng.1.csv", csv_of(row, header=header))
    found = read_season(bucket, "2014-15", TODAY)
    (match,) = found.matches.select(ODDS_TRIPLE).rows()
    return list(match), found.rejected.select("left_out", "reason").rows()


@pytest.mark.parametrize(
    ("odds", "shown"),
    [
        ("+150,+220,+190", "150.0 / 220.0 / 190.0"),  # American
        ("1000,1000,1000", "1000.0 / 1000.0 / 1000.0"),
        ("15,3.4,4.2", "15.0 / 3.4 / 4.2"),  # 1.5 without its point
        ("1.1,1.2,1.3", "1.1 / 1.2 / 1.3"),
        ("1.02,60,3000", "1.02 / 60.0 / 3000.0"),
    ],
)
@pytest.mark.parametrize("prefix", [None, "WH"])
def test_odds_that_no_bookmaker_offers_are_left_out_with_the_reason(
    bucket: Bucket, odds: str, shown: str, prefix: str | None
) -> None:
    if prefix is None:
        kept, reports = read(bucket, f"2014-08-16,Leeds,2-1,Hull,{odds}", PLAIN)
    else:
        names = ",".join(f"{prefix}{outcome}" for outcome in "HDA")
        kept, reports = read(bucket, f"E0,16/08/14,Leeds,Hull,2,1,{odds}", f"{MAIN},{names}")
    reason = (
        f"The odds {shown} are left out: they are not decimal odds of one match, whose sum of 1/odds is from 0.97 to "
        "1.35."
    )
    assert kept == [None, None, None]
    assert reports == [(LEFT_OUT, reason)]


def test_plausible_odds_of_other_matches_stay_with_their_match(bucket: Bucket) -> None:
    rows = ["2014-08-16,Leeds,2-1,Hull,1000,1000,1000", "2014-08-17,Derby,2-1,Stoke,1.5,4,6.25"]
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*rows, header=PLAIN))
    matches = read_season(bucket, "2014-15", TODAY).matches
    assert matches.select("home_team", *ODDS_TRIPLE).rows() == [
        ("Leeds United", None, None, None),
        ("Derby County", 1.5, 4.0, 6.25),
    ]


def test_the_odds_of_a_group_take_the_place_of_implausible_ones(bucket: Bucket) -> None:
    header = f"{MAIN},B365CH,B365CD,B365CA,PSCH,PSCD,PSCA"
    kept, reports = read(bucket, "E0,16/08/14,Leeds,Hull,2,1,15,3.4,4.2,1.6,3.6,6.5", header)
    assert kept == [1.6, 3.6, 6.5]
    assert [left_out for left_out, _ in reports] == [LEFT_OUT]


def test_odds_of_a_group_that_break_its_rule_are_reported_once(bucket: Bucket) -> None:
    kept, reports = read(bucket, "E0,16/08/14,Leeds,Hull,2,1,15,3.4,4.2", f"{MAIN},B365H,B365D,B365A")
    assert kept == [None, None, None]
    assert [left_out for left_out, _ in reports] == [
        "bookmaker_odds_home, bookmaker_odds_draw, bookmaker_odds_away"
    ]


@pytest.mark.parametrize("odds", ["5/2,2/1,11/10", "-120,+250,+330", "evens,two,three"])
@pytest.mark.parametrize(
    ("header", "row"),
    [(PLAIN, "2014-08-16,Leeds,2-1,Hull"), (f"{MAIN},WHH,WHD,WHA", "E0,16/08/14,Leeds,Hull,2,1")],
)
def test_odds_in_another_notation_are_reported(bucket: Bucket, header: str, row: str, odds: str) -> None:
    kept, reports = read(bucket, f"{row},{odds}", header)
    assert kept == [None, None, None]
    assert reports == [(LEFT_OUT, "The odds are left out: they are not three decimal odds above 1.")]


@pytest.mark.parametrize("odds", [",,", "NA,NA,NA", "0,0,0", "2.5,,"])
def test_missing_odds_of_a_bookmaker_are_not_reported(bucket: Bucket, odds: str) -> None:
    header = f"{MAIN},WHH,WHD,WHA,IWH,IWD,IWA"
    assert read(bucket, f"E0,16/08/14,Leeds,Hull,2,1,{odds},2.5,3.1,2.9", header) == ([2.5, 3.1, 2.9], [])
    assert read(bucket, f"E0,16/08/14,Leeds,Hull,2,1,{odds},,,", header) == ([None, None, None], [])


def test_matches_without_odds_are_not_reported(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("2014-08-16,Leeds,2-1,1-0,Hull"))
    found = read_season(bucket, "2014-15", TODAY)
    assert (found.matches.height, found.rejected.height) == (1, 0)
    assert found.matches.schema["odds_home"] == pl.Float64
