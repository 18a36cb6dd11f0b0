"""From parsed rows to entries with canonical clubs, and the rows that the rules reject."""

from datetime import date

import polars as pl

from football_assets.raw.formats.frames import FileContent, read_files, with_origins
from football_assets.raw.matching.entries import Entries, validate_rows

HEADER = "Date,Team 1,FT,HT,Team 2\n"
TODAY = date(2014, 9, 1)


def entries_of(*lines: str) -> Entries:
    """The entries of one file of the Premier League of 2014-15."""
    rows, _, _ = read_files([FileContent((HEADER + "\n".join(lines)).encode(), "csv", "eng.1")])
    origins = pl.DataFrame(
        {
            "object_order": [0],
            "season": ["2014-15"],
            "league_id": ["eng.1"],
            "country": ["eng"],
            "source_object": ["raw/a/2014-15/eng.1.csv"],
        },
        schema_overrides={"object_order": pl.Int32},
    )
    return validate_rows(with_origins(rows, origins), TODAY)


def test_valid_rows_have_canonical_clubs_beside_the_names_of_the_source() -> None:
    entries = entries_of("2014-08-16,Man  United,2-1,?,Spurs")
    columns = ["home_team", "away_team", "home_name", "away_name", "home_goals", "away_goals"]
    assert entries.valid.select(columns).rows() == [
        ("Manchester United", "Tottenham Hotspur", "Man United", "Spurs", 2, 1)
    ]
    assert "reason" not in entries.valid.columns
    assert entries.rejected.is_empty()


def test_rows_that_break_a_rule_are_rejected_with_the_names_of_the_source() -> None:
    entries = entries_of(
        "2014-08-16,Man United,2-1,?,Spurs",
        "2014-09-02,Spurs,1-0,?,Man United",
        "2016-08-16,Hull,?,?,Leeds",
        "2014-08-17,Hull,31-0,?,Leeds",
    )
    assert entries.valid["line"].to_list() == [2]
    assert entries.rejected.select("line", "home_team", "reason").rows() == [
        (3, "Spurs", "The match of 2014-09-02 has a score although it is after today, 2014-09-01."),
        (4, "Hull", "The date 2016-08-16 is outside the season 2014-15, 2014-06-01 to 2015-09-01."),
        (5, "Hull", "The score 31-0 has more than 30 goals."),
    ]


def test_void_matches_and_two_names_of_one_club_are_left_to_later_steps() -> None:
    entries = entries_of("2014-08-16,Hull,3-0 (*),?,Leeds", "2014-08-17,Man United,1-0,?,Manchester United")
    assert entries.valid["void"].is_not_null().to_list() == [True, False]
    assert entries.valid.filter(pl.col("home_team") == pl.col("away_team"))["line"].to_list() == [3]
    assert entries.rejected.is_empty()
