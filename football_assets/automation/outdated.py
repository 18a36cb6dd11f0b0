"""Assets to rebuild: older than `raw_matches`, or built by other code.

An asset is older than `raw_matches` where a run that read it has failed, or a person has read it alone. The order is
that of Dagster's event log, which no clock disturbs. An asset was built by other code where its latest materialization
has another code version than its definition, as after an upgrade; what is built from it is outdated too. Partitioned
assets are compared by country.
"""

import hashlib
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from dagster import AssetKey, DagsterInstance, EventLogRecord

from football_assets.orchestration.dagster_private import BaseAssetGraph
from football_assets.orchestration.partitions import (
    COUNTRY_PARTITIONS,
    built_code_version,
    latest_places,
    materializations_at,
)

RAW_MATCHES = AssetKey("raw_matches")
_RAW = frozenset({RAW_MATCHES, AssetKey("raw_matches_rejected")})


@dataclass(frozen=True)
class Outdated:
    """Assets to rebuild.

    Attributes
    ----------
    keys
        The assets, in order.
    countries
        Partitions to rebuild of the partitioned assets among them.
    reader
        The run that read `raw_matches` last.
    event
        The name of that reading and of the code versions that differ.
    other_code
        The assets among them that another version of their code has built.
    """

    keys: list[AssetKey]
    countries: list[str]
    reader: str
    event: str
    other_code: list[AssetKey] = field(default_factory=list)


def find_outdated(
    instance: DagsterInstance, graph: BaseAssetGraph, keys: AbstractSet[AssetKey]
) -> Outdated | None:
    """Find the assets to rebuild; None if there are none.

    Parameters
    ----------
    graph
        The assets as they are defined now.
    keys
        The raw tables and all that is built from them.
    """
    latest = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization_record
        for record in instance.get_asset_records(list(keys))
    }
    read = latest.get(RAW_MATCHES)
    if read is None:
        return None
    by_country = {key for key in keys if graph.get(key).is_partitioned}
    registered = set(instance.get_dynamic_partitions(COUNTRY_PARTITIONS))
    # Dagster keeps the materializations of a partition that a person has deleted.
    built_at = {key: latest_places(instance, key, registered) for key in by_country}
    countries: set[str] = set()
    older: set[AssetKey] = set()
    for key in by_country - _RAW:
        behind = {
            country
            for country, moment in built_at.get(RAW_MATCHES, {}).items()
            if built_at[key].get(country, -1) < moment
        }
        if behind:
            older.add(key)
            countries |= behind
    whole = keys - by_country
    other_code: set[AssetKey] = set()
    for key in keys:
        record = latest.get(key)
        places = list(built_at[key].values()) if key in by_country else [record.storage_id] if record else []
        other = _built_by_other_code(instance, key, graph.get(key).code_version, places)
        if other:
            other_code.add(key)
            countries |= {record.partition_key for record in other if record.partition_key is not None}
            older |= _with_descendants(graph, key) & keys
    for key in whole - _RAW:
        record = latest.get(key)
        if countries or record is None or record.storage_id < read.storage_id:
            older.add(key)
    if not older:
        return None
    event = f"rest-of-{read.storage_id}{_suffix(graph, other_code)}"
    return Outdated(sorted(older), sorted(countries), read.run_id, event, sorted(other_code))


def _built_by_other_code(
    instance: DagsterInstance, key: AssetKey, code_version: str | None, places: Sequence[int]
) -> list[EventLogRecord]:
    """Return the materializations at some places of the event log that another code version has made."""
    if code_version is None:
        return []
    records = materializations_at(instance, key, places)
    return [record for record in records if built_code_version(record) not in {code_version, None}]


def _with_descendants(graph: BaseAssetGraph, key: AssetKey) -> set[AssetKey]:
    found: set[AssetKey] = set()
    waiting = [key]
    while waiting:
        following = waiting.pop()
        if following not in found:
            found.add(following)
            waiting += graph.get(following).child_keys
    return found


def _suffix(graph: BaseAssetGraph, other_code: Iterable[AssetKey]) -> str:
    """Return the part of an event's name that identifies code versions, so that attempts are counted for each."""
    versions = [f"{key.to_user_string()}={graph.get(key).code_version}" for key in sorted(other_code)]
    return f"-{hashlib.blake2b(repr(versions).encode(), digest_size=8).hexdigest()}" if versions else ""
