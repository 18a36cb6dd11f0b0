"""Models from another registry: which are imported, once, and which are rejected. W&B itself is not contacted."""

import errno
import shutil
from pathlib import Path

import pytest
from model_signing import verifying

from football_assets.deployment.wandb_registry import follow_linked
from football_assets.errors import RegistryError, SignatureError, SignaturePolicyError
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets.storage.model_files import MODEL_CARD, TEAM_STATE
from football_assets_tests.builders.linked_models import Shelf
from football_assets_tests.builders.registry_graph import simulated_bundle
from football_assets_tests.builders.signing_keys import KeyPair, make_key


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


@pytest.fixture
def key(tmp_path: Path) -> KeyPair:
    return make_key(tmp_path / "keys")


def logged_with_signature(shelf: Shelf, key: KeyPair, folder: Path) -> None:
    """Register the bundle of a shelf elsewhere, and add what `registered_model` logs beside it."""
    elsewhere = Registry(LocalBucket(folder), key.signing)
    version = elsewhere.publish(shelf.folder, {"provenance": {"run_id": "elsewhere"}})
    for name, content in elsewhere.open(version).signature_files().items():
        (shelf.folder / name).write_bytes(content)
    assert {"manifest.json", "model.sig"} <= set(shelf.sizes)


def test_a_signed_version_keeps_its_provenance_and_is_signed_here(
    shelf: Shelf, key: KeyPair, tmp_path: Path
) -> None:
    logged_with_signature(shelf, key, tmp_path / "elsewhere")
    own = make_key(tmp_path / "own")
    policy = SignaturePolicy(signing_key=own.private, verify_keys=(key.public, own.public))
    registry = Registry(LocalBucket(tmp_path / "bucket"), policy)

    assert follow_linked(registry, shelf, tmp_path / "scratch") == 1

    assert registry.aliases() == {"production": 1}
    metadata = registry.manifest(1).metadata
    assert metadata == {"source": shelf.name, "provenance": {"run_id": "elsewhere"}}
    assert Registry(registry.bucket, own.verifying).open("production").load(tmp_path / "fetched").files


def test_a_signed_version_of_this_bucket_is_promoted_by_a_process_without_a_key(
    shelf: Shelf, key: KeyPair, tmp_path: Path
) -> None:
    logged_with_signature(shelf, key, tmp_path / "bucket")

    registry = Registry(LocalBucket(tmp_path / "bucket"), key.verifying)

    assert follow_linked(registry, shelf, tmp_path / "scratch") == 1
    assert registry.versions() == [1]


def test_a_signed_version_from_elsewhere_is_not_imported_by_a_process_without_a_key(
    shelf: Shelf, key: KeyPair, tmp_path: Path
) -> None:
    logged_with_signature(shelf, key, tmp_path / "elsewhere")
    registry = Registry(LocalBucket(tmp_path / "bucket"), key.verifying)

    with pytest.raises(SignaturePolicyError, match="set FOOTBALL_SIGNING_KEY"):
        follow_linked(registry, shelf, tmp_path / "scratch")
    assert registry.versions() == []


def test_an_artifact_without_a_valid_signature_is_not_imported(
    shelf: Shelf, key: KeyPair, tmp_path: Path
) -> None:
    registry = Registry(LocalBucket(tmp_path / "bucket"), key.signing)
    with pytest.raises(SignatureError, match="shelf/football-forecaster:v1 is not signed"):
        follow_linked(registry, shelf, tmp_path / "scratch")

    logged_with_signature(shelf, make_key(tmp_path / "other"), tmp_path / "elsewhere")
    with pytest.raises(SignatureError, match="football-forecaster:v1 is rejected. .* not an accepted one"):
        follow_linked(registry, shelf, tmp_path / "scratch")

    assert registry.versions() == []


def test_an_artifact_that_could_not_be_verified_once_is_imported_later(
    shelf: Shelf, key: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full while model-signing verifies."""
    logged_with_signature(shelf, key, tmp_path / "elsewhere")
    registry = Registry(LocalBucket(tmp_path / "bucket"), key.signing)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(verifying.Config, "verify", full)
        with pytest.raises(SignaturePolicyError, match="cannot be verified: No space left on device"):
            follow_linked(registry, shelf, tmp_path / "scratch")
    assert registry.versions() == []
    assert follow_linked(registry, shelf, tmp_path / "scratch") == 1


@pytest.mark.parametrize("name", [TEAM_STATE, MODEL_CARD, "manifest.json", "model.sig"])
def test_an_artifact_with_a_changed_byte_is_not_imported(
    shelf: Shelf, key: KeyPair, tmp_path: Path, name: str
) -> None:
    logged_with_signature(shelf, key, tmp_path / "elsewhere")
    content = bytearray((shelf.folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (shelf.folder / name).write_bytes(content)
    registry = Registry(LocalBucket(tmp_path / "bucket"), key.signing)

    with pytest.raises(SignatureError, match="football-forecaster:v1 is rejected"):
        follow_linked(registry, shelf, tmp_path / "scratch")
    assert registry.versions() == []


def test_a_signature_is_not_needed_where_none_is_verified(
    registry: Registry, shelf: Shelf, key: KeyPair, tmp_path: Path
) -> None:
    logged_with_signature(shelf, key, tmp_path / "elsewhere")

    assert follow_linked(registry, shelf, tmp_path / "scratch") == 1
    assert registry.manifest(1).metadata == {"source": shelf.name}
