"""Tests of `domain.measures`."""

from football_assets.domain.measures import (
    HANDICAPS,
    MEASURE_COLUMNS,
    MEASURE_GROUPS,
    MEASURED_ODDS_COLUMNS,
    OUTCOME_ODDS,
    STATISTIC_COLUMNS,
    TOTAL_ODDS,
)


def test_each_measure_is_one_column_of_one_group() -> None:
    assert len(set(MEASURE_COLUMNS)) == len(MEASURE_COLUMNS) == 14 + 4 + 9 + 4 + 6


def test_groups_hold_the_home_team_first() -> None:
    assert STATISTIC_COLUMNS[:4] == (
        "home_half_time_goals",
        "away_half_time_goals",
        "home_shots",
        "away_shots",
    )
    for group in MEASURE_GROUPS:
        home = [place for place, column in enumerate(group) if "home" in column]
        away = [place for place, column in enumerate(group) if "away" in column]
        assert home < away or not (home or away), group


def test_odds_name_their_outcomes_in_order() -> None:
    assert [[column.rpartition("_")[2] for column in group] for group in OUTCOME_ODDS] == [
        ["home", "draw", "away"]
    ] * 3
    assert [[column.rpartition("_")[2] for column in group] for group in TOTAL_ODDS] == [
        ["over", "under"]
    ] * 2
    assert [[column.rpartition("_")[2] for column in group] for group in HANDICAPS] == [
        ["line", "home", "away"]
    ] * 2
    assert len(MEASURED_ODDS_COLUMNS) == 19
