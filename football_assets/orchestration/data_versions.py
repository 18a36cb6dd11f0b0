"""The data versions of assets as Dagster's event log has them."""

from collections.abc import Iterable

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from football_assets.orchestration.dagster_private import DATA_VERSION_TAG

DataVersions = dict[str, str | dict[str, str] | None]
"""Data version by asset, of a partitioned asset by partition; None: no materialization is recorded."""


def latest_data_versions(instance: DagsterInstance, keys: Iterable[AssetKey]) -> DataVersions:
    """Read the data version of each asset's latest materialization.

    Parameters
    ----------
    instance
        Has the event log.
    keys
        The assets.

    Returns
    -------
    dict
        Assets in order of name.
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
