"""Asset checks of learning: tensors, periods, probabilities, and scores beside the baselines."""

from pathlib import Path

from dagster import AssetCheckResult, AssetCheckSeverity, asset_check

from football_assets.sequences.assets import sequence_tensors
from football_assets.storage.model_files import TEST_PREDICTIONS
from football_assets.training.assets import model_evaluation, trained_lstm

_SUM_TOLERANCE = 1e-6


@asset_check(
    asset=sequence_tensors, description="Every number is finite, but for contexts that are not known."
)
def tensors_finite(sequence_tensors: Path) -> AssetCheckResult:
    """Past matches have no NaN but the rest days of a first match; contexts have no infinity."""
    import numpy as np

    from football_assets.sequences.tensors import open_tensors

    tensors = open_tensors(sequence_tensors)
    rest = tensors.spec.history_names.index("rest_days")
    unknown_rest = int(np.isnan(tensors.past[:, rest]).sum())
    bad = int((~np.isfinite(tensors.past)).sum()) - unknown_rest + int(np.isinf(tensors.context).sum())
    return AssetCheckResult(passed=bad == 0, metadata={"bad_numbers": bad, "matches": len(tensors)})


@asset_check(
    asset=sequence_tensors,
    description="A history is matches that stand one behind the other, and only padding is no match.",
)
def tensors_left_padded(sequence_tensors: Path) -> AssetCheckResult:
    """Spans lie within the past matches, of which the last row alone is padding."""
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


@asset_check(asset=trained_lstm, description="Train, validation and test follow one another without overlap.")
def periods_in_order(trained_lstm: Path) -> AssetCheckResult:
    """Compare the last day of each period with the first of the next."""
    from football_assets.training.network import load_description

    split = load_description(trained_lstm)["split"]
    days = [split[name] for name in ("train_start", "train_end", "validation_end", "test_end")]
    return AssetCheckResult(passed=days == sorted(days), metadata=split)


@asset_check(asset=model_evaluation, description="Test probabilities are in [0, 1] and sum to one.")
def probabilities_sum_to_one(model_evaluation: Path) -> AssetCheckResult:
    """Measure the largest deviation of the sums from one."""
    import numpy as np
    import polars as pl

    from football_assets.training.evaluation import probabilities_of

    probabilities = probabilities_of(pl.read_parquet(model_evaluation / TEST_PREDICTIONS))
    worst = float(np.abs(probabilities.sum(axis=1) - 1).max())
    inside = bool(((probabilities >= 0) & (probabilities <= 1)).all())
    return AssetCheckResult(passed=inside and worst <= _SUM_TOLERANCE, metadata={"largest_deviation": worst})


@asset_check(asset=model_evaluation, description="The test log loss is below that of the class prior.")
def beats_class_prior(model_evaluation: Path) -> AssetCheckResult:
    """Compare the model with the base rates."""
    return _beats(model_evaluation, "class_prior")


@asset_check(asset=model_evaluation, description="The test log loss is not above that of the Elo regression.")
def beats_elo(model_evaluation: Path) -> AssetCheckResult:
    """Compare the model with a regression on the rating difference."""
    return _beats(model_evaluation, "elo")


def _beats(folder: Path, baseline: str) -> AssetCheckResult:
    from football_assets.training.evaluation import load_metrics

    metrics = load_metrics(folder)
    ours, theirs = metrics["test"]["log_loss"], metrics["baselines"][baseline]["log_loss"]
    return AssetCheckResult(
        passed=ours <= theirs,
        severity=AssetCheckSeverity.WARN,
        metadata={"log_loss": ours, f"{baseline}_log_loss": theirs, "difference": ours - theirs},
    )


checks = [
    tensors_finite,
    tensors_left_padded,
    periods_in_order,
    probabilities_sum_to_one,
    beats_class_prior,
    beats_elo,
]
