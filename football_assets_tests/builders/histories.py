"""Histories that a test draws match by match, as the tensors store them: past matches, and spans of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from football_assets.sequences.spec import DEFAULT_SPEC, OBSERVED, FeatureSpec


def packed(
    histories: Sequence[NDArray[np.float32]], spec: FeatureSpec = DEFAULT_SPEC
) -> tuple[NDArray[np.float32], list[NDArray[np.int32]]]:
    """Left-padded histories `[n, length, features]` as one array of past matches, and the spans `[n, 2]` of each."""
    observed = [history[..., spec.history_names.index(OBSERVED)] > 0 for history in histories]
    rows = [history[seen] for history, seen in zip(histories, observed, strict=True)]
    counts = np.concatenate([seen.sum(axis=1) for seen in observed])
    ends = np.cumsum(counts)
    spans = np.stack([ends - counts, ends], axis=1).astype(np.int32)
    padding = np.zeros((1, histories[0].shape[-1]), dtype=np.float32)
    return np.concatenate([*rows, padding]), np.split(spans, len(histories))
