"""Weights & Biases logging of a training run, through dagster-wandb; off unless the environment asks for it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from football_assets.settings import Settings
from football_assets.training.config import TrainingConfig

Log = Callable[[dict[str, Any]], None]


def is_tracking_on(settings: Settings) -> bool:
    """Whether FOOTBALL_WANDB_PROJECT names a project and there is a key, or the mode is offline."""
    return bool(settings.wandb_project) and (_is_offline() or bool(os.environ.get("WANDB_API_KEY")))


@contextmanager
def track(settings: Settings, config: TrainingConfig, dagster_run_id: str) -> Iterator[Log]:
    """A function that logs figures to a W&B run of this training; it does nothing when tracking is off.

    Offline, the run is kept under <home>/scratch/wandb, for `wandb sync`.
    """
    if not is_tracking_on(settings):
        yield lambda figures: None
        return
    wandb = _client()
    folder = settings.scratch / "wandb"
    Path(folder).mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        project=settings.wandb_project,
        entity=settings.wandb_entity,
        dir=str(folder),
        config=config.model_dump(mode="json"),
        tags=["dagster"],
        notes=f"Dagster run {dagster_run_id}",
    )
    try:
        yield run.log
    finally:
        run.finish()


def _client() -> Any:
    """The wandb module, logged in by dagster-wandb's resource when there is a server to talk to."""
    import wandb
    from dagster import build_init_resource_context
    from dagster_wandb import wandb_resource

    if _is_offline():
        return wandb
    context = build_init_resource_context(config={"api_key": os.environ["WANDB_API_KEY"]})
    return wandb_resource(context)["sdk"]


def _is_offline() -> bool:
    return os.environ.get("WANDB_MODE") == "offline"
