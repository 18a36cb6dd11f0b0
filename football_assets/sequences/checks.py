"""Asset checks of `sequence_tensors`: finite numbers, and histories without gaps."""

from pathlib import Path

from dagster import AssetCheckResult, asset_check

from football_assets.sequences.assets import sequence_tensors


@asset_check(asset=sequence_tensors, description="Every value is finite; an unknown context is NaN.")
def tensors_finite(sequence_tensors: Path) -> AssetCheckResult:
    """Past matches have no NaN except the rest days of a first match; contexts have no infinity."""
    import numpy as np

    from football_assets.sequences.tensors import open_tensors

    tensors = open_tensors(sequence_tensors)
    rest = tensors.spec.history_names.index("rest_days")
    unknown_rest = int(np.isnan(tensors.past[:, rest]).sum())
    bad = int((~np.isfinite(tensors.past)).sum()) - unknown_rest + int(np.isinf(tensors.context).sum())
    return AssetCheckResult(passed=bad == 0, metadata={"bad_numbers": bad, "matches": len(tensors)})


@asset_check(
    asset=sequence_tensors,
    description="The matches of a history are contiguous, and all other rows are padding.",
)
def tensors_left_padded(sequence_tensors: Path) -> AssetCheckResult:
    """Spans are within the past matches, and only the last row is padding."""
    import numpy as np

    from football_assets.sequences.spec import OBSERVED
    from football_assets.sequences.tensors import open_tensors

    tensors = open_tensors(sequence_tensors)
    observed = tensors.past[:, tensors.spec.history_names.index(OBSERVED)]
    gaps = int((observed[:-1] != 1).sum()) + int(tensors.past[-1].any())
    spans = np.concatenate([tensors.home_span, tensors.away_span])
    lost = (spans[:, 0] < 0) | (spans[:, 0] > spans[:, 1]) | (spans[:, 1] >= len(observed))
    return AssetCheckResult(
        passed=gaps == 0 and not lost.any(),
        metadata={"rows_that_are_no_match": gaps, "spans_out_of_place": int(lost.sum())},
    )


checks = [tensors_finite, tensors_left_padded]
