"""The Dagster shell of the search for hyperparameters: `sweep`."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset

from football_assets.orchestration.figures import to_png
from football_assets.orchestration.launch_config import launchpad_config
from football_assets.orchestration.metadata import LEARNING_GROUP, OWNERS, markdown_picture, tracked_value
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.tables import as_markdown
from football_assets.training.config import SweepConfig

SweepLaunchpad = launchpad_config(SweepConfig)


@asset(
    group_name=LEARNING_GROUP,
    kinds={"ray", "pytorch"},
    owners=OWNERS,
    io_manager_key="tables",
    pool="training",
)
def sweep(
    context: AssetExecutionContext,
    config: SweepLaunchpad,  # type: ignore[valid-type]
    bucket: BucketResource,
    sequence_tensors: Path,
) -> MaterializeResult[pl.DataFrame]:
    """Hyperparameters tried against the defaults, one row a trial; validation alone decides, over several seeds.

    A configuration that beats the defaults is what `trained_lstm` takes from then on, until another sweep decides
    otherwise. It runs on all cores or GPUs of Ray's cluster, within the given trials and minutes.
    """
    from football_assets.orchestration.tracking import track
    from football_assets.sequences.tensors import open_tensors
    from football_assets.settings import get_settings
    from football_assets.storage.artifacts import folder_digest
    from football_assets.training.best_config import BestConfig, load_best, save_best, spec_digest
    from football_assets.training.plots import trial_curves
    from football_assets.training.split import split_by_time
    from football_assets.tuning.sweep import run_sweep, trials_table

    searched = SweepConfig.model_validate(config.model_dump())  # type: ignore[attr-defined]
    tensors = open_tensors(sequence_tensors)
    split = split_by_time(tensors, searched.split)
    store = bucket.open()
    before = load_best(store)
    is_rival = before is not None and before.wins and before.feature_spec == spec_digest(tensors.spec)
    with track(
        get_settings(), "sweep", context.run_id, searched.model_dump(mode="json"), context.log.warning
    ) as tracking:
        result = run_sweep(
            tensors, split, searched, before.training if before and is_rival else None, context.log.info
        )
        names = {trial.number: f"trial {trial.number}, {trial.origin}" for trial in result.trials}
        curves = {
            names[trial.number]: [epoch.validation_log_loss for epoch in trial.epochs]
            for trial in result.trials
        }
        winner = result.winner
        picture = to_png(trial_curves(curves, names[0], names[winner.trial.number] if winner else None))
        folder = bucket.scratch_folder("sweep")
        (folder / "trials.png").write_bytes(picture)
        tracking.picture("trials", folder / "trials.png")
        tracking.conclude({"verdict": result.reason})
    shutil.rmtree(folder)
    default = result.finalists[0]
    if winner is not None:
        save_best(
            store,
            BestConfig(
                training=winner.trial.training,
                wins=winner is not default,
                reason=result.reason,
                validation_log_loss=[loss for _, loss in sorted(winner.losses.items())],
                default_validation_log_loss=[loss for _, loss in sorted(default.losses.items())],
                feature_spec=spec_digest(tensors.spec),
                tensors=folder_digest(sequence_tensors),
                validation_start=split.validation_start,
                validation_end=split.validation_end,
                found=datetime.now(UTC),
                run_id=context.run_id,
            ),
        )
    trials = trials_table(result)
    final = pl.DataFrame(
        [
            {"trial": names[item.trial.number], "seed": seed, "validation log loss": f"{loss:.4f}"}
            for item in result.finalists
            for seed, loss in item.losses.items()
        ],
        schema=["trial", "seed", "validation log loss"],
    )
    return MaterializeResult(
        value=trials,
        metadata={
            "verdict": result.reason,
            "trials": MetadataValue.md(as_markdown(trials.sort("validation_log_loss", nulls_last=True))),
            "final": MetadataValue.md(as_markdown(final)),
            "curves": markdown_picture(picture, "Validation log loss by epoch"),
            "best_config": MetadataValue.json(
                winner.trial.training.model_dump(mode="json") if winner is not None else {}
            ),
            "changes_the_next_training": winner is not None and winner is not default,
            "split": MetadataValue.json(split.as_dict()),
            "wandb": tracked_value(tracking.where),
        },
    )


assets = [sweep]
