"""Forecasts of a network for rows of the tensors."""

import numpy as np
import pytest
import torch

from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tiers import hide_groups
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


@pytest.mark.parametrize("hidden", [(), ("match_odds",), ("odds", "shots", "match_odds")])
def test_hidden_groups_are_those_that_the_network_does_not_see(
    priced: Fitted, hidden: tuple[FeatureGroup, ...]
) -> None:
    rows = priced.split.test
    batch = hide_groups(priced.tensors.take(rows), priced.tensors.spec, hidden)
    with torch.no_grad():
        arrays = (batch.home_history, batch.away_history, batch.context)
        expected, _ = priced.fit.network(*(torch.from_numpy(array) for array in arrays))

    probabilities, _ = forecast(priced.fit.network, priced.tensors, rows, hidden)

    np.testing.assert_allclose(probabilities, expected.numpy(), atol=1e-7)


def test_the_odds_of_the_match_are_hidden_unless_they_are_asked_for(priced: Fitted) -> None:
    rows = priced.split.test
    default, hidden, shown = (
        forecast(priced.fit.network, priced.tensors, rows, *groups)[0]
        for groups in ((), (("match_odds",),), ((),))
    )

    np.testing.assert_array_equal(default, hidden)
    own = priced.tensors.context[rows, priced.tensors.spec.context_names.index("match_odds_p_home")]
    assert np.abs(shown - default)[~np.isnan(own)].max() > 0.01
    np.testing.assert_array_equal(shown[np.isnan(own)], default[np.isnan(own)])


def test_no_rows_give_no_forecasts(planted: Fitted) -> None:
    probabilities, goals = forecast(planted.fit.network, planted.tensors, np.array([], dtype=np.int64))

    assert (probabilities.shape, goals.shape) == ((0, 3), (0, 2))
