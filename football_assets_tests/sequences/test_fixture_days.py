"""Which fixtures are overdue, and the day of a match asked for without one."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from football_assets.registry.predictor import load_team_state
from football_assets.registry.store import Registry
from football_assets.sequences.fixture_days import (
    ListedDays,
    next_match_day,
    results_known_until,
    split_overdue,
    with_inputs,
)
from football_assets.sequences.state import TeamState

TODAY = date(2026, 1, 1)
LAST = date(2015, 11, 7)  # day of the last match of Arsenal and of Chelsea in the demo


@pytest.fixture(scope="module")
def state(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> TeamState:
    from football_assets.storage.local import LocalBucket

    registry = Registry(LocalBucket(demo_home / "bucket"))
    return load_team_state(registry.open("production").load(tmp_path_factory.mktemp("bundle")))


def listed(*fixtures: tuple[str, str, str, date, bool]) -> pl.DataFrame:
    """Rows of `fixture_predictions`: league, teams, day, whether it is overdue."""
    names = dict.fromkeys(("league_id", "home_team", "away_team"), pl.String)
    schema = {**names, "kickoff_date": pl.Date, "is_overdue": pl.Boolean}
    return pl.DataFrame(fixtures, schema=schema, orient="row")


def arsenal_chelsea(*days: date, league: str = "eng.1", overdue: bool = False) -> pl.DataFrame:
    return listed(*((league, "Arsenal", "Chelsea", day, overdue) for day in days))


def test_the_next_fixture_of_the_league_is_taken_not_one_of_another_competition_or_the_past(
    state: TeamState,
) -> None:
    fixtures = pl.concat(
        [
            arsenal_chelsea(date(2015, 8, 1), overdue=True),
            arsenal_chelsea(date(2015, 12, 1), league="eng.cup"),
            listed(("eng.1", "Chelsea", "Arsenal", date(2015, 12, 2), False)),
            arsenal_chelsea(date(2016, 1, 23), date(2016, 3, 1)),
        ]
    )

    pairing = state.resolve("Premier League", "arsenal", "CHELSEA")
    found = (*pairing, next_match_day(state, ListedDays(fixtures), pairing, TODAY))

    assert found == ("eng.1", "eng:Arsenal", "eng:Chelsea", date(2016, 1, 23))


@pytest.mark.parametrize(
    ("days", "today", "expected"),
    [
        ([], TODAY, TODAY),
        ([], LAST, LAST + timedelta(days=1)),
        ([LAST], TODAY, TODAY),
        ([LAST], LAST, LAST + timedelta(days=1)),
        ([LAST + timedelta(days=1)], TODAY, LAST + timedelta(days=1)),
    ],
)
def test_without_a_fixture_after_the_last_match_it_is_today_or_the_day_after(
    state: TeamState, days: list[date], today: date, expected: date
) -> None:
    pairing = state.resolve("eng.1", "Arsenal", "Chelsea")
    found = next_match_day(state, ListedDays(arsenal_chelsea(*days)), pairing, today)

    assert found == expected


def test_an_overdue_fixture_is_taken_only_where_no_coming_one_is_listed(state: TeamState) -> None:
    overdue = arsenal_chelsea(date(2015, 11, 8), overdue=True)
    both = pl.concat([overdue, arsenal_chelsea(date(2016, 1, 23))])

    days = [
        next_match_day(state, ListedDays(fixtures), state.resolve("eng.1", "Arsenal", "Chelsea"), TODAY)
        for fixtures in (overdue, both)
    ]

    assert days == [date(2015, 11, 8), date(2016, 1, 23)]
    assert ListedDays(both).overdue("eng.1", "Arsenal", "Chelsea") == [date(2015, 11, 8)]
    assert ListedDays(both).overdue("eng.1", "Chelsea", "Arsenal") == []


@pytest.mark.parametrize(
    ("results", "today", "expected"),
    [
        ([date(2015, 11, 7), date(2015, 11, 8)], TODAY, date(2015, 11, 8)),
        ([date(2015, 11, 7), date(2115, 11, 8)], TODAY, TODAY),
        ([], TODAY, date.min),
    ],
)
def test_results_are_known_until_the_day_of_the_last_one_and_never_beyond_today(
    results: list[date], today: date, expected: date
) -> None:
    unplayed = {"kickoff_date": date(2016, 5, 1), "is_played": False}
    played = [{"kickoff_date": day, "is_played": True} for day in results]

    assert results_known_until(pl.DataFrame([unplayed, *played]), today) == expected


def test_a_table_of_before_the_mark_has_no_overdue_fixture() -> None:
    fixtures = arsenal_chelsea(date(2015, 8, 1), overdue=True)

    coming, overdue = split_overdue(fixtures)
    assert (coming.height, overdue.height) == (0, 1)
    coming, overdue = split_overdue(fixtures.drop("is_overdue"))
    assert (coming.height, overdue.height) == (1, 0)


def test_a_table_of_before_there_were_tiers_is_from_results_without_odds() -> None:
    fixtures = arsenal_chelsea(LAST, TODAY)

    assert (
        with_inputs(fixtures).select("inputs", "odds_home", "odds_draw", "odds_away").rows()
        == [("results", None, None, None)] * 2
    )
    assert with_inputs(fixtures).schema["odds_away"] == pl.Float64
    later = with_inputs(fixtures).with_columns(inputs=pl.lit("results+odds"), odds_home=pl.lit(2.5))
    assert with_inputs(later).equals(later)
