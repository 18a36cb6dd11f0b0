"""Asset check of what Ray Serve serves."""

from dagster import AssetCheckResult, MetadataValue, asset_check

from football_assets.errors import FootballError
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import Registry
from football_assets.runtime.serve_discovery import find_serve
from football_assets.settings import get_settings


@asset_check(
    asset="serving_deployment",
    description="Ray Serve follows the alias `production`, and every replica that was asked answers from that version.",
)
def production_is_what_serves(bucket: BucketResource) -> AssetCheckResult:
    """Asks the REST API and the replicas."""
    from football_assets.deployment.serve_api import ServeApi
    from football_assets.deployment.serve_state import FOLLOWED_ALIAS

    production = Registry(bucket.open()).aliases().get("production")
    try:
        api = ServeApi(find_serve(get_settings()))
        applications = api.state().applications
        health = [answer for item in applications for answer in api.health(item).values()]
    except FootballError as error:
        return AssetCheckResult(passed=False, description=str(error))
    wanted = {item.wanted for item in applications}
    answering = {answer.version for answer in health}
    problems = [
        f"Application {item.name!r} serves {item.wanted!r} by its configuration, not the alias {FOLLOWED_ALIAS!r}."
        for item in applications
        if item.is_pinned
    ]
    problems += [answer.error for answer in health if answer.error]
    return AssetCheckResult(
        passed=wanted == {FOLLOWED_ALIAS} and answering <= {production},
        description=" ".join(problems) or None,
        metadata={
            "production": MetadataValue.text(str(production)),
            "wanted": ", ".join(sorted(map(str, wanted))),
            "answering": ", ".join(sorted(map(str, answering))),
            "replicas": len({answer.replica for answer in health}),
        },
    )


checks = [production_is_what_serves]
