"""A bundle of the simulated world, and a registry to publish it in."""

import shutil
from pathlib import Path

import pytest

from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.registry_graph import SimulatedFolders, simulate, simulated_bundle


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> SimulatedFolders:
    return simulate(tmp_path_factory.getbasetemp() / "simulated")


@pytest.fixture
def bundle(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A copy of the simulated bundle that the test may change."""
    source = simulated_bundle(tmp_path_factory)
    return Path(shutil.copytree(source, tmp_path / "bundle"))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(LocalBucket(tmp_path / "bucket"))
