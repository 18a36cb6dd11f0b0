"""The network's inputs as a tuple of arrays, cut and repeated into batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# home history and away history [n, length, history features], context [n, context features]
NetworkInputs = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

_LARGE_BATCH = 4096


def large_batches(inputs: NetworkInputs) -> Iterator[NetworkInputs]:
    """Yield the rows in order, in batches of up to 4,096."""
    for start in range(0, len(inputs[0]), _LARGE_BATCH):
        home, away, context = (rows[start : start + _LARGE_BATCH] for rows in inputs)
        yield home, away, context


def first_rows(inputs: NetworkInputs, size: int) -> NetworkInputs:
    """Return the first `size` rows, starting over where there are fewer."""
    order = np.arange(size) % len(inputs[0])
    home, away, context = (rows[order] for rows in inputs)
    return home, away, context
