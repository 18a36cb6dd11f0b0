"""The one partitions definition, the country, and which countries of its range a run builds.

Dagster runs one partition, or a range of partitions without gaps, as one run. A run of several countries that are no
such range carries the smallest range that holds them, and the tag COUNTRIES_TAG names those to build.
See docs/decisions/country-partitions.md.
"""

from collections.abc import Collection, Iterable, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    AssetKey,
    AssetRecordsFilter,
    DagsterEventType,
    DagsterInstance,
    DynamicPartitionsDefinition,
    EventLogRecord,
)

from football_assets.errors import FootballError
from football_assets.orchestration.dagster_private import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    CODE_VERSION_TAG,
)

COUNTRY_PARTITIONS = "countries"
COUNTRIES_TAG = "football/countries"
BUILT = "built_in_this_run"
"""Metadata of the materialization of a country of the range that the run did not build: false."""
BUILT_BY_CODE = "built_by_code_version"
"""Metadata beside `BUILT`: the code version that built the country last, as far as it is known."""
countries = DynamicPartitionsDefinition(name=COUNTRY_PARTITIONS)


def register_countries(instance: DagsterInstance, landed: Iterable[str]) -> None:
    """Add the countries that are no partitions yet, in order of name."""
    new = sorted(set(landed) - set(instance.get_dynamic_partitions(COUNTRY_PARTITIONS)))
    if new:
        instance.add_dynamic_partitions(COUNTRY_PARTITIONS, new)


def partition_range(wanted: Sequence[str], registered: Sequence[str]) -> tuple[str, str]:
    """Return the first and last of the smallest range that holds some countries, in the order of registration.

    Raises
    ------
    FootballError
        A country is not registered.
    """
    unknown = sorted(set(wanted) - set(registered))
    if unknown:
        raise FootballError(
            f"No results of {', '.join(unknown)} have landed. Countries: {', '.join(sorted(registered)) or 'none'}."
        )
    positions = [registered.index(country) for country in wanted]
    return registered[min(positions)], registered[max(positions)]


def run_tags(wanted: Sequence[str], registered: Sequence[str]) -> dict[str, str]:
    """Return the tags of a run that builds some countries.

    Raises
    ------
    FootballError
        A country is not registered.
    """
    first, last = partition_range(wanted, registered)
    return {
        ASSET_PARTITION_RANGE_START_TAG: first,
        ASSET_PARTITION_RANGE_END_TAG: last,
        COUNTRIES_TAG: ",".join(sorted(wanted)),
    }


def countries_to_build(context: AssetExecutionContext | AssetCheckExecutionContext) -> list[str]:
    """Return the countries that a step builds: those of the run's tag, or the whole range where there is none.

    Raises
    ------
    FootballError
        The tag names a country outside of the range.
    """
    keys = list(context.partition_keys)
    tag = context.run.tags.get(COUNTRIES_TAG)
    wanted = tag.split(",") if tag else keys
    outside = sorted(set(wanted) - set(keys))
    if outside:
        raise FootballError(f"The run's range has no country {', '.join(outside)}: it has {', '.join(keys)}.")
    return [key for key in keys if key in wanted]


def mark_as_not_built(context: AssetExecutionContext, names: Iterable[str], keys: Iterable[str]) -> None:
    """Add metadata to the materializations of countries of the range that the run does not build.

    Dagster records the code version of the run for them, too, so the metadata has the one that built them.

    Parameters
    ----------
    names
        Names of the assets.
    keys
        The countries.
    """
    missing = set(keys)
    for name in names if missing else ():
        asset, instance = AssetKey(name), context.instance
        places = latest_places(instance, asset, missing)
        records = materializations_at(instance, asset, list(places.values()))
        versions = {record.partition_key: built_code_version(record) for record in records}
        for key in sorted(missing):
            version = versions.get(key)
            known = {} if version is None else {BUILT_BY_CODE: version}
            context.add_asset_metadata({BUILT: False, **known}, name, key)


def latest_places(instance: DagsterInstance, asset: AssetKey, keys: Collection[str]) -> dict[str, int]:
    """Return the place in the event log of the latest materialization of each of some countries, if there is one."""
    places = instance.get_latest_storage_id_by_partition(asset, DagsterEventType.ASSET_MATERIALIZATION)
    return {key: place for key, place in places.items() if key in keys}


def materializations_at(
    instance: DagsterInstance, asset: AssetKey, places: Sequence[int]
) -> Sequence[EventLogRecord]:
    """Return the materializations of an asset at some places of the event log."""
    if not places:
        return []
    wanted = AssetRecordsFilter(asset_key=asset, storage_ids=places)
    return instance.fetch_materializations(wanted, limit=len(places)).records


def built_code_version(record: EventLogRecord) -> str | None:
    """Return the code version that built what a materialization is of; None if the asset had none."""
    materialization = record.asset_materialization
    if materialization is None:
        return None
    if BUILT_BY_CODE in materialization.metadata:
        return str(materialization.metadata[BUILT_BY_CODE].value)
    version = (materialization.tags or {}).get(CODE_VERSION_TAG)
    # Dagster stores the id of the run where an asset had no code version, and none of an asset that a person reported.
    return None if version == record.run_id else version
