"""A bucket in which a process exchanges objects while another reads them."""

from collections.abc import Callable

import pytest

from football_assets.registry.store import VERSIONS
from football_assets.storage.bucket import Bucket


def exchange_after(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, reads: int, exchange: Callable[[], object]
) -> list[str]:
    """Call `exchange` before the read that follows `reads` reads of files of versions; returns the names read."""
    names: list[str] = []
    read = bucket.read

    def exchanging(name: str) -> bytes:
        if name.startswith(VERSIONS):
            names.append(name)
            if len(names) == reads + 1:
                monkeypatch.setattr(bucket, "read", read)
                exchange()
                monkeypatch.setattr(bucket, "read", exchanging)
        return read(name)

    monkeypatch.setattr(bucket, "read", exchanging)
    return names


def replace_version(bucket: Bucket, number: int, files: dict[str, bytes]) -> None:
    """Exchange all files of a version."""
    prefix = f"{VERSIONS}{number}/"
    for item in [*bucket.list(prefix)]:
        if item.name.removeprefix(prefix) not in files:
            bucket.delete(item.name)
    for name, content in files.items():
        bucket.write(prefix + name, content)


def version_files(bucket: Bucket, number: int) -> dict[str, bytes]:
    """Read all objects of a version."""
    prefix = f"{VERSIONS}{number}/"
    return {item.name.removeprefix(prefix): bucket.read(item.name) for item in [*bucket.list(prefix)]}
