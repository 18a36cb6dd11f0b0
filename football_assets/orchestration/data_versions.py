"""Read the data versions of assets from Dagster's event log."""

from collections.abc import Iterable

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from football_assets.orchestration.dagster_private import DATA_VERSION_TAG

DataVersions = dict[str, str | dict[str, str] | None]
"""Data version by asset; for a partitioned asset, data version by partition; None: never materialized."""


def latest_data_versions(instance: DagsterInstance, keys: Iterable[AssetKey]) -> DataVersions:
    """Read the data version of each asset's latest materialization.

    Parameters
    ----------
    instance
        The Dagster instance whose event log is read.
    keys
        The assets.

    Returns
    -------
    dict
        Data version by asset key, in alphabetical order; see `DataVersions`.
    """
    return {key.to_user_string(): _latest(instance, key) for key in sorted(keys)}


def _latest(instance: DagsterInstance, key: AssetKey) -> str | dict[str, str] | None:
    partitions = sorted(instance.get_materialized_partitions(key))
    if not partitions:
        return _data_version(instance, AssetRecordsFilter(key))
    versions = {
        partition: _data_version(instance, AssetRecordsFilter(key, asset_partitions=[partition]))
        for partition in partitions
    }
    return {partition: version for partition, version in versions.items() if version is not None}


def _data_version(instance: DagsterInstance, wanted: AssetRecordsFilter) -> str | None:
    for record in instance.fetch_materializations(wanted, limit=1).records:
        materialization = record.asset_materialization
        if materialization is not None and materialization.tags is not None:
            return materialization.tags.get(DATA_VERSION_TAG)
    return None
