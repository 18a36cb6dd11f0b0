"""The shift of home advantage: none in ordinary years, learnt in weeks when it moves, never from its own day."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from football_assets.sequences.home_advantage import home_advantage_shift, with_home_advantage
from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT

FIRST_DAY = date(2018, 8, 1)
HOME_GOALS, AWAY_GOALS = 1.5, 1.2


def matches(
    goals: np.ndarray, matches_a_day: int = 40, means: tuple[float, float] = (HOME_GOALS, AWAY_GOALS)
) -> pl.DataFrame:
    """Matches with these goals `[n, 2]`, so many a day from `FIRST_DAY` on, in leagues of the same mean goals."""
    return pl.DataFrame(
        {
            "match_id": [f"{i:06d}" for i in range(len(goals))],
            "kickoff_date": [FIRST_DAY + timedelta(days=i // matches_a_day) for i in range(len(goals))],
            "is_played": True,
            "home_goals": pl.Series(goals[:, 0], dtype=pl.Int16),
            "away_goals": pl.Series(goals[:, 1], dtype=pl.Int16),
            "league_home_goals": means[0],
            "league_away_goals": means[1],
        }
    )


def drawn(shift: float, count: int, seed: int = 0) -> np.ndarray:
    """Goals `[count, 2]` of matches where home advantage is so far from the leagues' means."""
    generator = np.random.default_rng(seed)
    rates = (HOME_GOALS * np.exp(shift / 2), AWAY_GOALS * np.exp(-shift / 2))
    return generator.poisson(rates, (count, 2))


def last(frame: pl.DataFrame) -> float:
    """The shift after all matches."""
    day = frame["kickoff_date"].max() + timedelta(days=1)  # type: ignore[operator]
    return float(home_advantage_shift(frame).before(pl.Series([day]))[0])


def test_a_shift_of_all_leagues_is_found() -> None:
    assert last(matches(drawn(-0.3, 8000))) == pytest.approx(-0.3, abs=0.06)
    assert last(matches(drawn(0.3, 8000))) == pytest.approx(0.3, abs=0.06)


def test_most_of_a_sudden_shift_is_known_after_as_many_matches_as_a_few_weeks_have() -> None:
    frame = matches(np.concatenate([drawn(0.0, 8000), drawn(-0.3, 1500, seed=1)]))

    assert last(frame[:8000]) == pytest.approx(0.0, abs=0.01)
    assert -0.3 < last(frame) < -0.15


def test_ordinary_years_give_no_shift_at_all_on_nearly_every_day() -> None:
    frame = matches(drawn(0.0, 40_000))
    shift = home_advantage_shift(frame).before(frame["kickoff_date"])

    assert (shift == 0).mean() > 0.9
    assert np.abs(shift).max() < 0.06


def test_one_day_moves_the_shift_by_the_hand_computed_amount() -> None:
    """Every match ends 0-6: the step is 300/(20 + 300) of 2 (-1.5 - 4.8) / 2.7, less the noise of 20 matches."""
    frame = matches(np.tile([0, 6], (300, 1)), matches_a_day=300)
    step = 300 / 320 * 2 * (-1.5 - 4.8) / 2.7
    expected = step * (1 - 4 / (2 * 20 * 2.7 / 4) / step**2)

    series = home_advantage_shift(frame, memory=20).series

    assert series["day"].to_list() == [FIRST_DAY]
    assert series[HOME_ADVANTAGE_SHIFT].to_list() == [pytest.approx(expected)]


def test_what_the_leagues_know_already_is_no_shift() -> None:
    """The leagues' means say what the goals are drawn from."""
    goals = drawn(-0.4, 20_000)
    means = (HOME_GOALS * np.exp(-0.2), AWAY_GOALS * np.exp(0.2))

    assert abs(last(matches(goals, means=means))) < 0.05
    assert last(matches(goals)) < -0.3


def test_the_value_of_a_day_is_that_of_the_latest_earlier_day_with_a_result() -> None:
    frame = matches(np.tile([0, 6], (120, 1)))
    shift = home_advantage_shift(frame, memory=20)
    first, second, third = shift.series[HOME_ADVANTAGE_SHIFT]
    days = [FIRST_DAY + timedelta(days=n) for n in (-30, 0, 1, 2, 3, 400)]

    assert shift.before(pl.Series(days)).tolist() == [0, 0, first, second, third, third]
    assert 0 > first > second > third


def test_fixtures_get_the_shift_of_all_matches_as_known_before_their_day() -> None:
    frame = matches(np.tile([0, 6], (6000, 1)), matches_a_day=2000)
    fixtures = pl.DataFrame(
        {"name": ["c", "a", "b"], "kickoff_date": [FIRST_DAY + timedelta(days=n) for n in (2, 0, 1)]}
    )
    first, second, _ = home_advantage_shift(frame).series[HOME_ADVANTAGE_SHIFT]

    found = with_home_advantage(fixtures, frame)

    assert found.columns == ["name", "kickoff_date", HOME_ADVANTAGE_SHIFT]
    assert found.select("name", HOME_ADVANTAGE_SHIFT).rows() == [("c", second), ("a", 0.0), ("b", first)]
    assert 0 > first > second


def test_no_match_and_fixtures_alone_give_none() -> None:
    frame = matches(drawn(-0.5, 50))
    unplayed = frame.with_columns(
        is_played=pl.lit(False), home_goals=pl.lit(None, pl.Int16), away_goals=pl.lit(None, pl.Int16)
    )
    for nothing in (frame.clear(), unplayed):
        shift = home_advantage_shift(nothing)
        assert len(shift.series) == 0
        assert shift.before(frame["kickoff_date"]).tolist() == [0.0] * 50


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), day=st.integers(0, 9))
def test_results_of_a_day_and_later_move_no_value_of_that_day_or_earlier(seed: int, day: int) -> None:
    frame = matches(drawn(-0.8, 400, seed))
    rewritten = frame.with_columns(
        home_goals=pl.when(pl.col("kickoff_date") >= FIRST_DAY + timedelta(days=day))
        .then(9)
        .otherwise("home_goals")
    )
    values, again = (
        home_advantage_shift(each, memory=50).before(frame["kickoff_date"]) for each in (frame, rewritten)
    )
    until = (day + 1) * 40

    np.testing.assert_array_equal(values[:until], again[:until])
    assert until == 400 or (values[until:] != again[until:]).any()


def test_the_order_of_the_rows_does_not_matter_to_the_bit() -> None:
    generator = np.random.default_rng(3)
    frame = matches(drawn(-0.3, 2000)).with_columns(
        league_home_goals=pl.Series(generator.uniform(1, 2, 2000)),
        league_away_goals=pl.Series(generator.uniform(0.8, 1.6, 2000)),
    )
    backwards = frame.with_columns(
        match_id=pl.col("match_id").reverse()
    )  # identifiers do not follow the days
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)

    for other in (shuffled, backwards):
        assert_frame_equal(
            home_advantage_shift(frame).series, home_advantage_shift(other).series, check_exact=True
        )
