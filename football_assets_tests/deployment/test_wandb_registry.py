"""Models from a registry elsewhere: what is imported, once, and what is rejected. W&B itself is not asked here."""

import shutil
from pathlib import Path

import pytest

from football_assets.deployment.wandb_registry import follow_linked
from football_assets.errors import RegistryError
from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets.storage.model_files import MODEL_CARD, TEAM_STATE
from football_assets_tests.builders.linked_models import Shelf
from football_assets_tests.builders.registry_graph import simulated_bundle


@pytest.fixture
def shelf(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    bundle = simulated_bundle(tmp_path_factory)
    return Shelf(Path(shutil.copytree(bundle, tmp_path / "shelf")))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(LocalBucket(tmp_path / "bucket"))


def test_a_linked_version_becomes_a_version_and_production(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    assert follow_linked(registry, shelf, tmp_path / "scratch") == 1

    assert registry.aliases() == {"production": 1}
    assert registry.manifest(1).metadata == {"source": "shelf/football-forecaster:v1"}
    assert set(registry.manifest(1).files) == set(shelf.sizes)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_linked_version_is_followed_once_so_that_a_rollback_stays(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    follow_linked(registry, shelf, tmp_path)
    (shelf.folder / MODEL_CARD).write_text("# The next\n")
    shelf.version = "v2"
    assert follow_linked(registry, shelf, tmp_path) == 2
    registry.rollback()

    assert follow_linked(registry, shelf, tmp_path) is None
    assert registry.aliases() == {"production": 1}


def test_a_version_that_is_here_already_is_promoted_and_not_copied(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    registry.publish(shelf.folder, {})

    assert follow_linked(registry, shelf, tmp_path) == 1
    assert registry.versions() == [1]


def test_nothing_is_taken_over_while_nothing_is_linked(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.version = None

    assert follow_linked(registry, shelf, tmp_path) is None
    assert registry.versions() == []


@pytest.mark.parametrize("name", ["model.pkl", "checkpoint.pt", "extra.onnx", "notes.md"])
def test_a_file_that_no_bundle_has_is_refused_before_anything_is_fetched(
    registry: Registry, shelf: Shelf, tmp_path: Path, name: str
) -> None:
    (shelf.folder / name).write_bytes(b"x")

    with pytest.raises(RegistryError, match=f"It holds {name}"):
        follow_linked(registry, shelf, tmp_path / "scratch")

    assert registry.versions() == []
    assert not (tmp_path / "scratch").exists()


def test_a_bundle_that_lacks_a_file_or_does_not_load_is_refused(
    registry: Registry, shelf: Shelf, tmp_path: Path
) -> None:
    content = (shelf.folder / TEAM_STATE).read_bytes()
    (shelf.folder / TEAM_STATE).unlink()
    with pytest.raises(RegistryError, match="It lacks team_state.parquet"):
        follow_linked(registry, shelf, tmp_path)

    (shelf.folder / TEAM_STATE).write_bytes(content[: len(content) // 2])
    with pytest.raises(RegistryError, match="team_state.parquet of model bundle .* is unusable"):
        follow_linked(registry, shelf, tmp_path)
    assert registry.aliases() == {}
