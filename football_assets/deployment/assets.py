"""`serving_deployment`: verifies that every replica of Ray Serve answers from the production version."""

from collections.abc import Mapping
from pathlib import Path

from dagster import AssetExecutionContext, Config, MaterializeResult, asset
from pydantic import Field

from football_assets.deployment.serve_state import SESSION_METADATA
from football_assets.orchestration.metadata import OWNERS
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import Registry
from football_assets.runtime.serve_discovery import find_serve
from football_assets.settings import get_settings

GROUP = "deployment"


class DeploymentConfig(Config):
    """What Serve is configured to serve, and how long its replicas may take."""

    version: str = Field(
        "",
        description="Version or alias to pin in Serve's configuration; `production` makes Serve follow that alias "
        "again. Empty: the configuration stays as it is.",
    )
    patience_seconds: float = Field(
        120, gt=0, description="Seconds within which every replica must answer from the version."
    )


@asset(
    deps=["registered_model"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"ray", "onnx"},
    tags={"grain": "model"},
    pool="deployment",
)
def serving_deployment(
    context: AssetExecutionContext, config: DeploymentConfig, bucket: BucketResource
) -> MaterializeResult:
    """Verify that every replica of Ray Serve answers from production, or from the version that its configuration pins.

    Replicas follow the alias by themselves; those that lag are reloaded. Fails if Serve does not run, the bundle is
    incomplete, or a replica cannot load it; replicas then keep their version.
    """
    from football_assets.deployment.serve_api import ServeApi
    from football_assets.registry.bundle import check_bundle

    registry = Registry(bucket.open())
    address = find_serve(get_settings())
    api = ServeApi(address)
    before = api.state()
    pin = int(config.version) if config.version.isdigit() else config.version
    for wanted in {pin} if pin else before.wanted:
        check_bundle(registry.open(wanted).load(Path(bucket.scratch)))
    if pin:
        verified = api.pin(pin, registry.resolve, config.patience_seconds)
    else:
        verified = api.verify(registry.resolve, config.patience_seconds)
    after = api.state()
    pinned = {item.name: item.wanted for item in after.applications if item.is_pinned}
    versions = {verified.versions[name] for name in verified.versions if name not in pinned}
    shown = _by_application(verified.versions)
    context.log.info("%d replicas answer: %s", verified.replicas, shown)
    return MaterializeResult(
        metadata={
            "version": max(versions or verified.versions.values()),
            "applications": shown,
            "pinned": _by_application(pinned) or "none",
            "reloaded": ", ".join(verified.reloaded) or "none",
            "replicas": verified.replicas,
            "seconds": round(verified.seconds, 2),
            "serve": address.url,
            SESSION_METADATA: after.session,
        }
    )


def _by_application(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in values.items())


assets = [serving_deployment]
