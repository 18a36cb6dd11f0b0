"""Passes: batches hold every row once, the peak learning rate follows the batch size, and a restored state goes on."""

import numpy as np
import pytest

from football_assets.training.config import TrainingConfig
from football_assets.training.passes import batches, peak_learning_rate


@pytest.mark.parametrize(("batch_size", "peak"), [(1024, 1e-3), (256, 5e-4), (64, 2.5e-4)])
def test_the_learning_rate_of_smaller_batches_is_lower_by_the_square_root(
    batch_size: int, peak: float
) -> None:
    config = TrainingConfig(batch_size=1024, learning_rate=1e-3)

    assert peak_learning_rate(config, batch_size) == pytest.approx(peak)


def test_batches_hold_every_row_once_in_another_order_each_epoch() -> None:
    rows = np.arange(100, 350)
    order = np.random.default_rng(0)

    first, second = (list(batches(rows, 64, order)) for _ in range(2))

    assert [len(batch) for batch in first] == [64, 64, 64, 58]
    for epoch in (first, second):
        assert np.sort(np.concatenate(epoch)).tolist() == rows.tolist()
        assert all((np.diff(batch) > 0).all() for batch in epoch)
    assert first[0].tolist() != second[0].tolist()
