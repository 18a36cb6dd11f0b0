"""`wandb_registry_sensor`: a model that a colleague links as production in W&B's registry comes into ours."""

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
    description="Brings the version that is linked as production in the W&B registry into ours; registry_sensor "
    "follows. Needs FOOTBALL_WANDB_PROJECT and WANDB_API_KEY.",
)
def wandb_registry_sensor(context: SensorEvaluationContext, bucket: BucketResource) -> SkipReason:
    """Evaluate one tick. It requests no run: the aliases move."""
    if not is_online():
        return SkipReason("W&B is not configured, or offline.")
    try:
        version = follow_linked(Registry(bucket.open()), WandbRegistry(), Path(bucket.scratch))
    except FootballError as error:
        return SkipReason(f"Nothing was taken over: {error}")
    if version is None:
        return SkipReason("No version is linked that was not followed before.")
    return SkipReason(f"Version {version} was taken over and is in production.")
