"""Season, league, local time and text of the files into which matches are rebuilt."""

from datetime import date, datetime
from typing import Any

import polars as pl

from football_assets.raw.kaggle.result_files import UNPLACED, with_season_and_league, write_result_files

ROWS: dict[str, Any] = {
    "league": pl.Int64,
    "kickoff": pl.Datetime("us"),
    "home_team": pl.String,
    "away_team": pl.String,
    "home_goals": pl.Int64,
    "away_goals": pl.Int64,
    "league_name": pl.String,
    "order": pl.UInt32,
    "origin": pl.String,
    "reason": pl.String,
}
LINES: dict[str, Any] = {"order": pl.UInt32, "kickoff": pl.Datetime("us")}


def row(**cells: Any) -> dict[str, Any]:
    match = {"league": 8, "kickoff": datetime(2020, 7, 4, 18, 30), "home_team": "Alpha", "away_team": "Beta"}
    return {
        "home_goals": 2,
        "away_goals": 1,
        "league_name": "Premier League",
        "order": 0,
        "origin": "train.csv 2",
        **match,
        **cells,
    }


def placed(*rows: dict[str, Any]) -> pl.DataFrame:
    frame = pl.DataFrame(list(rows), schema=ROWS)
    return with_season_and_league(frame, frame.select(pl.col(name) for name in LINES))


def test_day_time_and_season_are_those_of_the_leagues_country() -> None:
    late = datetime(2020, 7, 4, 23, 30)
    found = placed(row(), row(kickoff=late, order=1))
    columns = ["season", "league_id", "day", "time"]
    assert found.sort("kickoff").select(columns).rows() == [
        ("2019-20", "eng.1", date(2020, 7, 4), "19:30"),  # British Summer Time
        ("2019-20", "eng.1", date(2020, 7, 5), "00:30"),
    ]


def test_midnight_in_utc_is_a_day_without_a_time_unless_it_is_an_hour_of_play_there() -> None:
    (found,) = placed(row(kickoff=datetime(2020, 1, 4))).iter_rows(named=True)
    assert (found["day"], found["time"]) == (date(2020, 1, 4), None)


def test_a_row_without_a_date_has_the_season_of_the_nearest_line() -> None:
    found = placed(row(order=0), row(order=9, kickoff=datetime(2022, 1, 4, 15)), row(order=7, kickoff=None))
    assert found.filter(pl.col("kickoff").is_null())["season"].to_list() == ["2021-22"]


def test_a_file_has_the_results_of_one_season_and_league_and_counts_its_rejections() -> None:
    rejected = row(
        home_team=None, home_goals=None, order=1, origin="train.csv 3", reason="A team is\nnot named."
    )
    first, second = write_result_files(
        placed(
            row(origin="train.csv 2"),
            rejected,
            row(order=2, kickoff=datetime(2020, 9, 19, 14), away_goals=None),
        )
    )
    assert (first.season, first.league_id, first.matches, first.rejected) == ("2019-20", "eng.1", 1, 1)
    assert first.data.decode().splitlines() == [
        "Date,Time,Team 1,FT,Team 2,origin,refused",
        "2020-07-04,19:30,?,?,Beta,train.csv 3,A team is not named.",
        "2020-07-04,19:30,Alpha,2-1,Beta,train.csv 2,",
    ]
    assert (second.season, second.matches, second.rejected) == ("2020-21", 1, 0)
    assert second.data.decode().splitlines()[1] == "2020-09-19,15:00,Alpha,?,Beta,train.csv 2,"


def test_a_league_without_an_id_is_one_rejection_that_says_how_to_add_it() -> None:
    unknown = [
        row(league=999_999, league_name=name, order=order) for order, name in enumerate(["Moon", None])
    ]
    (file,) = write_result_files(placed(*unknown))
    assert (file.league_id, file.matches, file.rejected) == (UNPLACED, 0, 1)
    assert "League 999999 'Moon' has no id here, and so its 2 records of the season" in file.data.decode()


def test_friendlies_are_no_competition() -> None:
    (file,) = write_result_files(placed(row(league=999_999, league_name="Club Friendlies")))
    assert "League 999999 'Club Friendlies' is not a competition: its 1 records" in file.data.decode()
