"""The shot columns of a match's context."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from football_assets.features.market_context import RATED_DAYS
from football_assets.features.rating_columns import SHOT_CONTEXT, SHOT_LEAGUE_STATE, SHOT_TEAM_STATE
from football_assets.features.shot_context import shot_context

HOME = {name: 0.01 * (i + 1) for i, name in enumerate(SHOT_TEAM_STATE)} | {"shots_day": 1000.0}
AWAY = {name: -0.02 * (i + 1) for i, name in enumerate(SHOT_TEAM_STATE)} | {"shots_day": 990.0}
LEAGUE = {name: 0.1 + 0.01 * i for i, name in enumerate(SHOT_LEAGUE_STATE)}


def context(
    home: dict[str, float] = HOME, away: dict[str, float] = AWAY, day: int = 1010
) -> dict[str, float]:
    values = shot_context(
        row_of(home, SHOT_TEAM_STATE),
        row_of(away, SHOT_TEAM_STATE),
        row_of(LEAGUE, SHOT_LEAGUE_STATE),
        np.array([day]),
    )
    return dict(zip(SHOT_CONTEXT, values[0].tolist(), strict=True))


def row_of(state: dict[str, float], names: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([[state[name] for name in names]])


def test_columns_have_the_right_sides_and_signs() -> None:
    row = context()
    assert row["shots_rated"] == 1.0
    for name in ("shots_on_target", "shots", "corners"):
        expected = HOME[f"{name}_strength"] - AWAY[f"{name}_strength"] + LEAGUE[f"{name}_home_advantage"]
        assert row[f"{name}_supremacy"] == pytest.approx(expected)
    for name in (name for name in SHOT_TEAM_STATE if "margin" in name):
        assert (row[f"home_{name}"], row[f"away_{name}"]) == (HOME[name], AWAY[name])
    assert row["shots_on_target_sum"] == pytest.approx(
        (HOME["shots_on_target_sum_15"] + AWAY["shots_on_target_sum_15"]) / 2
    )


@pytest.mark.parametrize("is_home", [True, False])
def test_without_shots_of_one_team_nothing_is_known(is_home: bool) -> None:
    unknown = dict.fromkeys(SHOT_TEAM_STATE, math.nan)
    row = context(home=unknown) if is_home else context(away=unknown)
    assert row.pop("shots_rated") == 0.0
    assert all(math.isnan(value) for value in row.values())


def test_ratings_whose_last_shots_are_old_are_not_shown() -> None:
    assert context(day=990 + RATED_DAYS)["shots_rated"] == 1.0
    assert context(day=991 + RATED_DAYS)["shots_rated"] == 0.0


def test_one_match_and_many_give_the_same_bits() -> None:
    random = np.random.default_rng(3)
    home, away = (random.normal(size=(40, len(SHOT_TEAM_STATE))) for _ in range(2))
    league = random.normal(size=(40, len(SHOT_LEAGUE_STATE)))
    days = np.arange(40, dtype=np.int64)
    together = shot_context(home, away, league, days)
    for row in range(40):
        alone = [each[row : row + 1].copy() for each in (home, away, league)]
        (values,) = shot_context(alone[0], alone[1], alone[2], days[row : row + 1])
        np.testing.assert_array_equal(values, together[row])
