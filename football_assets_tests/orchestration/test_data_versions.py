"""Data versions from the event log of an instance, of assets with and without partitions."""

import dagster as dg

from football_assets.orchestration.data_versions import latest_data_versions


@dg.asset
def whole() -> dg.MaterializeResult:
    return dg.MaterializeResult(data_version=dg.DataVersion("w1"))


@dg.asset(name="whole")
def whole_later() -> dg.MaterializeResult:
    return dg.MaterializeResult(data_version=dg.DataVersion("w2"))


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["at", "de", "es"]))
def parts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        data_version=dg.DataVersion(f"{context.partition_key} {context.run.tags['n']}")
    )


@dg.asset
def computed() -> None:
    """Dagster computes its data version."""


def test_the_latest_version_of_each_asset_and_partition_is_read() -> None:
    keys = [dg.AssetKey(name) for name in ("whole", "parts", "computed", "absent")]
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([whole], instance=instance)
        dg.materialize([whole_later, computed], instance=instance)
        for partition, number in (("de", "1"), ("at", "1"), ("de", "2")):
            dg.materialize([parts], instance=instance, partition_key=partition, tags={"n": number})

        found = latest_data_versions(instance, keys)

    assert list(found) == ["absent", "computed", "parts", "whole"]
    assert found["absent"] is None
    assert found["parts"] == {"at": "at 1", "de": "de 2"}
    assert found["whole"] == "w2"
    assert isinstance(found["computed"], str)
    assert len(found["computed"]) == 64
