"""Batches of the network's inputs."""

import numpy as np

from football_assets.export.batches import NetworkInputs, first_rows, large_batches


def numbered(count: int) -> NetworkInputs:
    """NetworkInputs whose row numbers are their values."""
    rows = np.arange(count, dtype=np.float32)
    return rows.reshape(-1, 1, 1), 10_000 + rows.reshape(-1, 1, 1), 20_000 + rows.reshape(-1, 1)


def test_large_batches_hold_all_rows_in_order() -> None:
    inputs = numbered(10_000)
    batches = list(large_batches(inputs))
    assert [len(context) for _, _, context in batches] == [4096, 4096, 1808]
    for position, whole in enumerate(inputs):
        np.testing.assert_array_equal(np.concatenate([batch[position] for batch in batches]), whole)


def test_first_rows_start_over_where_there_are_too_few() -> None:
    home, away, context = first_rows(numbered(3), 5)
    assert home.ravel().tolist() == [0, 1, 2, 0, 1]
    assert away.ravel().tolist() == [10_000, 10_001, 10_002, 10_000, 10_001]
    assert context.ravel().tolist() == [20_000, 20_001, 20_002, 20_000, 20_001]
    assert first_rows(numbered(3), 1)[2].tolist() == [[20_000]]
