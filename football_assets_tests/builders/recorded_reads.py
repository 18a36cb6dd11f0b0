"""The names of the objects that a bucket reads."""

import pytest

from football_assets.storage.bucket import Bucket


def record_reads(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names in a list, in order of the reads."""
    names: list[str] = []
    read = bucket.read

    def recorded(name: str) -> bytes:
        names.append(name)
        return read(name)

    monkeypatch.setattr(bucket, "read", recorded)
    return names
