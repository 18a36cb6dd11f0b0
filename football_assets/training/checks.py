"""Asset checks of learning: periods, probabilities, and scores beside the baselines."""

from pathlib import Path

from dagster import AssetCheckResult, AssetCheckSeverity, asset_check

from football_assets.storage.model_files import TEST_PREDICTIONS
from football_assets.training.assets import model_evaluation, trained_lstm

_SUM_TOLERANCE = 1e-6


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
    periods_in_order,
    probabilities_sum_to_one,
    beats_class_prior,
    beats_elo,
]
