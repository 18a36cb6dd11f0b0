"""Assets that are older than what was read, country by country."""

from collections.abc import Iterator

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance

from football_assets.automation.outdated import find_outdated

RAW, FORM, TENSORS = (AssetKey(name) for name in ("raw_matches", "team_form", "sequence_tensors"))
KEYS = {RAW, AssetKey("raw_matches_rejected"), FORM, TENSORS}
BY_COUNTRY = KEYS - {TENSORS}


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


def build(instance: DagsterInstance, key: AssetKey, *countries: str) -> None:
    """Record a materialization of some countries, or of an asset without partitions."""
    for partition in countries or (None,):
        instance.report_runless_asset_event(AssetMaterialization(key, partition=partition))


def found(instance: DagsterInstance) -> tuple[list[str], list[str]] | None:
    outdated = find_outdated(instance, KEYS, BY_COUNTRY)
    return None if outdated is None else ([key.path[-1] for key in outdated.keys], outdated.countries)


def test_nothing_is_outdated_before_anything_was_read_and_after_all_was_built(
    instance: DagsterInstance,
) -> None:
    assert found(instance) is None

    build(instance, RAW, "at", "de")
    build(instance, FORM, "at", "de")
    build(instance, TENSORS)

    assert found(instance) is None


def test_what_was_never_built_is_outdated(instance: DagsterInstance) -> None:
    build(instance, RAW, "at")

    assert found(instance) == (["sequence_tensors", "team_form"], ["at"])


def test_a_country_that_was_read_and_not_built_is_found_behind_a_later_run_of_another(
    instance: DagsterInstance,
) -> None:
    for key in (RAW, FORM):
        build(instance, key, "at", "de")
    build(instance, TENSORS)
    build(instance, RAW, "at")  # the run failed after this
    build(instance, RAW, "de")
    build(instance, FORM, "de")
    build(instance, TENSORS)

    assert found(instance) == (["sequence_tensors", "team_form"], ["at"])


def test_an_asset_without_partitions_is_outdated_alone(instance: DagsterInstance) -> None:
    build(instance, TENSORS)
    for key in (RAW, FORM):
        build(instance, key, "at")

    assert found(instance) == (["sequence_tensors"], [])


def test_an_event_is_named_after_the_last_reading(instance: DagsterInstance) -> None:
    build(instance, RAW, "at")
    first = find_outdated(instance, KEYS, BY_COUNTRY)
    again = find_outdated(instance, KEYS, BY_COUNTRY)
    build(instance, RAW, "at")
    later = find_outdated(instance, KEYS, BY_COUNTRY)

    assert first is not None
    assert again == first
    assert later is not None
    assert later.event != first.event
