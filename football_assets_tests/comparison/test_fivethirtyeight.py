"""FiveThirtyEight's file: read with clear errors, and joined to its matches, a day off where need be."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.fivethirtyeight import (
    SPI_LEAGUES,
    SPI_PROBABILITIES,
    FiveThirtyEightError,
    FiveThirtyEightRival,
    join_fivethirtyeight,
    read_fivethirtyeight,
)
from football_assets.domain.leagues import league_of, parse_league_id
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import split_by_time
from football_assets_tests.builders.planted import SMALL, planted_tensors

HEADER = "date,league,team1,team2,prob1,prob2,probtie,score1,score2,spi1\n"
ROW = "2021-08-14,Barclays Premier League,Arsenal,Chelsea,0.5,0.2,0.3,2.0,1.0,80.1\n"


@pytest.fixture(scope="module")
def tensors() -> SequenceTensors:
    return planted_tensors(60)


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spi_matches.csv"
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(tensors: SequenceTensors, rows: list[int], days_off: int = 0) -> pl.DataFrame:
    """Rows of the file of some matches, all at 0.5, 0.3 and 0.2."""
    keys = tensors.keys[rows]
    return keys.select(
        pl.col("kickoff_date").alias("date") + pl.duration(days=days_off),
        "league_id",
        pl.col("home_team").alias("home"),
        pl.col("away_team").alias("away"),
        *(pl.lit(value).alias(name) for name, value in zip(SPI_PROBABILITIES, (0.5, 0.3, 0.2), strict=True)),
    )


def known(tensors: SequenceTensors) -> list[int]:
    return tensors.keys[SPI_PROBABILITIES[0]].is_not_null().arg_true().to_list()


def test_the_draw_is_in_the_middle_though_the_file_has_it_last(tmp_path: Path) -> None:
    (row,) = read_fivethirtyeight(file_of(tmp_path, HEADER + ROW)).rows()

    assert row == (date(2021, 8, 14), "eng.1", "Arsenal", "Chelsea", 0.5, 0.3, 0.2)


def test_other_competitions_and_knockout_rounds_are_left_out(tmp_path: Path) -> None:
    other = ROW.replace("Barclays Premier League", "UEFA Champions League")
    knockout = ROW.replace("0.5,0.2,0.3", "0.7,0.3,0.0").replace(
        "Barclays Premier League", "Major League Soccer"
    )

    assert len(read_fivethirtyeight(file_of(tmp_path, HEADER + other + knockout + ROW))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("probtie,", "") + ROW.replace("0.3,", "", 1), "no column probtie"),
        (HEADER + ROW + ROW.replace("2021-08-14", "14.8.2021"), "line 3"),
        (HEADER + ROW.replace("0.5,0.2,0.3", "0.5,0.3,0.3"), "line 2"),
        (HEADER + ROW.replace("0.5,0.2,0.3", "1.2,-0.5,0.3"), "line 2"),
        (HEADER + ROW.replace("0.5,0.2,0.3", "0.5,,0.3"), "line 2"),
        (HEADER + ROW.replace("Arsenal", ""), "line 2"),
        (HEADER + ROW.replace("Barclays Premier League", "nowhere"), "no match of a league"),
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FiveThirtyEightError, match=message):
        read_fivethirtyeight(file_of(tmp_path, text))


def test_every_league_of_the_table_is_a_league() -> None:
    assert all(parse_league_id(league_id) == league_id for league_id in SPI_LEAGUES.values())
    assert {league_of(league_id).tier for league_id in SPI_LEAGUES.values()} == {1, 2, 3, 4}


def test_probabilities_reach_their_matches_and_no_others(tensors: SequenceTensors) -> None:
    joined = join_fivethirtyeight(tensors, rows_of(tensors, [3, 7]))

    assert (joined.rows, joined.matched, joined.shifted, joined.unmatched) == (2, 2, 0, [])
    assert known(joined.tensors) == [3, 7]
    split = split_by_time(planted_tensors(), SMALL.split)
    found = FiveThirtyEightRival().forecast(joined.tensors, split, np.array([7, 8])).probabilities
    np.testing.assert_allclose(found, [[0.5, 0.3, 0.2], [np.nan] * 3])


@pytest.mark.parametrize("days_off", [-1, 1])
def test_a_row_a_day_off_finds_its_match_and_is_counted(tensors: SequenceTensors, days_off: int) -> None:
    keys = tensors.keys.with_columns(  # weekly, so that no other match is near
        kickoff_date=pl.Series([date(2014, 8, 1) + timedelta(days=7 * i) for i in range(len(tensors))])
    )
    weekly = SequenceTensors(**{**vars(tensors), "keys": keys})
    rows = pl.concat([rows_of(weekly, [3]), rows_of(weekly, [7], days_off)])

    joined = join_fivethirtyeight(weekly, rows)

    assert known(joined.tensors) == [3, 7]
    assert (joined.matched, joined.shifted) == (2, 1)
    assert "2 of 2 rows of these leagues and days found their match, 1 of them a day" in joined.describe()


def test_a_row_two_days_off_finds_no_match(tensors: SequenceTensors) -> None:
    keys = tensors.keys.with_columns(
        kickoff_date=pl.Series([date(2014, 8, 1) + timedelta(days=7 * i) for i in range(len(tensors))])
    )
    weekly = SequenceTensors(**{**vars(tensors), "keys": keys})

    joined = join_fivethirtyeight(weekly, rows_of(weekly, [7], 2))

    assert (joined.matched, len(joined.unmatched)) == (0, 1)
    assert "1 without a match: 2014-09-21" in joined.describe()


def test_two_rows_for_one_match_are_both_left_out(tensors: SequenceTensors) -> None:
    other = rows_of(tensors, [3]).with_columns(away=pl.lit("Nobody"))

    joined = join_fivethirtyeight(tensors, pl.concat([rows_of(tensors, [3, 7]), other]))

    assert known(joined.tensors) == [7]
    assert len(joined.unmatched) == 2


def test_rows_outside_the_leagues_and_days_of_the_tensors_are_not_counted(tensors: SequenceTensors) -> None:
    rows = rows_of(tensors, [3, 7])
    abroad = rows.with_columns(league_id=pl.lit("de.1"))
    late = rows.with_columns(date=pl.lit(date(2030, 1, 1)))

    assert join_fivethirtyeight(tensors, pl.concat([rows, abroad, late])).rows == 2


def test_tensors_without_its_columns_have_no_forecast(tensors: SequenceTensors) -> None:
    split = split_by_time(planted_tensors(), SMALL.split)

    assert np.isnan(FiveThirtyEightRival().forecast(tensors, split, np.array([1])).probabilities).all()
