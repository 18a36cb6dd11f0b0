"""Assets that are older than `raw_matches`: a run that read it has failed, or a person has read it alone.

The order is that of Dagster's event log, which no clock disturbs. Partitioned assets are compared by country.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dagster import AssetKey, DagsterEventType, DagsterInstance

RAW_MATCHES = AssetKey("raw_matches")
_RAW = frozenset({RAW_MATCHES, AssetKey("raw_matches_rejected")})


@dataclass(frozen=True)
class Outdated:
    """Assets that are older than `raw_matches`.

    Attributes
    ----------
    keys
        The assets to rebuild, in order.
    countries
        Partitions to rebuild of the partitioned assets among them.
    reader
        The run that read `raw_matches` last.
    event
        The name of that reading.
    """

    keys: list[AssetKey]
    countries: list[str]
    reader: str
    event: str


def find_outdated(
    instance: DagsterInstance, keys: AbstractSet[AssetKey], by_country: AbstractSet[AssetKey]
) -> Outdated | None:
    """Find the assets to rebuild from what was read; None if there are none.

    Parameters
    ----------
    keys
        The raw tables and all that is built from them.
    by_country
        The assets with country partitions among them.
    """
    records = {
        record.asset_entry.asset_key: record.asset_entry for record in instance.get_asset_records(list(keys))
    }
    raw = records.get(RAW_MATCHES)
    if raw is None or raw.last_materialization_record is None:
        return None
    read = raw.last_materialization_record
    countries: set[str] = set()
    older: set[AssetKey] = set()
    partitioned = (keys & by_country) - _RAW
    read_at = _by_country(instance, RAW_MATCHES) if partitioned else {}
    for key in partitioned:
        built_at = _by_country(instance, key)
        behind = {country for country, moment in read_at.items() if built_at.get(country, -1) < moment}
        if behind:
            older.add(key)
            countries |= behind
    whole = keys - by_country - _RAW
    for key in whole:
        entry = records.get(key)
        built = entry.last_materialization_storage_id if entry else None
        if countries or built is None or built < read.storage_id:
            older.add(key)
    if not older:
        return None
    return Outdated(sorted(older), sorted(countries), read.run_id, f"rest-of-{read.storage_id}")


def _by_country(instance: DagsterInstance, key: AssetKey) -> dict[str, int]:
    """Return the place of the latest materialization of each country in the event log."""
    return dict(instance.get_latest_storage_id_by_partition(key, DagsterEventType.ASSET_MATERIALIZATION))
