"""Matches of the challenge as landing files, and as fixtures of a team state."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.comparison.challenge_files import MATCH_SCHEMA
from football_assets.comparison.challenge_world import (
    fixtures_of,
    newcomers,
    number_teams,
    training_seasons,
    with_newcomers,
    write_landing_files,
)
from football_assets.domain.clubs import name_club


def matches_of(*rows: tuple) -> pl.DataFrame:
    """League, sea, day, teams, and goals if there are any."""
    full = [(line, *row, *(() if len(row) == 7 else (None, None))) for line, row in enumerate(rows, start=2)]
    return pl.DataFrame(full, schema=MATCH_SCHEMA, orient="row")


TRAINING = matches_of(
    ("eng.1", "20-21", date(2020, 9, 12), "Man Utd", "Manchester United", 1, 0),
    ("eng.1", "20-21", date(2021, 5, 8), "Manchester United", "Man Utd", 2, 3),
    ("sco.1", "20-21", date(2020, 9, 12), "Man Utd", "Hearts", 0, 0),
)


def test_two_names_are_two_teams_and_one_name_in_two_countries_is_two_teams() -> None:
    teams = number_teams(TRAINING)

    assert teams.rows() == [
        ("eng", "Man Utd", "T1"),
        ("eng", "Manchester United", "T2"),
        ("sco", "Hearts", "T3"),
        ("sco", "Man Utd", "T4"),
    ]
    assert [name_club("eng", number).club for number in teams["number"]] == teams["number"].to_list()


def test_landing_files_have_numbers_for_names_and_a_round_for_each_match(tmp_path: Path) -> None:
    write_landing_files(TRAINING, number_teams(TRAINING), tmp_path)

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.csv")) == [
        "2020-21/eng.1.csv",
        "2020-21/sco.1.csv",
    ]
    assert (tmp_path / "2020-21" / "eng.1.csv").read_text().splitlines() == [
        "Date,Team 1,FT,Team 2,Round",
        "2020-09-12,T1,1-0,T2,Matchday 1",
        "2021-05-08,T2,2-3,T1,Matchday 2",
    ]


@pytest.mark.parametrize(
    ("league_id", "days", "seasons"),
    [
        ("eng.1", [date(2020, 9, 12), date(2021, 5, 23)], ["2020-21", "2020-21"]),
        ("se.1", [date(2020, 6, 14), date(2020, 12, 6)], ["2020", "2020"]),
        ("ar.1", [date(2022, 6, 3), date(2022, 10, 23)], ["2022", "2022"]),
        ("cl.1", [date(2020, 1, 24), date(2021, 2, 15)], ["2020", "2020"]),
        ("ru.1", [date(2008, 3, 14), date(2008, 11, 22)], ["2008", "2008"]),
        # Days outside of the season that the first match starts.
        ("tn.1", [date(2011, 11, 4), date(2012, 10, 3)], ["2011-12", "2012-13"]),
        ("sco.3", [date(2021, 4, 24), date(2022, 4, 30)], ["2021", "2021-22"]),
    ],
)
def test_a_season_starts_with_the_first_match_of_its_label(
    league_id: str, days: list[date], seasons: list[str]
) -> None:
    training = matches_of(*((league_id, "any", day, "A", "B", 1, 1) for day in days))

    assert training_seasons(training).to_list() == seasons


def test_a_fixture_belongs_to_the_season_of_its_label_if_its_day_fits() -> None:
    test = matches_of(
        ("eng.1", "20-21", date(2021, 5, 9), "Man Utd", "Fulham"),
        ("eng.1", "20-21", date(2022, 5, 9), "Fulham", "Man Utd"),
        ("eng.1", "21-22", date(2021, 5, 9), "Man Utd", "Manchester United"),
        ("sco.1", "20-21", date(2021, 5, 9), "Hearts", "Man Utd"),
    )
    teams = number_teams(TRAINING, test)  # eng: Fulham, Man Utd, Manchester United; sco: Hearts, Man Utd

    fixtures = fixtures_of(test, TRAINING, teams)

    assert fixtures["season"].to_list() == ["2020-21", None, None, "2020-21"]
    assert fixtures["kickoff_date"].to_list() == test["day"].to_list()
    assert fixtures.select("home_team_id", "away_team_id").rows() == [
        ("eng:T2", "eng:T1"),
        ("eng:T1", "eng:T2"),
        ("eng:T2", "eng:T3"),
        ("sco:T4", "sco:T5"),
    ]


def test_newcomers_are_named_with_their_league() -> None:
    test = matches_of(
        ("sco.1", "20-21", date(2021, 5, 9), "Manchester United", "Hearts"),
        ("eng.1", "20-21", date(2021, 5, 9), "Fulham", "Man Utd"),
    )

    assert newcomers(test, TRAINING) == ["Fulham (eng.1)", "Manchester United (sco.1)"]


def test_a_team_state_gets_its_newcomers_once_and_keeps_its_teams() -> None:
    state = pl.DataFrame(
        {
            "team_id": [None, "eng:T1"],
            "team": [None, "T1"],
            "country": ["eng", "eng"],
            "league_id": ["eng.1", "eng.1"],
            "elo": [1500.0, 1620.0],
        }
    )
    fixtures = pl.DataFrame(
        {
            "league_id": ["eng.1"] * 2,
            "home_team_id": ["eng:T1", "eng:T2"],
            "away_team_id": ["eng:T2", "eng:T1"],
        }
    )

    assert with_newcomers(state, fixtures).rows() == [
        (None, None, "eng", "eng.1", 1500.0),
        ("eng:T1", "T1", "eng", "eng.1", 1620.0),
        ("eng:T2", "T2", "eng", "eng.1", None),
    ]


@given(st.lists(st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=3))
def test_results_in_a_test_change_no_fixture(results: list[tuple[int, int] | None]) -> None:
    plain = [
        ("eng.1", "20-21", date(2021, 5, 9), "Man Utd", "Fulham"),
        ("sco.1", "20-21", date(2021, 5, 10), "Hearts", "Man Utd"),
        ("eng.1", "20-21", date(2021, 5, 11), "Fulham", "Manchester United"),
    ]
    without = matches_of(*plain)
    scored = matches_of(
        *((*row, *goals) if goals is not None else row for row, goals in zip(plain, results, strict=True))
    )
    teams = number_teams(TRAINING, scored)

    assert teams.equals(number_teams(TRAINING, without))
    assert fixtures_of(scored, TRAINING, teams).equals(fixtures_of(without, TRAINING, teams))
    assert newcomers(scored, TRAINING) == newcomers(without, TRAINING) == ["Fulham (eng.1)"]
