"""The pictures: PNG bytes that show what they are given."""

import io
import sys

import numpy as np
from matplotlib.image import imread

from football_assets.training.fit import Epoch
from football_assets.training.plots import loss_curves, reliability_diagram, trial_curves

EPOCHS = [
    Epoch(number, 1.05 - 0.01 * number, 1.04 - 0.005 * number, 1.5, 1e-3, 0.5) for number in range(1, 6)
]
FORECASTS = np.random.default_rng(0).dirichlet((4, 3, 3), 400)
OUTCOMES = np.random.default_rng(1).integers(0, 3, 400)


def pixels(png: bytes) -> np.ndarray:
    image: np.ndarray = imread(io.BytesIO(png), format="png")
    return image


def test_loss_curves_are_a_picture_of_the_epochs_given() -> None:
    picture, shorter = loss_curves(EPOCHS, 5), loss_curves(EPOCHS[:3], 3)

    assert pixels(picture).shape == pixels(shorter).shape == (440, 770, 4)
    assert pixels(picture).std() > 0.05
    assert not np.array_equal(pixels(picture), pixels(shorter))
    assert not np.array_equal(pixels(picture), pixels(loss_curves(EPOCHS, 5, baseline=1.03)))


def test_a_single_epoch_can_be_drawn() -> None:
    assert pixels(loss_curves(EPOCHS[:1], 1, 1.0)).std() > 0.01


def test_a_reliability_diagram_has_a_panel_a_forecaster() -> None:
    one, two = (
        pixels(reliability_diagram(dict.fromkeys(names, FORECASTS), OUTCOMES, "Reliability"))
        for names in (["LSTM"], ["LSTM", "Elo"])
    )

    assert two.shape == (one.shape[0], 2 * one.shape[1], 4)
    other = pixels(reliability_diagram({"LSTM": FORECASTS[::-1]}, OUTCOMES, "Reliability"))
    assert not np.array_equal(one, other)


def test_trial_curves_show_every_trial_and_name_the_default_and_the_best() -> None:
    curves = {"trial 0": [1.05, 1.02], "trial 1": [1.04, 1.0], "trial 2": []}

    drawn = pixels(trial_curves(curves, "trial 0", "trial 1"))

    assert not np.array_equal(drawn, pixels(trial_curves(curves, "trial 0")))
    assert not np.array_equal(drawn, pixels(trial_curves(curves | {"trial 2": [1.03]}, "trial 0", "trial 1")))


def test_drawing_opens_no_display() -> None:
    before = "matplotlib.pyplot" in sys.modules

    loss_curves(EPOCHS, 5)

    assert ("matplotlib.pyplot" in sys.modules) == before
