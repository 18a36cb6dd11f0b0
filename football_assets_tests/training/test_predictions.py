"""Forecasts of a network for rows of the tensors."""

import numpy as np
import torch

from football_assets.training.predictions import forecast
from football_assets_tests.builders.fits import Fitted


def test_forecasts_are_those_of_the_network_in_the_order_of_the_rows(planted: Fitted) -> None:
    rows = np.array([900, 3, 77])
    batch = planted.tensors.take(rows)
    with torch.no_grad():
        arrays = (batch.home_history, batch.away_history, batch.context)
        expected, expected_goals = planted.fit.network(*(torch.from_numpy(array) for array in arrays))

    probabilities, goals = forecast(planted.fit.network, planted.tensors, rows)

    assert probabilities.dtype == goals.dtype == np.float64
    np.testing.assert_allclose(probabilities, expected.numpy(), atol=1e-7)
    np.testing.assert_allclose(goals, expected_goals.numpy(), atol=1e-6)


def test_no_rows_give_no_forecasts(planted: Fitted) -> None:
    probabilities, goals = forecast(planted.fit.network, planted.tensors, np.array([], dtype=np.int64))

    assert (probabilities.shape, goals.shape) == ((0, 3), (0, 2))
