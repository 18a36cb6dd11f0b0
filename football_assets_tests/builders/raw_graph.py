"""The raw tables and their checks as Dagster runs them, over a range of countries or without the tables' step."""

from collections.abc import Sequence

from dagster import (
    AssetCheckEvaluation,
    AssetsDefinition,
    AssetSelection,
    AssetSpec,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    materialize,
)

from football_assets.orchestration.io_managers import TableIOManager
from football_assets.orchestration.partitions import COUNTRIES_TAG
from football_assets.orchestration.resources import BucketResource
from football_assets.raw.assets import read_landing_files
from football_assets.raw.checks import checks
from football_assets_tests.builders.registry_graph import evaluations

COUNTRIES = ["eng", "es", "fr"]


def materialize_countries(
    resource: BucketResource,
    first: str,
    last: str,
    downstream: Sequence[AssetsDefinition] = (),
    only: Sequence[str] = (),
) -> ExecuteInProcessResult:
    """Read the landing files of a range of `COUNTRIES`, or of `only` some of it, and evaluate all checks."""
    definitions = Definitions(
        assets=[read_landing_files, *downstream],
        asset_checks=checks,
        resources={"bucket": resource, "tables": TableIOManager(bucket=resource)},
    )
    instance = DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("countries", COUNTRIES)
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = definitions.resolve_implicit_global_asset_job_def()
    tags |= {COUNTRIES_TAG: ",".join(only)} if only else {}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def run_raw_checks(
    resource: BucketResource, selection: AssetSelection | None = None
) -> dict[str, AssetCheckEvaluation]:
    """Evaluate the selected checks, or all, on the tables as they are in the bucket."""
    tables = [AssetSpec("raw_matches"), AssetSpec("raw_matches_rejected")]
    return evaluations(
        materialize(
            [*tables, *checks],
            resources={"bucket": resource},
            selection=selection or AssetSelection.all_asset_checks(),
            raise_on_error=False,
        )
    )


def check_results(result: ExecuteInProcessResult) -> dict[str, bool]:
    """Whether each check passed, by its name."""
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}
