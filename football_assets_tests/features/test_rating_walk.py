"""The walk through match days and the table of team and match."""

import numpy as np
import polars as pl

from football_assets.features.rating_walk import RatingTable, walk
from football_assets.features.schedule import ROW_ORDER, Indices, Schedule, schedule_of
from football_assets_tests.builders.stg_matches import Row, stg_matches


class Counted:
    """A part that counts the matches of teams and leagues."""

    def __init__(self, schedule: Schedule, is_known: list[bool]) -> None:
        self.schedule = schedule
        self.is_known = np.array(is_known)
        self.teams = np.zeros((len(schedule.team_pools), 1))
        self.leagues = np.zeros((len(schedule.tiers), 1))

    def observe(self, matches: Indices) -> None:
        self.teams[self.schedule.teams[matches]] += 1
        np.add.at(self.leagues, self.schedule.league[matches], 1)


ROWS: list[Row] = [
    ("x.1", 0, "A", "B", 1, 0),
    ("x.1", 0, "A", "C", 1, 0),  # a team's second match of the day
    ("x.1", 3, "B", "A", 1, 0),
    ("x.1", 5, "C", "A", None, None),
]


def test_a_day_is_read_before_and_after_all_its_matches() -> None:
    schedule = schedule_of(stg_matches(ROWS).sort(*ROW_ORDER[:3]))
    (states,) = walk(schedule, [Counted(schedule, [True, True, True, False])])
    assert states.before[0].tolist() == [[0, 0], [0, 0], [1, 2], [1, 3]]
    assert states.after[0].tolist() == [[2, 1], [2, 1], [2, 3], [1, 3]]
    assert states.league_before[0].tolist() == [0, 0, 2, 3]
    assert states.league_after[0].tolist() == [2, 2, 3, 3]


def test_a_part_sees_only_matches_that_it_knows() -> None:
    schedule = schedule_of(stg_matches(ROWS).sort(*ROW_ORDER[:3]))
    (states,) = walk(schedule, [Counted(schedule, [False, True, False, False])])
    assert states.after[0, -1].tolist() == [1, 1]


def test_rows_of_the_table_are_those_of_teams_in_order() -> None:
    matches = stg_matches([("x.1", 0, "B", "A", 1, 0), ("x.1", 5, "A", "B", None, None)])
    side = np.array([[1.0, 2.0], [3.0, np.nan]])
    frame = RatingTable(
        team={"rating": (side, side * 10)},
        league={"level": (np.array([5.0, 6.0]), np.array([50.0, 60.0]))},
        match={"fact": side * 100},
    ).frame(matches)
    assert frame["team_id"].to_list() == ["x:A", "x:B", "x:A", "x:B"]
    assert frame["is_home"].to_list() == [False, True, True, False]
    assert frame["rating"].to_list() == [2.0, 1.0, 3.0, None]
    assert frame["rating_after"].to_list() == [20.0, 10.0, None, None]
    assert frame["level"].to_list() == [5.0, 5.0, 6.0, 6.0]
    assert frame["level_after"].to_list() == [50.0, 50.0, 60.0, 60.0]
    assert frame["fact"].to_list() == [200.0, 100.0, 300.0, None]
    assert frame.schema["fact"] == pl.Float64
