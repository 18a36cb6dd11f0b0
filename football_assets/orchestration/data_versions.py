"""Read the data versions of assets from Dagster's event log."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from football_assets.errors import FootballError
from football_assets.orchestration.dagster_private import DATA_VERSION_TAG

_LATEST = 50  # materializations among which that of a content is searched
_ATTEMPTS = 10

_Read = TypeVar("_Read")

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


def data_version_of(instance: DagsterInstance, key: AssetKey, name: str, value: str) -> str | None:
    """Read the data version of an asset's newest materialization with some metadata.

    An asset may be materialized again once its content was loaded. With the digest of the loaded content, this is the
    data version of that content and not of a later one.

    Parameters
    ----------
    instance
        Has the event log.
    key
        The asset.
    name, value
        Metadata that identifies the content, such as its digest.

    Returns
    -------
    str or None
        None: none of the last materializations has it.
    """
    for record in instance.fetch_materializations(AssetRecordsFilter(key), limit=_LATEST).records:
        materialization = record.asset_materialization
        if materialization is None or name not in materialization.metadata:
            continue
        if materialization.metadata[name].value == value:
            return (materialization.tags or {}).get(DATA_VERSION_TAG)
    return None


def read_with_data_versions(
    instance: DagsterInstance, keys: Iterable[AssetKey], read: Callable[[], _Read]
) -> tuple[_Read, DataVersions]:
    """Read assets together with their data versions, again if one was materialized meanwhile.

    Dagster records a materialization after its content is written: of an asset that is being written, the content may
    be newer than the data version.

    Parameters
    ----------
    instance
        Has the event log.
    keys
        The assets.
    read
        Reads their content.

    Returns
    -------
    tuple
        What `read` returned, and the data versions of `latest_data_versions`.

    Raises
    ------
    FootballError
        An asset was materialized during every attempt.
    """
    keys = list(keys)
    before = latest_data_versions(instance, keys)
    for _ in range(_ATTEMPTS):
        found = read()
        after = latest_data_versions(instance, keys)
        if after == before:
            return found, after
        before = after
    names = ", ".join(key.to_user_string() for key in keys)
    raise FootballError(
        f"Other runs materialized some of {names} during each of {_ATTEMPTS} attempts to read them: run this again."
    )


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
