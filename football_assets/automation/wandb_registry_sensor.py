"""`wandb_registry_sensor`: import the model that is linked as production in the W&B registry."""

import os
from pathlib import Path

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor

from football_assets.deployment.wandb_registry import WandbRegistry, follow_linked
from football_assets.errors import FootballError
from football_assets.orchestration.resources import BucketResource
from football_assets.orchestration.tracking import is_tracking_on
from football_assets.registry.store import Registry
from football_assets.settings import get_settings

_INTERVAL_SECONDS = 300


def is_online() -> bool:
    """Whether W&B is configured and may be asked."""
    return is_tracking_on(get_settings()) and os.environ.get("WANDB_MODE") != "offline"


@sensor(
    name="wandb_registry_sensor",
    minimum_interval_seconds=_INTERVAL_SECONDS,
    default_status=DefaultSensorStatus.RUNNING if is_online() else DefaultSensorStatus.STOPPED,
    description="Imports the version that is linked as production in the W&B registry and promotes it; "
    "registry_sensor then follows. Requires FOOTBALL_WANDB_PROJECT and WANDB_API_KEY.",
)
def wandb_registry_sensor(context: SensorEvaluationContext, bucket: BucketResource) -> SkipReason:
    """Evaluate one tick. It requests no run: it moves the alias."""
    if not is_online():
        return SkipReason("W&B is not configured, or offline.")
    try:
        version = follow_linked(Registry(bucket.open()), WandbRegistry(), Path(bucket.scratch))
    except FootballError as error:
        return SkipReason(f"Nothing was imported: {error}")
    if version is None:
        return SkipReason("No new version is linked.")
    return SkipReason(f"Version {version} was imported and is in production.")
