"""The order in which ratings walk through matches."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from football_assets.features.schedule import ROW_ORDER, Schedule, float_columns, schedule_of
from football_assets_tests.builders.stg_matches import Row, stg_matches


def schedule(*rows: Row) -> Schedule:
    return schedule_of(stg_matches(rows).sort(*ROW_ORDER[:3]))


def test_a_step_holds_the_nth_match_day_of_each_country() -> None:
    steps = schedule(
        ("x.1", 0, "A", "B", 1, 0),  # 0
        ("x.2", 0, "C", "D", 1, 0),  # 1
        ("x.1", 5, "B", "A", 1, 0),  # 2
        ("y.1", 5, "E", "F", 1, 0),  # 3
        ("y.1", 9, "F", "E", 1, 0),  # 4
    ).steps()
    assert [step.tolist() for step in steps] == [[0, 1, 3], [2, 4]]


def test_no_matches_have_no_steps() -> None:
    assert schedule().steps() == []


def test_a_day_without_repeated_teams_is_one_round() -> None:
    matches = schedule(("x.1", 0, "A", "B", 1, 0), ("x.1", 0, "C", "D", 1, 0))
    assert [each.tolist() for each in matches.rounds(np.array([0, 1]))] == [[0, 1]]


@given(
    st.lists(
        st.permutations("ABCDE").map(lambda teams: tuple(teams[:2])), min_size=1, max_size=8, unique=True
    )
)
def test_rounds_hold_every_match_once_and_no_team_twice(pairs: list[tuple[str, str]]) -> None:
    matches = schedule(*[("x.1", 0, *pair, 1, 0) for pair in pairs])
    rounds = matches.rounds(np.arange(len(pairs)))
    assert sorted(np.concatenate(rounds).tolist()) == list(range(len(pairs)))
    for each in rounds:
        teams = matches.teams[each].ravel().tolist()
        assert len(set(teams)) == len(teams)


def test_columns_that_a_table_lacks_are_unknown() -> None:
    columns = float_columns(pl.DataFrame({"a": [1, None]}), ["a", "b"])
    np.testing.assert_array_equal(columns, [[1.0, np.nan], [np.nan, np.nan]])
