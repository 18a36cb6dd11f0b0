"""Ranges of partitions, and which of them a run builds."""

import pytest
from dagster import DagsterInstance

from football_assets.errors import FootballError
from football_assets.orchestration.partitions import (
    COUNTRIES_TAG,
    COUNTRY_PARTITIONS,
    register_countries,
    run_tags,
)


def test_countries_are_registered_once_in_order() -> None:
    with DagsterInstance.ephemeral() as instance:
        register_countries(instance, ["eng", "at"])
        register_countries(instance, ["eng", "ar"])
        assert instance.get_dynamic_partitions(COUNTRY_PARTITIONS) == ["at", "eng", "ar"]


def test_a_run_has_the_range_that_holds_its_countries_and_names_them() -> None:
    assert run_tags(["es", "at"], ["at", "eng", "es", "fr"]) == {
        "dagster/asset_partition_range_start": "at",
        "dagster/asset_partition_range_end": "es",
        COUNTRIES_TAG: "at,es",
    }


def test_a_country_that_is_not_registered_is_rejected() -> None:
    with pytest.raises(FootballError, match=r"No results of xx have landed. Countries: at."):
        run_tags(["xx", "at"], ["at"])
