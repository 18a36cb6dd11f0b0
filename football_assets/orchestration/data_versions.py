"""Read the data versions of assets from Dagster's event log."""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from dagster import AssetKey, AssetRecordsFilter, DagsterInstance
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from football_assets.orchestration.dagster_private import DATA_VERSION_TAG

_LATEST = 50  # materializations among which that of a content is searched
_ATTEMPTS = 10
_FIRST_WAIT_SECONDS = 0.1  # doubles with every attempt
_LONGEST_WAIT_SECONDS = 5.0

_Read = TypeVar("_Read")

DataVersions = dict[str, str | dict[str, str] | None]
"""Data version by asset; for a partitioned asset, data version by partition; None: never materialized, or
not known."""


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
    instance: DagsterInstance,
    keys: Iterable[AssetKey],
    read: Callable[[], _Read],
    warn: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[_Read, DataVersions]:
    """Read assets together with their data versions, again if a materialization was recorded meanwhile.

    The pauses between the attempts grow exponentially. An asset that was materialized during the last attempt, too, has
    the data version None, because it is not known which content was read.

    Dagster records a materialization after the IO manager has written the content. So the content may be newer than the
    data version if another run has written it and not recorded it before this function returns.

    Parameters
    ----------
    instance
        Has the event log.
    keys
        The assets.
    read
        Reads their content.
    warn
        Called with one line if assets were materialized during every attempt.
    sleep
        Waits some seconds.

    Returns
    -------
    tuple
        What `read` returned last, and the data versions.
    """
    keys = list(keys)

    def attempt() -> tuple[_Read, DataVersions, list[str]]:
        before = latest_data_versions(instance, keys)
        found = read()
        after = latest_data_versions(instance, keys)
        return found, after, [name for name in after if after[name] != before[name]]

    retrying = Retrying(
        retry=retry_if_result(lambda outcome: bool(outcome[2])),
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        sleep=sleep,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    found, versions, changed = retrying(attempt)
    if changed:
        warn(
            f"Other runs materialized some of the assets during each of {_ATTEMPTS} attempts to read them. The data "
            f"versions of {', '.join(changed)} are unknown."
        )
    return found, versions | dict.fromkeys(changed)


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
