"""Manifests of model versions: a damaged or foreign one is rejected, on both kinds of bucket."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from football_assets.errors import RegistryError
from football_assets.registry.manifest import content_digest
from football_assets.registry.store import (
    VERSIONS,
    BundleFile,
    Registry,
)
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.model_versions import published, small_bundle
from football_assets_tests.builders.recorded_reads import record_reads
from football_assets_tests.builders.signing_keys import make_key


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


@pytest.mark.parametrize(
    "name",
    ["model.pkl", "checkpoint.pt", "manifest.json", "manifest.removed.json", "claim.json", "a b.json"],
)
def test_a_file_that_does_not_belong_in_a_bundle_is_refused(
    registry: Registry, tmp_path: Path, name: str
) -> None:
    folder = small_bundle(tmp_path / "a")
    (folder / name).write_bytes(b"x")
    with pytest.raises(RegistryError, match="does not belong in a model bundle"):
        registry.publish(folder, {})
    assert registry.versions() == []


def test_an_empty_bundle_is_refused(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryError, match="is empty"):
        registry.publish(tmp_path / "empty", {})


def test_a_damaged_manifest_is_named(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    name = f"{VERSIONS}1/manifest.json"
    record = json.loads(registry.bucket.read(name))
    record["files"]["model.onnx"]["sha256"] = "0" * 64
    for damaged in (b"{", b"[]", b"[" * 100_000, json.dumps(record).encode()):
        registry.bucket.write(name, damaged)
        with pytest.raises(RegistryError, match=r"versions/1/manifest\.json is corrupt"):
            registry.open(1).load(tmp_path / "scratch")


def test_a_version_with_a_deeply_nested_manifest_prevents_no_publication(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 1)
    registry.bucket.write(f"{VERSIONS}1/manifest.json", b"[" * 100_000)

    assert registry.publish(small_bundle(tmp_path / "next", "next"), {}) == 2


def rewrite_manifest(registry: Registry, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest of version 1 and give it the digest that fits its files."""
    name = f"{VERSIONS}1/manifest.json"
    record = json.loads(registry.bucket.read(name))
    change(record)
    record["content"] = content_digest({file: BundleFile(**entry) for file, entry in record["files"].items()})
    registry.bucket.write(name, json.dumps(record).encode())


ESCAPES = [
    "../../../escaped.json",
    "..",
    ".",
    "",
    "/escaped.json",
    "//escaped.json",
    "a/b.json",
    "a/../escaped.json",
    "gs://other/escaped.json",
    "file:///escaped.json",
    "..\\escaped.json",
    "a\\b.json",
    "C:\\escaped.json",
    "C:escaped.json",
    "escaped.json\0.onnx",
    "\0",
    "escaped.json\n",
    " escaped.json",
    "~/escaped.json",
    ".hidden.json",
    "e\u0301.json",
    "x" * 200 + ".json",
    "model.pkl",
    "model.sig",
    "manifest.json",
    "claim.json",
    "manifest.removed.json",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_manifest_cannot_name_a_file_elsewhere(
    registry: Registry, tmp_path: Path, escape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 1)

    def rename(record: dict[str, Any]) -> None:
        record["files"][escape] = record["files"].pop("metrics.json")

    rewrite_manifest(registry, rename)
    reads = record_reads(registry.bucket, monkeypatch)
    for use in (
        lambda: registry.open(1).load(tmp_path / "scratch"),
        lambda: registry.read(1, escape),
        lambda: registry.promote(1),
        lambda: registry.sign(1),
    ):
        with pytest.raises(RegistryError) as error:
            use()
        assert f"manifest.json is not usable: it names {escape!r}" in str(error.value)
    assert set(reads) == {f"{VERSIONS}1/manifest.json"}
    assert not (tmp_path / "escaped.json").exists()
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "link", ["registry", "registry/versions/1", "manifest.json", "model.onnx", "model.sig"]
)
def test_a_symbolic_link_in_a_version_is_rejected(tmp_path: Path, link: str) -> None:
    policy = make_key(tmp_path / "keys").signing
    registry = Registry(LocalBucket(tmp_path / "bucket"), policy)
    published(registry, tmp_path, 1)
    root = tmp_path / "bucket"
    path = root / link if link.startswith("registry") else root / "registry/versions/1" / link
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    for use in (
        lambda: registry.open(1).load(tmp_path / "scratch"),
        lambda: registry.read(1, "model.onnx"),
        lambda: registry.promote(1),
    ):
        with pytest.raises(RegistryError) as error:
            use()
        assert str(error.value).startswith(f"{path} is a symbolic link, which is not followed here")


def test_a_manifest_of_another_version_is_refused(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    rewrite_manifest(registry, lambda record: record.update(version=2))
    with pytest.raises(RegistryError, match="manifest.json is corrupt"):
        registry.manifest(1)
