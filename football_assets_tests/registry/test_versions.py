"""Model versions on both kinds of bucket, with processes that publish and threads that load at once."""

import json
import multiprocessing
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from football_assets.errors import BucketError, PreconditionFailed, RegistryError
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.store import (
    VERSIONS,
    Registry,
)
from football_assets.storage.bucket import ABSENT, Condition, ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.gcs_server import Front
from football_assets_tests.builders.model_versions import published, small_bundle


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def test_versions_are_numbered_from_one_and_keep_their_files_and_metadata(
    registry: Registry, tmp_path: Path
) -> None:
    assert registry.versions() == []
    assert published(registry, tmp_path, 3) == [1, 2, 3]
    assert registry.versions() == [1, 2, 3]
    manifest = registry.manifest(2)
    assert manifest.metadata == {"i": 1}
    assert set(manifest.files) == {"metrics.json", "model.onnx"}
    files = registry.open(2).load(tmp_path / "scratch").files
    assert json.loads(files["metrics.json"]) == {"text": "content 1"}
    assert files["model.onnx"] == b"content 1" * 1000


def test_the_same_files_published_again_are_the_same_version(registry: Registry, tmp_path: Path) -> None:
    first = registry.publish(small_bundle(tmp_path / "a"), {"run": "first"})
    other = registry.publish(small_bundle(tmp_path / "b", "other"), {})
    assert registry.publish(small_bundle(tmp_path / "c"), {"run": "second"}) == first
    assert registry.versions() == [first, other]
    assert registry.manifest(first).metadata == {"run": "first"}


def test_a_corrupt_version_is_not_reused_for_the_same_files(registry: Registry, tmp_path: Path) -> None:
    first = registry.publish(small_bundle(tmp_path / "a"), {})
    registry.bucket.write(f"{VERSIONS}{first}/model.onnx", b"rotten")
    assert registry.publish(small_bundle(tmp_path / "b"), {}) == 2
    assert registry.open(2).load(tmp_path / "scratch").files


def test_a_version_without_manifest_is_invisible_and_its_number_is_left_alone(
    registry: Registry, tmp_path: Path
) -> None:
    registry.bucket.write(f"{VERSIONS}1/claim.json", b"{}")  # a publisher that died after its first file
    registry.bucket.write(f"{VERSIONS}1/model.onnx", b"half")
    assert registry.versions() == []
    with pytest.raises(RegistryError, match="no model version 1"):
        registry.open(1).load(tmp_path / "scratch")
    with pytest.raises(RegistryError, match="no model version 1"):
        registry.set_alias("candidate", 1)
    assert registry.publish(small_bundle(tmp_path / "a"), {}) == 2
    assert registry.bucket.read(f"{VERSIONS}1/model.onnx") == b"half"


def test_a_damaged_file_is_named_and_never_returned(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    registry.bucket.write(f"{VERSIONS}1/model.onnx", b"content 0" * 999 + b"content 9")
    with pytest.raises(RegistryError, match=r"versions/1/model\.onnx is corrupt"):
        registry.open(1).load(tmp_path / "scratch")
    registry.bucket.delete(f"{VERSIONS}1/model.onnx")
    with pytest.raises(RegistryError, match=r"versions/1/model\.onnx is missing"):
        registry.open(1).load(tmp_path / "scratch")
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def test_a_copy_that_another_process_left_damaged_meanwhile_is_replaced(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 1)
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        target.mkdir()
        (target / "model.onnx").write_bytes(b"half")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    loaded = registry.open(1).load(tmp_path / "scratch").files

    assert loaded["model.onnx"] == b"content 0" * 1000
    assert ModelBundle.of_folder(copy_in(tmp_path / "scratch")).files == loaded


def test_a_file_in_the_place_of_the_copy_does_not_prevent_loading(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    loaded = registry.open(1).load(tmp_path / "scratch").files
    folder = copy_in(tmp_path / "scratch")
    shutil.rmtree(folder)
    folder.write_bytes(b"")

    assert registry.open(1).load(tmp_path / "scratch").files == loaded
    assert [*folder.parent.iterdir()] == [folder]


def test_a_damaged_copy_in_the_scratch_folder_is_replaced(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    loaded = registry.open(1).load(tmp_path / "scratch").files
    folder = copy_in(tmp_path / "scratch")
    (folder / "model.onnx").write_bytes(b"rotten")
    (folder / "metrics.json").unlink()
    assert registry.open(1).load(tmp_path / "scratch").files == loaded
    assert ModelBundle.of_folder(folder).files == loaded


def test_many_can_load_one_version_into_one_scratch_folder_at_once(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 1)
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: registry.open(1).load(tmp_path / "scratch").files, range(24)))
    assert all(files == loaded[0] for files in loaded)
    assert ModelBundle.of_folder(copy_in(tmp_path / "scratch")).files == loaded[0]


def copy_in(scratch: Path) -> Path:
    """Return the folder of the only copy in a scratch folder."""
    (folder,) = (scratch / "registry").iterdir()
    return folder


def _publish_many(url: str, folder: Path, worker: int, count: int) -> list[int]:
    registry = Registry(open_bucket(url))
    folders = [small_bundle(folder / f"w{worker}-{i}", f"worker {worker} bundle {i}") for i in range(count)]
    return [registry.publish(folder, {"worker": worker, "i": i}) for i, folder in enumerate(folders)]


def test_processes_that_publish_at_once_get_versions_of_their_own_and_readers_see_whole_ones(
    registry: Registry, tmp_path: Path
) -> None:
    workers, count = 4, 5
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        jobs = pool.starmap_async(
            _publish_many, [(registry.bucket.url, tmp_path, worker, count) for worker in range(workers)]
        )
        seen: set[int] = set()
        while not jobs.ready():
            for version in set(registry.versions()) - seen:
                loaded = registry.open(version).load(tmp_path / "reader")  # raises if any file is not whole
                origin = registry.manifest(version).metadata
                text = f"worker {origin['worker']} bundle {origin['i']}"
                assert loaded.read("model.onnx") == text.encode() * 1000
                seen.add(version)
        results = jobs.get()
    assert sorted(version for result in results for version in result) == list(range(1, workers * count + 1))
    assert registry.versions() == list(range(1, workers * count + 1))
    for worker, result in enumerate(results):
        assert [registry.manifest(version).metadata["worker"] for version in result] == [worker] * count


class Killed(BaseException):
    """The process is no more."""


class Rejecting(LocalBucket):
    """Rejects every create-only write, as a policy of the organisation may, with the code of a failed condition."""

    writes = 0

    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        if if_version is ABSENT:
            self.writes += 1
            assert self.writes < 1000
            raise PreconditionFailed(f"Object {name!r} already exists in bucket {self.url}.")
        return super().write(name, data, if_version=if_version)


def test_a_bucket_that_rejects_every_claim_of_a_number_ends_the_publication(tmp_path: Path) -> None:
    registry = Registry(Rejecting(tmp_path / "bucket"))

    with pytest.raises(RegistryError, match=r"rejected the claims of 100 numbers"):
        registry.publish(small_bundle(tmp_path / "bundle"), {})
    assert registry.versions() == []


class Mortal(LocalBucket):
    """A bucket whose process is killed before one of its changes, and can do nothing afterwards."""

    left = 1 << 30

    def _live(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def write(self, name, data, *, if_version=None):  # type: ignore[no-untyped-def]
        self._live()
        return super().write(name, data, if_version=if_version)

    def remove(self, listed):  # type: ignore[no-untyped-def]
        self._live()
        return super().remove(listed)


@pytest.mark.parametrize("changes", range(5))
def test_a_version_is_whole_can_be_restored_or_is_known_to_be_unneeded_when_its_removal_is_killed(
    tmp_path: Path, changes: int
) -> None:
    bucket = Mortal(tmp_path / "bucket")
    registry = Registry(LocalBucket(tmp_path / "bucket"))
    published(registry, tmp_path, 2)
    looks = []
    bucket.left = changes
    with pytest.raises(Killed):
        Registry(bucket).remove(1, lambda: looks.append(1) or ())  # type: ignore[func-returns-value]

    is_whole = 1 in registry.versions() or registry.restore(1)

    assert is_whole or len(looks) == 2
    assert is_whole == (changes < 3)
    if is_whole:
        assert registry.open(1).load(tmp_path / "scratch").files
    else:
        assert Registry(bucket.__class__(tmp_path / "bucket")).remove(1)
    assert not registry.restore(1)


def test_a_version_that_gets_an_alias_is_restored_when_its_removal_was_killed(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 2)
    other = Registry(open_bucket(registry.bucket.url))

    def killed(*_: object, **__: object) -> None:
        raise Killed

    def needed() -> tuple[int, ...]:
        if 1 not in other.versions():  # the manifest is gone
            other._aliases.change(lambda state: state.promoted(1))
            monkeypatch.setattr(registry.bucket, "write", killed)
            raise Killed
        return ()

    with pytest.raises(Killed):
        registry.remove(1, needed)

    assert other.restore(1)
    assert other.open("production").load(tmp_path / "scratch").files
    assert not other.remove(1)


def test_a_version_is_whole_where_it_cannot_be_read_what_needs_it(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 2)

    def needed() -> tuple[int, ...]:
        if 1 not in registry.versions():
            raise BucketError("The bucket is away.")
        return ()

    with pytest.raises(BucketError, match="is away"):
        registry.remove(1, needed)

    assert registry.versions() == [1, 2]
    assert registry.remove(1)
    assert list(registry.bucket.list(f"{VERSIONS}1/")) == []


@pytest.mark.parametrize("kind", ["folder", "gcs"])
def test_a_version_that_another_process_restores_while_it_is_removed_stays_whole(
    kind: str, gcs_front: Front, gcs_url: str, tmp_path: Path
) -> None:
    registry = Registry(gcs_front.open(gcs_url) if kind == "gcs" else LocalBucket(tmp_path / "bucket"))
    published(registry, tmp_path, 2)
    restored = []

    def needed() -> tuple[int, ...]:
        if 1 not in registry.versions():
            restored.append(registry.restore(1))
        return ()

    assert not registry.remove(1, needed)
    assert restored == [True]
    assert registry.open(1).load(tmp_path / "scratch").files
