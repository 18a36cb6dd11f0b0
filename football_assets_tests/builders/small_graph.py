"""A home with the real raw assets and two that stand for everything downstream, run as the daemon would."""

from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from football_assets.automation.jobs import refresh_forecasts, retrain
from football_assets.automation.new_results_sensor import evaluate_new_results, new_results_sensor
from football_assets.orchestration.dagster_private import RUN_KEY_TAG
from football_assets.orchestration.io_managers import TableIOManager
from football_assets.orchestration.partitions import COUNTRY_PARTITIONS, countries
from football_assets.orchestration.resources import BucketResource, bucket_resources
from football_assets.raw.assets import read_landing_files
from football_assets.settings import Settings
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table

BROKEN = "broken"  # while this object is in the bucket, training fails
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.asset(
    deps=["raw_matches"],
    partitions_def=countries,
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version="1",
)
def stg_matches() -> None:
    """Stands for the features."""


@dg.asset(deps=["stg_matches"], pool="training")
def trained_lstm(bucket: BucketResource) -> None:
    """Fails where the test says."""
    if bucket.open().stat(BROKEN):
        raise RuntimeError("no training today")


@dg.asset(deps=["trained_lstm"])
def fixture_predictions() -> None:
    """The end of the graph."""


ASSETS = [read_landing_files, stg_matches, trained_lstm, fixture_predictions]
EVERYTHING = frozenset(dg.AssetSelection.assets(*ASSETS).resolve(ASSETS))


def small_definitions(settings: Settings, **code_versions: str) -> dg.Definitions:
    """The graph with the project's jobs on it, some assets in other versions of their code."""
    bucket, beside_it = bucket_resources(settings)

    def upgraded(spec: dg.AssetSpec) -> dg.AssetSpec:
        version = code_versions.get(spec.key.path[-1], spec.code_version)
        return spec.replace_attributes(code_version=version)

    return dg.Definitions(
        assets=[definition.map_asset_specs(upgraded) for definition in ASSETS],
        jobs=[refresh_forecasts, retrain],
        sensors=[new_results_sensor],
        resources={**beside_it, "bucket": bucket, "tables": TableIOManager(bucket=bucket)},
    )


@dataclass
class SmallHome:
    """A bucket, an instance and the time of day. Runs are executed when the test says, in this process."""

    url: str
    folder: Path
    instance: dg.DagsterInstance
    now: float = 0.0  # Unix seconds
    cursor: str | None = None
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.definitions = small_definitions(Settings(bucket=self.url, home=self.folder))

    def upgrade(self, **code_versions: str) -> None:
        """Load the code location again, with other versions of the code of some assets."""
        self.definitions = small_definitions(Settings(bucket=self.url, home=self.folder), **code_versions)

    @property
    def bucket(self) -> Bucket:
        """Open the bucket again, as every process does."""
        return open_bucket(self.url)

    def land(self, name: str, *results: str) -> None:
        """Put a file of results below `raw/a/`."""
        text = "\n".join(["Date,Team 1,FT,HT,Team 2", *results])
        self.bucket.write(f"raw/a/{name}", f"{text}\n".encode())

    def tick(self) -> dg.RunRequest | None:
        """One evaluation ten seconds after the last; its cursor and partitions are kept, its request is returned."""
        self.now += 10
        result = evaluate_new_results(
            self.instance,
            self.bucket,
            self.definitions.get_repository_def().asset_graph,
            EVERYTHING,
            self.cursor,
            self.now,
        )
        self.cursor = result.cursor
        for request in result.dynamic_partitions_requests or ():
            self.instance.add_dynamic_partitions(COUNTRY_PARTITIONS, list(request.partition_keys))
        if result.skip_reason:
            self.skipped.append(str(result.skip_reason.skip_message))
        assert len(result.run_requests or ()) <= 1
        return result.run_requests[0] if result.run_requests else None

    def ticks(self, count: int = 2) -> dg.RunRequest | None:
        """The request of the first tick that has one."""
        for _ in range(count):
            request = self.tick()
            if request is not None:
                return request
        return None

    def request(self) -> dg.RunRequest:
        """The request that must come within two ticks."""
        request = self.ticks()
        assert request is not None, self.skipped[-1]
        return request

    def launch(self, request: dg.RunRequest, job_name: str = refresh_forecasts.name) -> bool:
        """Run it to its end, unless a run has its key; returns whether it succeeded."""
        assert request.run_key is not None
        assert not self.instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: request.run_key}))
        result = self.definitions.resolve_job_def(job_name).execute_in_process(
            instance=self.instance,
            run_config={**request.run_config, **QUIET},
            tags={**request.tags, RUN_KEY_TAG: request.run_key},
            asset_selection=list(request.asset_selection) if request.asset_selection else None,
            raise_on_error=False,
        )
        self.now = self.instance.get_run_records()[0].end_time or 0
        return result.success

    def home_teams(self) -> list[str]:
        """Home teams of all matches, in order."""
        return sorted(read_table(self.bucket, "raw_matches")["home_team"])
