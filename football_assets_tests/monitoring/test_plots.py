"""Figures of the drift report: which column is how far from the reference, and how forecasts came true."""

from datetime import date

import numpy as np
import polars as pl
from matplotlib.colors import to_hex

from football_assets.monitoring.inputs import Column
from football_assets.monitoring.plots import distances, live_results
from football_assets_tests.builders.figures import (
    bars,
    dots_of,
    legend,
    scatters,
    texts,
    unnamed_lines,
    x_of,
    y_of,
)

DRIFTED, STEADY = "#c8553d", "#1b6ca8"


def column(name: str, distance: float, threshold: float) -> Column:
    return Column(name, distance, threshold, broken=9.0, mean=7.0, reference_mean=8.0)


def test_the_furthest_column_is_at_the_top_with_its_distance_and_threshold() -> None:
    shown = [column("home_rating", 0.9, 0.3), column("away_rest_days", 0.4, 0.5), column("p_home", 0.1, 0.2)]

    (axes,) = distances(shown).axes

    # The vertical axis counts from below.
    assert texts(axes.get_yticklabels()) == ["p_home", "away_rest_days", "home_rating"]
    assert list(axes.get_yticks()) == [0, 1, 2]
    assert bars(axes) == [(0, 0.1), (1, 0.4), (2, 0.9)]
    (marks,) = scatters(axes, "drift from here")
    assert dots_of(marks) == [(0.2, 0), (0.5, 1), (0.3, 2)]
    assert axes.get_xlabel() == "Wasserstein distance (standard deviations of the reference)"
    assert legend(axes) == ["drift from here"]


def test_only_a_column_beyond_its_threshold_has_the_colour_of_drift() -> None:
    (axes,) = distances([column("a", 0.9, 0.3), column("b", 0.4, 0.5)]).axes

    assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == [STEADY, DRIFTED]


def test_the_twenty_furthest_columns_are_drawn() -> None:
    (axes,) = distances([column(f"c{number}", 1 - number / 100, 0.5) for number in range(25)]).axes

    assert texts(axes.get_yticklabels()) == [f"c{number}" for number in range(19, -1, -1)]


def results() -> pl.DataFrame:
    """Ten matches of two weeks: home wins forecast with 0.7, then away wins with 0.5; half of each came true."""
    monday, sunday, later = date(2015, 11, 2), date(2015, 11, 8), date(2015, 11, 9)
    return pl.DataFrame(
        {
            "kickoff_date": [later] * 6 + [monday, monday, sunday, sunday],
            "outcome": pl.Series([2, 2, 2, 1, 0, 0, 0, 0, 1, 2], dtype=pl.Int8),
            "p_home": [0.15] * 6 + [0.7] * 4,
            "p_draw": [0.35] * 6 + [0.1] * 4,
            "p_away": [0.5] * 6 + [0.2] * 4,
        }
    )


def test_live_calibration_shows_the_observed_frequency_over_the_forecast() -> None:
    calibration, _ = live_results(results()).axes

    (home,), (draw,), (away,) = (scatters(calibration, name) for name in ("home", "draw", "away"))
    assert dots_of(home) == [(0.15, 0.333333333), (0.7, 0.5)]
    assert dots_of(draw) == [(0.1, 0.25), (0.35, 0.166666667)]
    assert dots_of(away) == [(0.2, 0.25), (0.5, 0.5)]
    assert home.get_sizes().tolist() == [12 + 400 * 0.6, 12 + 400 * 0.4]
    assert (calibration.get_xlabel(), calibration.get_ylabel()) == (
        "forecast probability",
        "observed frequency",
    )
    assert calibration.get_xlim() == calibration.get_ylim() == (0, 1)
    assert legend(calibration) == ["home", "draw", "away"]
    assert unnamed_lines(calibration) == [[(0, 0), (1, 1)]]


def test_the_live_log_loss_is_the_mean_of_each_week_of_kick_off_from_monday_to_sunday() -> None:
    _, losses = live_results(results()).axes

    first = -np.log([0.7, 0.7, 0.1, 0.2]).mean()
    second = -np.log([0.5, 0.5, 0.5, 0.35, 0.15, 0.15]).mean()
    weekly, every = losses.lines
    assert x_of(weekly) == [date(2015, 11, 2), date(2015, 11, 9)]
    np.testing.assert_allclose(y_of(weekly), [first, second])
    np.testing.assert_allclose(y_of(every), (4 * first + 6 * second) / 10)
    assert (losses.get_xlabel(), losses.get_ylabel()) == ("week of kick-off", "log loss (nats per match)")
    assert legend(losses) == ["all results"]
