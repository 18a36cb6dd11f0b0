"""The Kalman filter: hand-computed updates, drift, newcomers, promotion."""

import math

import numpy as np
import pytest

from football_assets.features.schedule import ROW_ORDER, Schedule, schedule_of
from football_assets.features.strength_filter import Quantity, StrengthFilter
from football_assets_tests.builders.stg_matches import Row, stg_matches

QUANTITY = Quantity(drift=0.001, gap=0.02, team_variance=0.2, league_mean=0.3, league_variance=0.1)


def run(
    rows: list[Row], values: list[float], noise: float = 0.5, quantity: Quantity = QUANTITY
) -> tuple[StrengthFilter, Schedule]:
    """Observe matches that are in the order of `ROW_ORDER`; teams and leagues are indexed in order of name."""
    schedule = schedule_of(stg_matches(rows).sort(*ROW_ORDER[:3]))
    column = np.array(values, dtype=float)[:, None]
    noises = np.full_like(column, noise)
    kalman = StrengthFilter(
        schedule, [quantity], ~np.isnan(column[:, 0]), [(column, noises)], keeps_entry=True
    )
    for step in schedule.steps():
        for matches in schedule.rounds(step):
            known = matches[kalman.is_known[matches]]
            if len(known):
                kalman.observe(known)
    return kalman, schedule


def test_one_observation_moves_both_teams_and_the_league_by_their_share_of_the_variance() -> None:
    kalman, _ = run([("x.1", 0, "A", "B", 1, 0)], [1.3])
    # The spread is 0.2 + 0.2 + 0.1 + 0.5 = 1; 1.3 was observed where 0.3 was expected.
    assert kalman.mean[:, 0] == pytest.approx([0.2, -0.2])
    assert kalman.variance[:, 0] == pytest.approx([0.2 - 0.04, 0.2 - 0.04])
    assert kalman.league_mean[0, 0] == pytest.approx(0.3 + 0.1)
    assert kalman.league_variance[0, 0] == pytest.approx(0.1 - 0.01)


def test_a_total_moves_both_teams_the_same_way() -> None:
    quantity = Quantity(
        drift=0.001, gap=0.02, team_variance=0.2, league_mean=0.3, league_variance=0.1, is_sum=True
    )
    kalman, _ = run([("x.1", 0, "A", "B", 1, 0)], [1.3], quantity=quantity)
    assert kalman.mean[:, 0] == pytest.approx([0.2, 0.2])


def test_an_observation_of_infinite_variance_changes_nothing() -> None:
    kalman, _ = run([("x.1", 0, "A", "B", 1, 0)], [1.3], noise=math.inf)
    assert kalman.mean[:, 0].tolist() == [0.0, 0.0]
    assert kalman.league_variance[0, 0] == 0.1


@pytest.mark.parametrize(
    ("days", "grown"), [(10, 0.16 + 0.01), (45, 0.16 + 0.045), (46, 0.16 + 0.046 + 0.02)]
)
def test_variance_grows_with_the_days_and_once_more_over_a_long_gap(days: int, grown: float) -> None:
    kalman, _ = run([("x.1", 0, "A", "B", 1, 0), ("x.1", days, "A", "B", 1, 0)], [1.3, 0.0], noise=0.5)
    league = 0.09 + 1e-5 * days
    assert kalman.variance[0, 0] == pytest.approx(grown - grown**2 / (2 * grown + league + 0.5))
    assert QUANTITY.variance_on(np.array([0.16]), np.array([float(days)])) == pytest.approx([grown])


def test_matches_of_a_day_start_from_the_state_before_it_and_add_up_for_the_league() -> None:
    kalman, _ = run([("x.1", 0, "A", "B", 1, 0), ("x.1", 0, "C", "D", 1, 0)], [1.3, 1.3])
    assert kalman.mean[:, 0] == pytest.approx([0.2, -0.2, 0.2, -0.2])
    # Each match observes the home advantage with variance 0.2 + 0.2 + 0.5 = 0.9.
    assert kalman.league_variance[0, 0] == pytest.approx(1 / (1 / 0.1 + 2 / 0.9))
    assert kalman.league_mean[0, 0] == pytest.approx(0.3 + 1.0 * (2 / 0.9) / (1 / 0.1 + 2 / 0.9))


SIX = ["AB", "CD", "EF"]


def test_a_newcomer_enters_a_little_below_the_mean_of_the_leagues_active_teams() -> None:
    first: list[Row] = [("x.1", 0, *pair, 1, 0) for pair in SIX]
    kalman, schedule = run([*first, ("x.1", 7, "A", "N", 1, 0)], [1.3, 1.3, 1.3, math.nan])
    assert kalman.league_entry[0, 0] == pytest.approx(-0.1)
    assert math.isnan(kalman.mean[schedule.teams[3, 1], 0])
    entered, _ = run([*first, ("x.1", 7, "A", "N", 1, 0)], [1.3, 1.3, 1.3, 0.3], noise=math.inf)
    assert entered.mean[schedule.teams[3, 1], 0] == pytest.approx(-0.1)
    assert entered.variance[schedule.teams[3, 1], 0] == QUANTITY.team_variance


def test_teams_that_have_not_played_for_long_do_not_count_for_the_entry() -> None:
    first: list[Row] = [("x.1", 0, *pair, 1, 0) for pair in SIX]
    later: list[Row] = [("x.1", 401, *pair, 1, 0) for pair in ("AC", "EG")]
    values = [1.3, 1.3, 1.3, 0.3, 0.3]
    kalman, _ = run([*first, *later], values, noise=0.5)
    active = kalman.mean[[0, 2, 4, 6], 0]  # A, C, E, G
    assert kalman.league_entry[0, 0] == pytest.approx(active.mean() - 0.1)
    recent, _ = run([*first, *[("x.1", 400, *pair, 1, 0) for pair in ("AC", "EG")]], values)
    assert recent.league_entry[0, 0] == pytest.approx(recent.mean[:, 0].mean() - 0.1)


def test_a_league_with_few_known_teams_enters_by_its_tier() -> None:
    kalman, _ = run([("x.1", 0, "A", "B", 1, 0), ("x.3", 0, "C", "D", 1, 0)], [1.3, 0.3])
    assert kalman.league_entry[:, 0].tolist() == [0.0, -1.0]
    assert kalman.mean[:, 0] == pytest.approx([0.2, -0.2, -1.0, -1.0])


def test_a_cup_takes_in_newcomers_as_the_lowest_tier_seen_does() -> None:
    rows: list[Row] = [("x.1", 0, "A", "B", 1, 0), ("x.3", 0, "C", "D", 1, 0), ("x.cup", 1, "A", "N", 1, 0)]
    kalman, schedule = run([*rows, ("x.cup", 2, "M", "A", 1, 0)], [0.3] * 4, noise=math.inf)
    newcomers = schedule.teams[2, 1], schedule.teams[3, 0]
    assert kalman.mean[newcomers, 0].tolist() == [-1.0, -1.0]


def test_a_promoted_team_keeps_its_strength() -> None:
    rows: list[Row] = [("x.2", 0, "C", "D", 1, 0), ("x.1", 0, "A", "B", 1, 0), ("x.1", 7, "A", "C", 1, 0)]
    kalman, schedule = run(rows, [0.3, 2.3, math.nan])
    strength = kalman.mean[schedule.teams[2, 1], 0]
    assert strength == pytest.approx(-0.5 + 0.2 * 2.0)


def test_countries_know_nothing_of_each_other() -> None:
    x: list[Row] = [("x.1", day, *pair, 1, 0) for day, pair in enumerate(["AB", "BC", "CA", "AB"])]
    y: list[Row] = [("y.1", 2 * day, *pair, 1, 0) for day, pair in enumerate(["PQ", "QR", "RP"])]
    alone, _ = run(x, [0.5, 0.1, -0.2, 0.4])
    rows = sorted([*x, *y], key=lambda row: (row[1], row[0]))
    values = dict(zip([*x, *y], [0.5, 0.1, -0.2, 0.4, 9.0, -9.0, 3.0], strict=True))
    together, _ = run(rows, [values[row] for row in rows])
    assert (together.mean[:3] == alone.mean).all()
    assert (together.league_mean[0] == alone.league_mean[0]).all()
