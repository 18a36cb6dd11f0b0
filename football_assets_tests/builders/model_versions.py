"""Small model versions: bundles of two files that differ in one text."""

import json
from pathlib import Path

from football_assets.registry.store import Registry
from football_assets.registry.stored_version import StoredVersion


def small_bundle(folder: Path, text: str = "one") -> Path:
    """Write a bundle of two files."""
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"text": text}))
    (folder / "model.onnx").write_bytes(text.encode() * 1000)
    return folder


def copy_version(version: StoredVersion, folder: Path) -> Path:
    """Write the files of a version to a new folder."""
    folder.mkdir(parents=True)
    for name in version.manifest.files:
        (folder / name).write_bytes(version.read(name))
    return folder


def published(registry: Registry, tmp_path: Path, count: int) -> list[int]:
    """Publish small bundles and return their version numbers."""
    return [
        registry.publish(small_bundle(tmp_path / f"b{i}", f"content {i}"), {"i": i}) for i in range(count)
    ]
