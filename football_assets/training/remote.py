"""A training in another process, on any machine that reaches the bucket: `python -m football_assets.training.remote`.

The process gets its task through Dagster Pipes. It reads the tensors from the bucket and stores the network there.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from football_assets.sequences.tensors import open_tensors
from football_assets.storage.artifacts import fetch
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Epoch, Fit, OnEpoch, describe_fit, fit_forecaster
from football_assets.training.network import load_description, load_forecaster, save_forecaster
from football_assets.training.split import split_by_time

TENSORS = "sequence_tensors"
_RESULT = "result"


def task_of(bucket: str, tensors: str, config: TrainingConfig, prefix: str) -> dict[str, Any]:
    """Describe a training as JSON.

    Parameters
    ----------
    bucket
        gs://bucket/prefix.
    tensors
        Digest of the artifact `sequence_tensors`.
    config
        Hyperparameters.
    prefix
        Below which the network is stored.
    """
    return {
        "bucket": bucket,
        "tensors": tensors,
        "config": config.model_dump(mode="json"),
        "prefix": prefix,
    }


def train_task(task: Mapping[str, Any], on_epoch: OnEpoch) -> None:
    """Train as the task says and store the network."""
    bucket = open_bucket(task["bucket"])
    config = TrainingConfig.model_validate(task["config"])
    with tempfile.TemporaryDirectory(prefix="football-remote-") as name:
        scratch = Path(name)
        tensors = open_tensors(fetch(bucket, TENSORS, scratch, task["tensors"]))
        split = split_by_time(tensors, config.split)
        fit = fit_forecaster(tensors, split, config, on_epoch)
        result = scratch / _RESULT
        result.mkdir()
        description = describe_fit(fit, split, config) | {"refit_seconds": fit.refit_seconds}
        save_forecaster(fit.network, description, result)
        for path in sorted(result.iterdir()):
            bucket.upload(path, f"{task['prefix']}/{_RESULT}/{path.name}")


def take_fit(bucket: Bucket, prefix: str, folder: Path) -> Fit:
    """Download the fit that `train_task` has stored."""
    for item in bucket.list(f"{prefix}/{_RESULT}/"):
        bucket.download(item.name, folder / item.name.rpartition("/")[2])
    description = load_description(folder)
    epochs = [Epoch(**epoch) for epoch in description["epochs"]]
    return Fit(
        load_forecaster(folder),
        epochs,
        description["best_epoch"],
        description["device"],
        description["refit_seconds"],
    )


def remove_task(bucket: Bucket, prefix: str) -> None:
    """Remove everything that a task has left in the bucket."""
    for item in bucket.list(f"{prefix}/"):
        bucket.delete(item.name)


def main() -> None:
    """Train the task that Dagster Pipes passes to this process."""
    from dagster_pipes import PipesGCSMessageWriter, open_dagster_pipes
    from google.cloud.storage import Client

    with open_dagster_pipes(message_writer=PipesGCSMessageWriter(Client(project=None), interval=5)) as pipes:

        def report(epoch: Epoch) -> None:
            pipes.log.info(f"Epoch {epoch.epoch} done, {epoch.seconds:.1f} s")

        train_task(pipes.extras, report)


if __name__ == "__main__":
    main()
