"""Odds from a file: read with clear errors, and joined to their matches without losing a row in silence."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.odds import OddsError, join_odds, read_odds
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import bookmaker
from football_assets_tests.builders.planted import planted_tensors

HEADER = "date,season,league,home,away,hg,ag,oh,od,oa\n"
ROW = "2021-08-14,2021-22,E0,Arsenal,Chelsea,2,1,2.1,3.4,3.6\n"


@pytest.fixture(scope="module")
def tensors() -> SequenceTensors:
    return planted_tensors(60)


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "odds.csv"
    path.write_text(text)
    return path


def rows_of(tensors: SequenceTensors, rows: list[int]) -> pl.DataFrame:
    """The file's rows of some matches, all at odds of 2, 4 and 4."""
    keys = tensors.keys[rows]
    return pl.DataFrame(
        {
            "date": keys["kickoff_date"],
            "league_id": keys["league_id"],
            "home": keys["home_team"],
            "away": keys["away_team"],
            "hg": tensors.goals[rows, 0].astype(np.int64),
            "ag": tensors.goals[rows, 1].astype(np.int64),
            "odds_home": 2.0,
            "odds_draw": 4.0,
            "odds_away": 4.0,
        }
    )


def test_a_file_is_read_into_leagues_days_and_odds(tmp_path: Path) -> None:
    (row,) = read_odds(file_of(tmp_path, HEADER + ROW)).rows()

    assert row == (date(2021, 8, 14), "eng.1", "Arsenal", "Chelsea", 2, 1, 2.1, 3.4, 3.6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("od,", "") + ROW.replace("3.4,", ""), "no column od"),
        (HEADER + ROW.replace("2021-08-14", "14.8.2021"), "line 2"),
        (HEADER + ROW + ROW.replace("Arsenal", "Everton").replace("2.1", "0.9"), "line 3"),
        (HEADER + ROW.replace("3.6", ""), "line 2"),
        (HEADER + ROW.replace("E0", "nowhere"), "line 2"),
        (HEADER + ROW + ROW, "more than once"),
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OddsError, match=message):
        read_odds(file_of(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OddsError, match="cannot be read"):
        read_odds(tmp_path / "odds.csv")


def test_odds_reach_their_matches_and_no_others(tensors: SequenceTensors) -> None:
    joined = join_odds(tensors, rows_of(tensors, [3, 7]))

    chances = bookmaker(joined.tensors, np.arange(len(tensors)))
    assert np.flatnonzero(~np.isnan(chances[:, 0])).tolist() == [3, 7]
    np.testing.assert_allclose(chances[[3, 7]], [[0.5, 0.25, 0.25]] * 2)
    assert (joined.rows, joined.matched, joined.unmatched, joined.contradictions) == (2, 2, [], [])


def test_odds_of_the_file_come_before_those_of_the_results(tensors: SequenceTensors) -> None:
    first = join_odds(tensors, rows_of(tensors, [3, 7])).tensors
    dearer = rows_of(tensors, [7]).with_columns(odds_home=pl.lit(4.0), odds_away=pl.lit(2.0))

    keys = join_odds(first, dearer).tensors.keys

    assert keys["odds_home"][3] == 2.0
    assert keys["odds_home"][7] == 4.0


def test_one_name_that_is_not_known_is_borne_and_two_are_told(tensors: SequenceTensors) -> None:
    rows = rows_of(tensors, [3, 7, 11])
    rows = rows.with_columns(
        home=pl.Series(["Nobody", *rows["home"][1:]]),
        away=pl.Series(["Nobodies", "Stranger", rows["away"][2]]),
    )
    rows = rows.with_columns(
        date=pl.Series([*rows["date"][:2], rows["date"][2] + timedelta(days=300)]),
    )

    joined = join_odds(tensors, rows)

    assert joined.matched == 1
    assert joined.tensors.keys["odds_home"].is_not_null().arg_true().to_list() == [7]
    assert "Nobody – Nobodies" in joined.unmatched[0]
    assert "2 without a match" in joined.describe()


def test_a_row_with_another_score_is_told(tensors: SequenceTensors) -> None:
    rows = rows_of(tensors, [3, 7]).with_columns(hg=pl.Series([9, int(tensors.goals[7, 0])]))

    joined = join_odds(tensors, rows)

    assert len(joined.contradictions) == 1
    assert "1 with another score" in joined.describe()
