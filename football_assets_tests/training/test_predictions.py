"""Forecasts of a network for rows of the tensors."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from football_assets.sequences.shards import contains, cut_shard
from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tiers import hide_groups
from football_assets.training.inputs import MappedReader, ShardReader
from football_assets.training.predictions import forecast, outputs_and_targets
from football_assets.training.workers import Alone
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


class Owner(Alone):
    """A worker that owns some rows, and keeps what it adds to the sum of all workers."""

    def __init__(self, rows: NDArray[np.int64]) -> None:
        self.device, self.rows = torch.device("cpu"), rows

    def owns(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        return contains(self.rows, rows)

    def total(self, values: Tensor) -> Tensor:
        self.part = values
        return super().total(values)


def test_the_outputs_of_workers_add_up_to_those_of_one_in_the_order_of_the_rows(planted: Fitted) -> None:
    """Three workers with shards of their own, of which one owns none of the rows."""
    network, tensors = planted.fit.network, planted.tensors
    rows = planted.split.validation
    owned = (rows[::3], np.setdiff1d(rows, rows[::3]), planted.split.train[:5])
    parts = []
    for own in owned:
        shard, worker = cut_shard(tensors, own), Owner(own)
        reader = ShardReader(shard, MappedReader(shard.tensors, worker.device))
        outputs_and_targets(network, reader, rows, worker)
        parts.append(worker.part)

    logits, log_rates, outcome, goals = outputs_and_targets(
        network, MappedReader(tensors, torch.device("cpu")), rows
    )

    assert not parts[2].any()
    assert (logits.dtype, log_rates.dtype, outcome.dtype, goals.dtype) == (
        torch.float32,
        torch.float32,
        torch.int64,
        torch.float32,
    )
    np.testing.assert_array_equal(outcome.numpy(), tensors.outcome[rows])
    np.testing.assert_array_equal(goals.numpy(), tensors.goals[rows])
    expected = torch.cat([logits, log_rates, outcome[:, None], goals], dim=1)  # [n, 8]
    np.testing.assert_allclose(sum(parts).numpy(), expected.numpy(), atol=1e-6)
