"""Asset checks of `sequence_tensors`: finite numbers, and histories without gaps."""

from pathlib import Path

from dagster import AssetCheckResult, asset_check

from football_assets.sequences.assets import sequence_tensors

REST_DAYS = "rest_days"  # NaN for a team's first match


@asset_check(asset=sequence_tensors, description="Every value is finite; an unknown input is NaN.")
def tensors_finite(sequence_tensors: Path) -> AssetCheckResult:
    """Count infinite values, flags that are NaN, and results of past matches that are NaN, but for first rest days."""
    import numpy as np

    from football_assets.sequences.spec import FLAG
    from football_assets.sequences.tensors import open_tensors
    from football_assets.sequences.tier_names import RESULTS

    tensors = open_tensors(sequence_tensors)
    spec = tensors.spec
    required = [
        number
        for number, feature in enumerate(spec.history)
        if feature.name != REST_DAYS and (feature.group == RESULTS or feature.unit == FLAG)
    ]
    flags = [number for number, feature in enumerate(spec.context) if feature.unit == FLAG]
    bad = sum(
        int(wrong.sum())
        for wrong in (
            np.isnan(tensors.past[:, required]),
            np.isnan(tensors.context[:, flags]),
            *(np.isinf(values) for values in (tensors.past, tensors.context, tensors.market)),
        )
    )
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
