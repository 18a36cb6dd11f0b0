"""Folders that the workers of a test session share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from football_assets.runtime.file_locks import lock_file


@contextmanager
def shared_folder(
    factory: pytest.TempPathFactory, name: str, kept_variable: str | None = None
) -> Iterator[Path]:
    """Hold a folder exclusively: the first worker fills it, the others wait and find it filled.

    An environment variable may name a folder that is kept between test sessions.
    """
    kept = os.environ.get(kept_variable) if kept_variable else None
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = Path(kept) if kept else base / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        lock_file(lock)
        yield folder
