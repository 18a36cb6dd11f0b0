"""A registry whose production version is the simulated bundle, and the world that it was trained on."""

from pathlib import Path

import pytest

from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.registry_graph import World, make_world, simulate, simulated_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated_bundle(tmp_path_factory)


@pytest.fixture
def registry(tmp_path: Path, bundle: Path) -> Registry:
    registry = Registry(LocalBucket(tmp_path / "bucket"))
    registry.promote(registry.publish(bundle, {}))
    return registry


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path / "home", simulate(tmp_path_factory.getbasetemp() / "simulated"))
