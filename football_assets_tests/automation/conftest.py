"""Fixtures of the tests of automation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from football_assets_tests.builders.small_graph import SmallHome


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    """An empty instance."""
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def home(bucket_url: str, tmp_path: Path, instance: DagsterInstance) -> SmallHome:
    """An empty home with a bucket of either kind."""
    return SmallHome(bucket_url, tmp_path, instance)


@pytest.fixture
def local_home(tmp_path: Path, instance: DagsterInstance) -> SmallHome:
    """An empty home with a folder as its bucket."""
    return SmallHome(str(tmp_path / "bucket"), tmp_path, instance)
