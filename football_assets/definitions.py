"""The Dagster code location: merges the stages' assets and checks and gives them resources. It defines nothing else."""

from dagster import Definitions, in_process_executor

from football_assets.automation.jobs import jobs
from football_assets.automation.schedules import schedules
from football_assets.automation.sensors import sensors
from football_assets.deployment import assets as deployment_assets
from football_assets.deployment import checks as deployment_checks
from football_assets.export import assets as export_assets
from football_assets.export import checks as export_checks
from football_assets.features import assets as feature_assets
from football_assets.features import checks as feature_checks
from football_assets.forecasting import assets as forecasting_assets
from football_assets.forecasting import checks as forecasting_checks
from football_assets.monitoring import assets as monitoring_assets
from football_assets.monitoring import checks as monitoring_checks
from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import bucket_resources
from football_assets.orchestration.source_links import with_source_links
from football_assets.raw import assets as raw_assets
from football_assets.raw import checks as raw_checks
from football_assets.registry import assets as registry_assets
from football_assets.registry import checks as registry_checks
from football_assets.sequences import assets as sequence_assets
from football_assets.sequences import checks as sequence_checks
from football_assets.settings import Settings, get_settings
from football_assets.training import assets as training_assets
from football_assets.training import checks as training_checks
from football_assets.tuning import assets as sweep_assets

ASSETS = [
    *raw_assets.assets,
    *feature_assets.assets,
    *sequence_assets.assets,
    *training_assets.assets,
    *sweep_assets.assets,
    *export_assets.assets,
    *registry_assets.assets,
    *forecasting_assets.assets,
    *monitoring_assets.assets,
    *deployment_assets.assets,
]

CHECKS = [
    *raw_checks.checks,
    *feature_checks.checks,
    *sequence_checks.checks,
    *training_checks.checks,
    *export_checks.checks,
    *registry_checks.checks,
    *forecasting_checks.checks,
    *monitoring_checks.checks,
    *deployment_checks.checks,
]


def build_definitions(settings: Settings) -> Definitions:
    """Build the code location on one home's bucket."""
    bucket, beside_it = bucket_resources(settings)
    return Definitions(
        assets=with_source_links(ASSETS, CHECKS, settings.git_url, settings.git_branch),
        asset_checks=CHECKS,
        jobs=jobs,
        sensors=sensors,
        schedules=schedules,
        executor=in_process_executor,  # a process per step imports for longer than most steps compute
        resources={
            **beside_it,
            "bucket": bucket,
            "tables": TableIOManager(bucket=bucket),
            "folders": FolderIOManager(bucket=bucket),
        },
    )


defs = build_definitions(get_settings())
