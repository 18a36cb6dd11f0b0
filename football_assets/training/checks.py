"""Asset checks of learning: is the model any good, and are its forecasts probabilities."""

from pathlib import Path

from dagster import AssetCheckResult, AssetCheckSeverity, asset_check

from football_assets.model_files import TEST_PREDICTIONS
from football_assets.sequences.assets import sequence_tensors
from football_assets.training.assets import model_evaluation, trained_lstm

SUM_TOLERANCE = 1e-6


@asset_check(
    asset=sequence_tensors, description="Every number is finite, but for contexts that are not known."
)
def tensors_finite(sequence_tensors: Path) -> AssetCheckResult:
    """Histories have no NaN but the rest days of a first match; contexts have no infinity."""
    import numpy as np

    from football_assets.sequences.tensors import open_tensors

    tensors = open_tensors(sequence_tensors)
    rest = tensors.spec.history_names.index("rest_days")
    others = [i for i in range(len(tensors.spec.history)) if i != rest]
    bad = 0
    for start in range(0, len(tensors), 16_384):
        rows = slice(start, start + 16_384)
        for history in (tensors.home_history[rows], tensors.away_history[rows]):
            bad += int((~np.isfinite(history[:, :, others])).sum() + np.isinf(history[:, :, rest]).sum())
        bad += int(np.isinf(tensors.context[rows]).sum())
    return AssetCheckResult(passed=bad == 0, metadata={"bad_numbers": bad, "matches": len(tensors)})


@asset_check(asset=sequence_tensors, description="Histories are packed to the right: padding comes first.")
def tensors_left_padded(sequence_tensors: Path) -> AssetCheckResult:
    """No padding follows a match."""
    import numpy as np

    from football_assets.sequences.spec import OBSERVED
    from football_assets.sequences.tensors import open_tensors

    tensors = open_tensors(sequence_tensors)
    index = tensors.spec.history_names.index(OBSERVED)
    wrong = 0
    for history in (tensors.home_history, tensors.away_history):
        observed = history[:, :, index]
        wrong += int((np.diff(observed, axis=1) < 0).any(axis=1).sum())
    return AssetCheckResult(passed=wrong == 0, metadata={"histories_with_gaps": wrong})


@asset_check(asset=trained_lstm, description="Train, validation and test follow one another without overlap.")
def periods_in_order(trained_lstm: Path) -> AssetCheckResult:
    """The last day of each period is before the first of the next."""
    from football_assets.training.network import load_description

    split = load_description(trained_lstm)["split"]
    days = [split[name] for name in ("train_start", "train_end", "validation_end", "test_end")]
    return AssetCheckResult(passed=days == sorted(days), metadata=split)


@asset_check(asset=model_evaluation, description="Test probabilities are in [0, 1] and sum to one.")
def probabilities_sum_to_one(model_evaluation: Path) -> AssetCheckResult:
    """The largest deviation from one."""
    import numpy as np
    import polars as pl

    from football_assets.training.evaluation import probabilities_of

    probabilities = probabilities_of(pl.read_parquet(model_evaluation / TEST_PREDICTIONS))
    worst = float(np.abs(probabilities.sum(axis=1) - 1).max())
    inside = bool(((probabilities >= 0) & (probabilities <= 1)).all())
    return AssetCheckResult(passed=inside and worst <= SUM_TOLERANCE, metadata={"largest_deviation": worst})


@asset_check(asset=model_evaluation, description="The test log loss is below that of the class prior.")
def beats_class_prior(model_evaluation: Path) -> AssetCheckResult:
    """The model against base rates."""
    return _beats(model_evaluation, "class_prior")


@asset_check(asset=model_evaluation, description="The test log loss is not above that of the Elo regression.")
def beats_elo(model_evaluation: Path) -> AssetCheckResult:
    """The model against one rating difference."""
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
