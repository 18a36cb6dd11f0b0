"""Run launcher for Kubernetes that sizes a run's pod by its countries. `deploy/` configures it.

Dagster has no tags per partition for jobs whose backfills run several partitions at once, so the launcher adds them.
"""

import json

from dagster import DagsterInstance, DagsterRun
from dagster_k8s import K8sRunLauncher

from football_assets.orchestration.dagster_private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    LaunchRunContext,
)
from football_assets.orchestration.partitions import COUNTRIES_TAG, COUNTRY_PARTITIONS
from football_assets.orchestration.run_resources import POD_TAG, feature_pod

PARTITION_TAG = "dagster/partition"


class CountryRunLauncher(K8sRunLauncher):
    """Dagster's Kubernetes launcher, with memory by the countries of a run that says nothing of its pod itself."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Launch a run, tagged with the size of its pod."""
        run = context.dagster_run
        wanted = countries_of_run(self._instance, run)
        if wanted and POD_TAG not in run.tags:
            tags = {POD_TAG: json.dumps(feature_pod(wanted)[POD_TAG])}
            self._instance.add_run_tags(run.run_id, tags)
            context = context._replace(dagster_run=run.with_tags({**run.tags, **tags}))
        super().launch_run(context)


def countries_of_run(instance: DagsterInstance, run: DagsterRun) -> list[str]:
    """Return the countries that a run builds, by its tags; none for a run without partitions."""
    if COUNTRIES_TAG in run.tags:
        return run.tags[COUNTRIES_TAG].split(",")
    if PARTITION_TAG in run.tags:
        return [run.tags[PARTITION_TAG]]
    first, last = (
        run.tags.get(tag) for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    )
    registered = list(instance.get_dynamic_partitions(COUNTRY_PARTITIONS))
    if first not in registered or last not in registered:
        return []
    return registered[registered.index(first) : registered.index(last) + 1]
