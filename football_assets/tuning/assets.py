"""The Dagster shell of the search for hyperparameters: `sweep`."""

import shutil
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
    """Hyperparameter search, one row per trial. Validation over several seeds decides; the test period is not used.

    If a configuration is better than the defaults, `trained_lstm` uses it until the next sweep. The sweep runs on all
    cores or GPUs of Ray's cluster, within the given trials and minutes.
    """
    from football_assets.orchestration.kuberay import ray_for_step
    from football_assets.orchestration.tracking import track
    from football_assets.sequences.tensors import open_tensors
    from football_assets.settings import get_settings
    from football_assets.storage.artifacts import folder_digest
    from football_assets.training.best_config import load_best, save_best, spec_digest
    from football_assets.training.plots import trial_curves
    from football_assets.training.split import split_by_time
    from football_assets.tuning.sweep import best_config, final_table, run_sweep, trials_table

    searched = SweepConfig.model_validate(config.model_dump())  # type: ignore[attr-defined]
    tensors = open_tensors(sequence_tensors)
    split = split_by_time(tensors, searched.split)
    store = bucket.open()
    before = load_best(store)
    is_rival = before is not None and before.wins and before.feature_spec == spec_digest(tensors.spec)
    with track(
        get_settings(), "sweep", context.run_id, searched.model_dump(mode="json"), context.log.warning
    ) as tracking:
        with ray_for_step(context, get_settings().ray_cluster):
            result = run_sweep(
                tensors, split, searched, before.training if before and is_rival else None, context.log.info
            )
        picture = to_png(trial_curves(*result.curves()))
        folder = bucket.scratch_folder("sweep")
        (folder / "trials.png").write_bytes(picture)
        tracking.picture("trials", folder / "trials.png")
        tracking.conclude({"verdict": result.reason})
    shutil.rmtree(folder)
    best = best_config(result, tensors.spec, folder_digest(sequence_tensors), split, context.run_id)
    if best is not None:
        save_best(store, best)
    trials = trials_table(result)
    return MaterializeResult(
        value=trials,
        metadata={
            "verdict": result.reason,
            "trials": MetadataValue.md(as_markdown(trials.sort("validation_log_loss", nulls_last=True))),
            "final": MetadataValue.md(as_markdown(final_table(result))),
            "curves": markdown_picture(picture, "Validation log loss by epoch"),
            "best_config": MetadataValue.json(best.training.model_dump(mode="json") if best else {}),
            "changes_the_next_training": best is not None and best.wins,
            "split": MetadataValue.json(split.as_dict()),
            "wandb": tracked_value(tracking.where),
        },
    )


assets = [sweep]
