"""The Dagster shell of learning: `trained_lstm`, `model_evaluation` and `backtest`."""

import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import (
    AssetExecutionContext,
    Config,
    DagsterLogManager,
    DataVersion,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from football_assets.orchestration.code_versions import MODEL_EVALUATION_CODE, TRAINED_LSTM_CODE
from football_assets.orchestration.figures import to_png
from football_assets.orchestration.launch_config import launchpad_config
from football_assets.orchestration.metadata import LEARNING_GROUP, OWNERS, markdown_picture, tracked_value
from football_assets.orchestration.requested import materialized_since_request
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.artifacts import fetch, folder_digest
from football_assets.training.config import LaunchedTraining, TrainingConfig
from football_assets.training.score_tables import confusion_table, league_table, scores_table, tier_table

if TYPE_CHECKING:
    from football_assets.orchestration.tracking import Tracking
    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.training.best_config import ConfigChoice
    from football_assets.training.fit import Epoch
    from football_assets.training.split import TimeSplit

TrainingLaunchpad = launchpad_config(TrainingConfig)
BestTrainingLaunchpad = launchpad_config(LaunchedTraining)


@asset(
    group_name=LEARNING_GROUP,
    kinds={"pytorch"},
    owners=OWNERS,
    io_manager_key="folders",
    pool="training",
    code_version=TRAINED_LSTM_CODE,
)
def trained_lstm(
    context: AssetExecutionContext,
    config: BestTrainingLaunchpad,  # type: ignore[valid-type]
    bucket: BucketResource,
    sequence_tensors: Path,
) -> MaterializeResult[Path]:
    """Train an LSTM over both teams' last matches with two heads: outcome probabilities and expected goals.

    Fitted on the training period, with early stopping and calibration on the validation period; the test period is not
    used. Weights are in `checkpoint.safetensors`; `training.json` has the configuration, the periods and every epoch.
    Uses the hyperparameters of the last `sweep` if they are better than the defaults. Runs on a GPU if there is one,
    and on several workers if `workers` is above 1. If another run has trained on the same tensors, configuration
    and code since this run was requested, its model is copied.
    """
    from football_assets.sequences.tensors import open_tensors
    from football_assets.training.best_config import choose_config, load_best
    from football_assets.training.split import split_by_time

    launched = LaunchedTraining.model_validate(config.model_dump())  # type: ignore[attr-defined]
    tensors = open_tensors(sequence_tensors)
    split = split_by_time(tensors, launched.split)
    choice = choose_config(launched, load_best(bucket.open()), tensors.spec, split.test_start)
    context.log.info(choice.line())
    inputs = {
        "config": choice.training.model_dump(mode="json"),
        "tensors": folder_digest(sequence_tensors),
        "code_version": TRAINED_LSTM_CODE,
    }
    folder = bucket.scratch_folder("trained_lstm")
    metadata = _copy_trained(context, bucket, inputs, folder)
    if metadata is None:
        own = inputs | {"hyperparameters": choice.line(), "run_id": context.run_id}
        metadata = _train(context, tensors, split, choice, own, folder, bucket)
    # The data version is not of the inputs: the configuration differs between runs.
    return MaterializeResult(value=folder, metadata=metadata, data_version=DataVersion(folder_digest(folder)))


def _copy_trained(
    context: AssetExecutionContext, bucket: BucketResource, inputs: Mapping[str, Any], folder: Path
) -> dict[str, Any] | None:
    """Copy the model that another run has trained on the same inputs since this run was requested, if any.

    `new_results_sensor` and a person may request the same at once. A request after the end of a training always trains.
    """
    from football_assets.training.network import load_description

    event = materialized_since_request(context.instance, context.run, context.asset_key)
    if event is None or event.asset_materialization is None:
        return None
    trained = fetch(bucket.open(), "trained_lstm", Path(bucket.scratch))
    description = load_description(trained)
    if any(description.get(name) != value for name, value in inputs.items()):
        return None
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    context.log.info(f"Copied the model of run {event.run_id}: trained on the same inputs since this request")
    return {**event.asset_materialization.metadata, "copied_from_run": event.run_id}


def _train(
    context: AssetExecutionContext,
    tensors: "SequenceTensors",
    split: "TimeSplit",
    choice: "ConfigChoice",
    own: dict[str, Any],
    folder: Path,
    bucket: BucketResource,
) -> dict[str, Any]:
    """Train, write the files of the model, with `own` in their description, and return metadata."""
    from football_assets.orchestration.tracking import track
    from football_assets.settings import get_settings
    from football_assets.training.baselines import elo_log_loss
    from football_assets.training.fit import describe_fit
    from football_assets.training.network import save_forecaster
    from football_assets.training.places import fit_where_configured
    from football_assets.training.plots import loss_curves

    context.log.info(
        f"Training on {len(split.train):,} matches, validating on {len(split.validation):,}, "
        f"{len(split.test):,} kept for the test: {split.as_dict()}"
    )
    training = choice.training
    tracked = {"training": training.model_dump(mode="json"), "hyperparameters": choice.line()}
    with track(get_settings(), "trained_lstm", context.run_id, tracked, context.log.warning) as tracking:
        fit = fit_where_configured(
            context, bucket, tensors, split, training, own, _epoch_log(context.log, tracking)
        )
        if training.refit:
            context.log.info(f"Refitted on training and validation, {fit.refit_seconds:.1f} s")
        scores = {
            "best_epoch": fit.best_epoch,
            "best_validation_log_loss": fit.best.validation_log_loss,
            "elo_validation_log_loss": elo_log_loss(tensors, split),
        }
        picture = to_png(loss_curves(fit.epochs, fit.best_epoch, scores["elo_validation_log_loss"]))
        (folder / "loss_curves.png").write_bytes(picture)
        tracking.picture("loss_curves", folder / "loss_curves.png")
        tracking.conclude(scores)
    description = describe_fit(fit, split, training) | own
    save_forecaster(fit.network, description, folder)
    return {
        "loss_curves": markdown_picture(picture, "Log loss by epoch"),
        **_fit_metadata(description),
        "validation_log_loss": fit.best.validation_log_loss,
        "elo_validation_log_loss": scores["elo_validation_log_loss"],
        "seconds": fit.seconds,
        "wandb": tracked_value(tracking.where),
    }


def _epoch_log(log: DagsterLogManager, tracking: "Tracking") -> Callable[["Epoch"], None]:
    """Return a function that logs an epoch to the run and to W&B."""

    def report(epoch: "Epoch") -> None:
        log.info(
            f"Epoch {epoch.epoch}: log loss {epoch.train_log_loss:.4f} in training, "
            f"{epoch.validation_log_loss:.4f} in validation, {epoch.seconds:.1f} s"
        )
        tracking.log(epoch.as_dict())

    return report


def _fit_metadata(description: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of `trained_lstm` that `training.json` holds too."""
    shown = ("best_epoch", "temperature", "parameters", "device", "hyperparameters")
    return {
        "train_matches": description["matches"]["train"],
        "validation_matches": description["matches"]["validation"],
        **{name: description[name] for name in shown},
        "config": MetadataValue.json(description["config"]),
        "split": MetadataValue.json(description["split"]),
    }


@asset(
    group_name=LEARNING_GROUP,
    kinds={"pytorch", "polars"},
    owners=OWNERS,
    io_manager_key="folders",
    code_version=MODEL_EVALUATION_CODE,
)
def model_evaluation(
    context: AssetExecutionContext, bucket: BucketResource, trained_lstm: Path, sequence_tensors: Path
) -> MaterializeResult[Path]:
    """Scores on the test period, which nothing was fitted on, beside class prior, Elo and, with odds, the bookmaker.

    `metrics.json` holds log loss, ranked probability score, Brier score, accuracy, expected calibration error, the
    scores by league and, where there are odds or shots, by tier of input, and the confusion by outcome;
    `test_predictions.parquet` every forecast behind them. The odds of the test matches themselves are hidden.
    """
    from football_assets.orchestration.tracking import track
    from football_assets.sequences.tensors import open_tensors
    from football_assets.settings import get_settings
    from football_assets.training.config import SplitConfig
    from football_assets.training.evaluation import evaluate_forecaster, probabilities_of, save_evaluation
    from football_assets.training.network import load_description, load_forecaster
    from football_assets.training.plots import reliability_diagram
    from football_assets.training.split import split_by_time

    tensors = open_tensors(sequence_tensors)
    description = load_description(trained_lstm)
    split = split_by_time(tensors, SplitConfig.model_validate(description["config"]["split"]))
    metrics, predictions = evaluate_forecaster(load_forecaster(trained_lstm), tensors, split)
    outcomes = predictions["outcome"].to_numpy()
    diagram = reliability_diagram(
        {"LSTM": probabilities_of(predictions), "Elo": probabilities_of(predictions, "elo_")},
        outcomes,
        f"Reliability on {len(predictions):,} matches, {split.test_start} to {split.end}",
    )
    picture = to_png(diagram)
    folder = bucket.scratch_folder("model_evaluation")
    save_evaluation(metrics, predictions, folder)
    (folder / "reliability.png").write_bytes(picture)
    trained_by = description.get("run_id", context.run_id)
    tracked = {"training": description["config"], "split": split.as_dict()}
    with track(
        get_settings(), "model_evaluation", context.run_id, tracked, context.log.warning, trained_by
    ) as tracking:
        tracking.picture("reliability", folder / "reliability.png")
        tracking.conclude(
            {f"test_{name}": value for name, value in metrics["test"].items()}
            | {f"{name}_log_loss": scores["log_loss"] for name, scores in metrics["baselines"].items()}
        )
    return MaterializeResult(
        value=folder,
        metadata={
            "reliability": markdown_picture(picture, "Reliability diagram"),
            "scores": MetadataValue.md(scores_table({"LSTM": metrics["test"], **metrics["baselines"]})),
            "by_league": MetadataValue.md(league_table(metrics["by_league"])),
            **({"tiers": MetadataValue.md(tier_table(metrics["tiers"]))} if "tiers" in metrics else {}),
            "confusion": MetadataValue.md(confusion_table(metrics["confusion"])),
            "test_matches": metrics["test_matches"],
            **{f"test_{name}": value for name, value in metrics["test"].items()},
            "elo_log_loss": metrics["baselines"]["elo"]["log_loss"],
            "class_prior_log_loss": metrics["baselines"]["class_prior"]["log_loss"],
            "wandb": tracked_value(tracking.where),
        },
    )


class BacktestPeriod(Config):
    """Which days are forecast."""

    start: str | None = Field(
        None,
        description="First day that is forecast, YYYY-MM-DD; the network trains on earlier days only. "
        "Unset: by the size of the data, a year before the last result, or later where more than half of the played "
        "matches lie in that year.",
    )
    end: str | None = Field(None, description="Last day that is forecast; unset: the last with a result.")
    training: TrainingLaunchpad = TrainingLaunchpad()  # type: ignore[valid-type]


@asset(
    group_name=LEARNING_GROUP,
    kinds={"pytorch", "polars"},
    owners=OWNERS,
    io_manager_key="tables",
    pool="training",
)
def backtest(
    context: AssetExecutionContext, config: BacktestPeriod, sequence_tensors: Path
) -> MaterializeResult[pl.DataFrame]:
    """Forecasts of a past period by a network trained on all matches before it; histories are updated day by day."""
    from football_assets.sequences.tensors import open_tensors
    from football_assets.training.backtest import backtest_scores, run_backtest

    result = run_backtest(
        open_tensors(sequence_tensors),
        parse_day(config.start) if config.start else None,
        parse_day(config.end) if config.end else None,
        TrainingConfig.model_validate(config.training.model_dump()),  # type: ignore[attr-defined]
        lambda epoch: context.log.info(
            f"Epoch {epoch.epoch}: validation log loss {epoch.validation_log_loss:.4f}"
        ),
    )
    scores = backtest_scores(result.forecasts)
    return MaterializeResult(
        value=result.forecasts,
        metadata={
            "matches": len(result.forecasts),
            "scores": MetadataValue.md(scores_table(scores)),
            "log_loss": scores["model"]["log_loss"],
            "split": MetadataValue.json(result.split.as_dict()),
        },
    )


def parse_day(text: str) -> date:
    """Parse a day written YYYY-MM-DD.

    Raises
    ------
    FootballError
        It is not.
    """
    from football_assets.errors import FootballError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FootballError(f"{text!r} is not a day: write it YYYY-MM-DD, like 2021-07-01.") from None


assets = [trained_lstm, model_evaluation, backtest]
