"""Figures of training and evaluation show the numbers that they are given, each on its axis and under its name."""

import subprocess
import sys

import numpy as np
import pytest

from football_assets.orchestration.figures import to_png
from football_assets.training.fit import Epoch
from football_assets.training.plots import loss_curves, reliability_diagram, trial_curves
from football_assets_tests.builders.figures import (
    dots_of,
    legend,
    lines,
    points,
    scatters,
    texts,
    unnamed_lines,
)

EPOCHS = [
    Epoch(
        epoch=number,
        train_log_loss=1.05 - 0.01 * number,
        validation_log_loss=1.04 - 0.005 * number,
        validation_goals_loss=1.5,
        learning_rate=1e-3,
        seconds=0.5,
    )
    for number in range(1, 4)
]
# Four matches that the home team should win, and six that the away team should.
FORECASTS = np.array([[0.7, 0.2, 0.1]] * 4 + [[0.15, 0.3, 0.55]] * 6)
OUTCOMES = np.array([0, 0, 0, 2, 0, 0, 0, 1, 1, 2])
RELIABILITY = {
    "home win": [(0.15, 0.5), (0.7, 0.75)],
    "draw": [(0.2, 0.0), (0.3, 0.333333333)],
    "away win": [(0.1, 0.25), (0.55, 0.166666667)],
}


def test_loss_curves_show_training_and_validation_by_epoch() -> None:
    (axes,) = loss_curves(EPOCHS, 2).axes

    assert points(axes, "training") == [(1, 1.04), (2, 1.03), (3, 1.02)]
    assert points(axes, "validation") == [(1, 1.035), (2, 1.03), (3, 1.025)]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "log loss (nats per match)")
    assert legend(axes) == ["training", "validation", "kept: epoch 2"]


def test_loss_curves_mark_the_best_epoch_on_its_axis_and_the_baseline_on_the_other() -> None:
    (axes,) = loss_curves(EPOCHS, 2, baseline=1.033).axes

    assert {x for x, _ in points(axes, "kept: epoch 2")} == {2}
    assert {y for _, y in points(axes, "Elo on validation")} == {1.033}


def test_a_single_epoch_can_be_drawn() -> None:
    (axes,) = loss_curves(EPOCHS[:1], 1, 1.0).axes

    assert points(axes, "validation") == [(1, 1.035)]


def test_trial_curves_show_every_trial_from_epoch_one_and_name_the_default_and_the_best() -> None:
    curves = {"trial 0": [1.05, 1.02], "trial 1": [1.04, 1.0, 0.99], "trial 2": [], "trial 3": [1.01]}

    (axes,) = trial_curves(curves, "trial 0", "trial 1").axes

    assert points(axes, "trial 0") == [(1, 1.05), (2, 1.02)]
    assert points(axes, "trial 1") == [(1, 1.04), (2, 1.0), (3, 0.99)]
    assert unnamed_lines(axes) == [[(1, 1.01)]]
    assert legend(axes) == ["trial 0", "trial 1"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "validation log loss (nats per match)")


@pytest.mark.parametrize("best", ["trial 0", None])
def test_trial_curves_name_the_default_alone_where_nothing_beats_it(best: str | None) -> None:
    (axes,) = trial_curves({"trial 0": [1.0], "trial 1": [1.1]}, "trial 0", best).axes

    assert legend(axes) == ["trial 0"]
    assert unnamed_lines(axes) == [[(1, 1.1)]]


@pytest.mark.parametrize("outcome", RELIABILITY)
def test_a_reliability_diagram_shows_the_observed_frequency_over_the_forecast(outcome: str) -> None:
    (axes,) = reliability_diagram({"LSTM": FORECASTS}, OUTCOMES, "Reliability").axes

    (dots,) = scatters(axes, outcome)
    assert dots_of(dots) == RELIABILITY[outcome]
    assert RELIABILITY[outcome] in unnamed_lines(axes)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("forecast probability", "observed frequency")
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)
    assert legend(axes) == list(RELIABILITY)


def test_the_area_of_a_dot_is_its_share_of_the_forecasts() -> None:
    (axes,) = reliability_diagram({"LSTM": FORECASTS}, OUTCOMES, "Reliability").axes

    (dots,) = scatters(axes, "home win")  # six of ten matches, then four
    assert dots.get_sizes().tolist() == [12 + 500 * 0.6, 12 + 500 * 0.4]


def test_a_reliability_diagram_has_a_panel_a_forecaster_with_its_log_loss() -> None:
    uniform = np.full((10, 3), 1 / 3)

    figure = reliability_diagram({"LSTM": FORECASTS, "Elo": uniform}, OUTCOMES, "Reliability of 10 matches")

    ours, theirs = figure.axes
    assert texts([ours.title, theirs.title]) == ["LSTM: log loss 1.2070", "Elo: log loss 1.0986"]
    assert dots_of(scatters(theirs, "away win")[0]) == [(0.333333333, 0.2)]
    assert figure.get_suptitle() == "Reliability of 10 matches"
    assert lines(ours, "_child0") == [[(0, 0), (1, 1)]]


def test_drawing_opens_no_display() -> None:
    code = (
        "import sys; from football_assets.orchestration.figures import to_png; "
        "from football_assets.training.plots import trial_curves; "
        "to_png(trial_curves({'a': [1.0]}, 'a')); sys.exit('matplotlib.pyplot' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_figure_of_training_is_encoded_as_png() -> None:
    assert to_png(loss_curves(EPOCHS, 2)).startswith(b"\x89PNG\r\n\x1a\n")
