"""Columns of the market and shot ratings: distinct names, plausible bounds, flags."""

import subprocess
import sys

import pytest

from football_assets.features.rating_columns import (
    MARKET_CONTEXT,
    MARKET_CONTEXT_COLUMNS,
    MARKET_HISTORY,
    MARKET_HISTORY_COLUMNS,
    MARKET_IMPLIED,
    MARKET_LEAGUE_STATE,
    MARKET_TEAM_STATE,
    RESULT_CONTEXT,
    SHOT_CONTEXT,
    SHOT_CONTEXT_COLUMNS,
    SHOT_HISTORY,
    SHOT_HISTORY_COLUMNS,
    SHOT_LEAGUE_STATE,
    SHOT_TEAM_STATE,
    RatingColumn,
)

COLUMNS = (
    *MARKET_HISTORY_COLUMNS,
    *MARKET_CONTEXT_COLUMNS,
    *SHOT_HISTORY_COLUMNS,
    *SHOT_CONTEXT_COLUMNS,
)


def test_no_column_of_a_table_appears_twice() -> None:
    market = [*MARKET_TEAM_STATE, *MARKET_LEAGUE_STATE, *MARKET_HISTORY, *MARKET_IMPLIED]
    shots = [*SHOT_TEAM_STATE, *SHOT_LEAGUE_STATE, *SHOT_HISTORY]
    assert len(set(market)) == len(market)
    assert len(set(shots)) == len(shots)


def test_no_input_appears_twice() -> None:
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_column_has_bounds_and_a_description_of_one_line(column: RatingColumn) -> None:
    assert column.lower < column.upper
    assert column.description.endswith(".")
    assert "\n" not in column.description


def test_flags_lie_between_zero_and_one() -> None:
    flags = [column for column in COLUMNS if column.unit == "flag"]
    assert [column.name for column in flags] == ["odds_known", "odds_rated", "shots_known", "shots_rated"]
    assert all((column.lower, column.upper) == (0, 1) for column in flags)


def test_the_flags_come_first() -> None:
    first = [names[0] for names in (MARKET_HISTORY, MARKET_CONTEXT, SHOT_HISTORY, SHOT_CONTEXT)]
    assert first == ["odds_known", "odds_rated", "shots_known", "shots_rated"]


def test_columns_known_without_odds_are_the_last_of_the_market_context() -> None:
    assert MARKET_CONTEXT[-2:] == RESULT_CONTEXT


def test_importing_the_columns_loads_no_library() -> None:
    script = (
        "import sys, football_assets.features.rating_columns; "
        "print({'numpy', 'polars', 'dagster', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
