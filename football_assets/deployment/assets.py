"""`serving_deployment`: the production version, answering from every replica of Ray Serve."""

from pathlib import Path

from dagster import AssetExecutionContext, Config, MaterializeResult, asset
from pydantic import Field

from football_assets.registry.store import Registry
from football_assets.resources import BucketResource
from football_assets.serve_address import find_serve
from football_assets.settings import get_settings

OWNERS = ["team:forecasting"]
GROUP = "deployment"


class DeploymentConfig(Config):
    """What to serve."""

    version: str = Field("production", description="Version or alias of the registry.")
    patience_seconds: float = Field(
        120, gt=0, description="Seconds until every replica must answer from the version."
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
    """The version that Ray Serve was told to serve, once every replica answers from it.

    Fails when Serve does not run, the bundle is not whole, or a replica cannot load it; what answered before goes on.
    """
    from football_assets.deployment.serve_api import ServeApi
    from football_assets.registry.bundle import check_bundle

    registry = Registry(bucket.open())
    version = registry.resolve(config.version)
    address = find_serve(get_settings())
    check_bundle(registry.fetch(version, Path(bucket.scratch)))
    deployed = ServeApi(address).deploy(version, config.patience_seconds)
    context.log.info("Version %d answers from %d replicas", version, deployed.replicas)
    return MaterializeResult(
        metadata={
            "version": version,
            "replicas": deployed.replicas,
            "seconds": round(deployed.seconds, 2),
            "before": ", ".join(f"{name}: {value}" for name, value in deployed.before.items()),
            "serve": address.url,
        }
    )


assets = [serving_deployment]
