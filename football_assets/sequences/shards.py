"""Shards of the tensors: a subset of the matches with the past matches in their histories.

A worker of a distributed training receives the shard of the matches that it owns instead of all tensors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tensors import ARRAYS, SequenceTensors

_PER_MATCH = (
    "context",
    "outcome",
    "goals",
    "market",
)  # arrays with a row per match and no reference to `past`


@dataclass(frozen=True)
class TensorShard:
    """The tensors of some matches, addressed by their rows in the tensors that they were cut from.

    Attributes
    ----------
    rows
        int64 `[own]`: rows of the shard's matches in all tensors, ascending.
    tensors
        The matches of these rows in the same order. `keys` is empty.
    """

    rows: NDArray[np.int64]
    tensors: SequenceTensors

    @property
    def spec(self) -> FeatureSpec:
        """Specification of the features."""
        return self.tensors.spec

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.rows.nbytes + sum(int(getattr(self.tensors, name).nbytes) for name in ARRAYS)

    def positions(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Convert rows of all tensors to rows of the shard.

        Raises
        ------
        IndexError
            A row is not in the shard.
        """
        is_in = contains(self.rows, rows)
        if not is_in.all():
            raise IndexError(
                f"{(~is_in).sum():,} of {len(rows):,} rows are not in the shard, such as {rows[~is_in][0]}: "
                "read the rows that its worker owns."
            )
        return np.searchsorted(self.rows, rows)


def contains(ascending: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return a mask of the rows that are in `ascending`, a sorted array."""
    if len(ascending) == 0:
        return np.zeros(len(rows), dtype=bool)
    found = np.minimum(np.searchsorted(ascending, rows), len(ascending) - 1)
    is_in: NDArray[np.bool_] = ascending[found] == rows
    return is_in


def cut_shard(tensors: SequenceTensors, rows: NDArray[np.int64]) -> TensorShard:
    """Copy the matches of some rows, and the rows of `past` that their histories read.

    Spans are shortened to the specification's history length, so that a shard has no older past match.

    Parameters
    ----------
    tensors
        In memory or memory-mapped. The memory used is proportional to the shard, not to the tensors.
    rows
        Rows of the matches, ascending.
    """
    spans = np.concatenate([tensors.home_span[rows], tensors.away_span[rows]]).astype(
        np.int64
    )  # [2 * own, 2]
    ends = spans[:, 1]
    starts = np.maximum(spans[:, 0], ends - tensors.spec.history_length)
    is_read = starts < ends
    lows, highs = _union(starts[is_read], ends[is_read])
    past = np.concatenate(
        [*(tensors.past[low:high] for low, high in zip(lows, highs, strict=True)), tensors.past[-1:]]
    )
    moved = np.zeros_like(spans, dtype=np.int32)  # empty spans stay 0, 0
    sizes = highs - lows
    block = np.searchsorted(lows, starts[is_read], side="right") - 1
    first = starts[is_read] - lows[block] + (np.cumsum(sizes) - sizes)[block]
    moved[is_read, 0], moved[is_read, 1] = first, first + (ends - starts)[is_read]
    home, away = np.split(moved, 2)
    own = {name: np.asarray(getattr(tensors, name)[rows]) for name in _PER_MATCH}
    cut = SequenceTensors(
        past=past, home_span=home, away_span=away, **own, keys=tensors.keys.clear(), spec=tensors.spec
    )
    return TensorShard(np.asarray(rows), cut)


def _union(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Merge the intervals that overlap or touch; returns their starts, ascending, and their ends."""
    order = np.argsort(starts, kind="stable")
    lows, reach = starts[order], np.maximum.accumulate(ends[order])
    is_first = np.append(True, lows[1:] > reach[:-1])[: len(lows)]
    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(lows))[: len(first)] - 1
    return lows[first], reach[last]
