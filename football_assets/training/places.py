"""Where `trained_lstm` trains: in its own process, on several workers of Ray, or in a job of Vertex AI."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from football_assets.orchestration.kuberay import StepContext, ray_for_step
from football_assets.orchestration.resources import BucketResource
from football_assets.orchestration.vertex import POLL_SECONDS, authorised_session, read_job, vertex_client
from football_assets.sequences.tensors import SequenceTensors
from football_assets.settings import get_settings
from football_assets.storage.model_files import TRAINING_CHECKPOINTS
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Fit, OnEpoch
from football_assets.training.parallel.checkpoint_storage import CheckpointStorage
from football_assets.training.parallel.distributed import fit_on_workers
from football_assets.training.remote import remove_task, take_fit, task_of
from football_assets.training.split import TimeSplit


def fit_where_configured(
    context: StepContext,
    bucket: BucketResource,
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    inputs: Mapping[str, Any],
    on_epoch: OnEpoch,
) -> Fit:
    """Fit as `fit_on_workers` does, where the settings say.

    One worker trains in a job of Vertex AI if FOOTBALL_VERTEX_JOB is set. Several workers train on a Ray cluster of
    their own if FOOTBALL_RAY_CLUSTER is set.

    Parameters
    ----------
    context
        Of the step.
    inputs
        Digest of the tensors, configuration and code version, which identify the training.
    """
    settings = get_settings()
    if config.workers == 1 and settings.vertex_job is not None:
        return _fit_on_vertex(context, settings.vertex_job, bucket, inputs["tensors"], config, on_epoch)
    identity = {name: inputs[name] for name in ("tensors", "code_version")}
    identity["config"] = config.model_dump(mode="json", exclude={"max_failures"})  # more of them resume, too
    with ray_for_step(context, settings.ray_cluster if config.workers > 1 else None):
        storage = CheckpointStorage.of_inputs(bucket.url, identity)
        return fit_on_workers(tensors, split, config, on_epoch, storage)


def _fit_on_vertex(
    context: StepContext,
    job_file: Path,
    bucket: BucketResource,
    tensors: str,
    config: TrainingConfig,
    on_epoch: OnEpoch,
) -> Fit:
    """Fit in a job of Vertex AI, on the tensors with a digest; the epochs are reported at its end."""
    job, prefix = read_job(job_file), f"{TRAINING_CHECKPOINTS}/vertex-{context.run_id}"
    client = vertex_client(authorised_session(), bucket.open(), prefix, POLL_SECONDS)
    try:
        client.run(context=context, job=job, extras=task_of(bucket.url, tensors, config, prefix))
        folder = bucket.scratch_folder("vertex")
        fit = take_fit(bucket.open(), prefix, folder)
        shutil.rmtree(folder)
    finally:
        remove_task(bucket.open(), prefix)
    for epoch in fit.epochs:
        on_epoch(epoch)
    return fit
