"""Data versions from the event log of an instance, of assets with and without partitions."""

from pathlib import Path

import dagster as dg
import pytest

from football_assets.orchestration.data_versions import (
    data_version_of,
    latest_data_versions,
    read_with_data_versions,
)
from football_assets.orchestration.io_managers import DIGEST, FolderIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.artifacts import fetch


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


def test_a_folder_has_the_data_version_of_the_run_that_wrote_it(tmp_path: Path) -> None:
    bucket = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    manager = FolderIOManager(bucket=bucket)
    key = dg.AssetKey("folder")

    @dg.asset(name="folder", io_manager_key="folders")
    def written(context: dg.AssetExecutionContext) -> dg.Output[Path]:
        text = context.run.tags["text"]
        folder = tmp_path / f"of run {context.run_id}"
        folder.mkdir()
        (folder / "file").write_text(text)
        return dg.Output(folder, data_version=dg.DataVersion(context.run.tags["version"]))

    with dg.DagsterInstance.ephemeral() as instance:
        loaded = {}
        for text, version in (("one", "v1"), ("two", "v2"), ("one", "v3")):
            tags = {"text": text, "version": version}
            assert dg.materialize(
                [written], instance=instance, resources={"folders": manager}, tags=tags
            ).success
            loaded[text] = fetch(bucket.open(), "folder", tmp_path / "scratch")

        assert (loaded["one"] / "file").read_text() == "one"
        found = {text: data_version_of(instance, key, DIGEST, path.name) for text, path in loaded.items()}
        assert found == {"one": "v3", "two": "v2"}
        assert data_version_of(instance, key, DIGEST, "0" * 24) is None
        assert data_version_of(instance, dg.AssetKey("absent"), DIGEST, loaded["one"].name) is None


def test_assets_are_read_again_until_none_is_materialized_meanwhile() -> None:
    keys = [dg.AssetKey("whole"), dg.AssetKey("absent")]
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([whole], instance=instance)
        reads: list[int] = []
        pauses: list[float] = []
        warnings: list[str] = []

        def read() -> int:
            reads.append(len(reads))
            if len(reads) == 1:
                dg.materialize([whole_later], instance=instance)
            return len(reads)

        versions = {"absent": None, "whole": "w2"}
        assert read_with_data_versions(instance, keys, read, warnings.append, pauses.append) == (2, versions)
        assert pauses == [0.1]
        assert read_with_data_versions(instance, keys, read, warnings.append, pauses.append) == (3, versions)
        assert pauses == [0.1]
        assert not warnings


def test_an_asset_that_is_materialized_during_the_pause_is_read_once_more_only() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([whole], instance=instance)
        reads: list[int] = []

        def read() -> int:
            reads.append(len(reads))
            if len(reads) == 1:
                dg.materialize([whole_later], instance=instance)
            return len(reads)

        def pause(_: float) -> None:
            dg.materialize([whole], instance=instance)

        found = read_with_data_versions(instance, [dg.AssetKey("whole")], read, pytest.fail, pause)
        assert found == (2, {"whole": "w1"})


def test_the_data_versions_of_assets_that_are_materialized_all_the_time_are_unknown() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([parts], instance=instance, partition_key="at", tags={"n": "1"})
        reads: list[int] = []
        pauses: list[float] = []
        warnings: list[str] = []

        def read() -> int:
            reads.append(len(reads))
            dg.materialize([(whole, whole_later)[len(reads) % 2]], instance=instance)
            return len(reads)

        keys = [dg.AssetKey("whole"), dg.AssetKey("parts")]
        found = read_with_data_versions(instance, keys, read, warnings.append, pauses.append)

    assert found == (10, {"parts": {"at": "at 1"}, "whole": None})
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5])
    assert warnings == [
        "Other runs materialized some of the assets during each of 10 attempts to read them. "
        "The data versions of whole are unknown."
    ]
