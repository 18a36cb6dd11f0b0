"""When a tick brings a linked model into the registry, and what it says otherwise."""

import runpy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DefaultSensorStatus, SkipReason, build_sensor_context

from football_assets.automation import wandb_registry_sensor as module
from football_assets.automation.sensors import sensors
from football_assets.automation.wandb_registry_sensor import is_online, wandb_registry_sensor
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.store import Registry
from football_assets.storage.model_files import MODEL_CARD, TEAM_STATE
from football_assets_tests.builders.linked_models import Shelf
from football_assets_tests.builders.registry_graph import simulated_bundle
from football_assets_tests.builders.wandb_server import run_wandb_server

CONFIGURED = {"FOOTBALL_WANDB_PROJECT": "football", "WANDB_API_KEY": "k" * 40}
PATH = "wandb-registry-model/football-forecaster:production"


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nobody is logged in; W&B reads the environment again in each test."""
    for name in (*CONFIGURED, "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    yield
    if "wandb" in sys.modules:
        sys.modules["wandb"].teardown()


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B is configured."""
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(tmp_path: Path) -> BucketResource:
    return BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))


@pytest.fixture
def shelf(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    configured: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Shelf:
    """A registry with one linked version, in place of W&B's."""
    bundle = simulated_bundle(tmp_path_factory)
    shelf = Shelf(Path(shutil.copytree(bundle, tmp_path / "shelf")))
    monkeypatch.setattr(module, "WandbRegistry", lambda: shelf)
    return shelf


def tick(instance: DagsterInstance, bucket: BucketResource) -> str:
    """What an evaluation says. It requests no run."""
    result = wandb_registry_sensor(build_sensor_context(instance, resources={"bucket": bucket}))
    assert isinstance(result, SkipReason)
    return str(result.skip_message)


@pytest.mark.parametrize(
    ("variables", "online"),
    [
        ({}, False),
        (CONFIGURED, True),
        ({"FOOTBALL_WANDB_PROJECT": "football"}, False),
        ({"WANDB_API_KEY": "k" * 40}, False),
        ({**CONFIGURED, "WANDB_MODE": "offline"}, False),
        ({**CONFIGURED, "WANDB_MODE": "disabled"}, False),
        ({**CONFIGURED, "WANDB_MODE": "online"}, True),
    ],
)
def test_the_sensor_runs_by_itself_where_wandb_is_configured_and_online(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], online: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert is_online() is online
    defined = runpy.run_path(str(module.__file__))["wandb_registry_sensor"]
    assert defined.default_status is (DefaultSensorStatus.RUNNING if online else DefaultSensorStatus.STOPPED)


def test_it_is_one_of_the_sensors_and_asks_every_five_minutes() -> None:
    assert wandb_registry_sensor in sensors
    assert wandb_registry_sensor.name == "wandb_registry_sensor"
    assert wandb_registry_sensor.minimum_interval_seconds == 300


def test_without_wandb_nothing_is_asked(
    instance: DagsterInstance, bucket: BucketResource, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert tick(instance, bucket) == "W&B is not configured, or offline."

    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.delenv("WANDB_API_KEY")
    assert tick(instance, bucket) == "W&B is not configured, or offline."
    assert Registry(bucket.open()).versions() == []


def test_a_linked_version_comes_into_production_once(
    instance: DagsterInstance, bucket: BucketResource, shelf: Shelf
) -> None:
    registry = Registry(bucket.open())

    assert tick(instance, bucket) == "Version 1 was imported and is in production."
    assert registry.aliases() == {"production": 1}
    assert registry.manifest(1).metadata == {"source": "shelf/football-forecaster:v1"}
    assert list(Path(bucket.scratch).iterdir()) == []

    assert tick(instance, bucket) == "No new version is linked."

    (shelf.folder / MODEL_CARD).write_text("# The next\n")
    shelf.version = "v2"
    assert tick(instance, bucket) == "Version 2 was imported and is in production."
    assert registry.aliases() == {"production": 2, "previous": 1}


def test_without_a_linked_version_the_registry_stays_as_it_is(
    instance: DagsterInstance, bucket: BucketResource, shelf: Shelf
) -> None:
    shelf.version = None

    assert tick(instance, bucket) == "No new version is linked."
    assert Registry(bucket.open()).versions() == []


def test_a_version_that_is_no_bundle_fails_no_tick_and_is_taken_over_once_it_is_one(
    instance: DagsterInstance, bucket: BucketResource, shelf: Shelf
) -> None:
    away = (shelf.folder / TEAM_STATE).rename(shelf.folder.parent / TEAM_STATE)

    assert tick(instance, bucket) == (
        "Nothing was imported: shelf/football-forecaster:v1 is not a model bundle. It lacks team_state.parquet. "
        "Link one that this project logged."
    )
    assert Registry(bucket.open()).aliases() == {}

    away.rename(shelf.folder / TEAM_STATE)
    assert tick(instance, bucket) == "Version 1 was imported and is in production."


@pytest.mark.usefixtures("configured")
def test_a_server_that_rejects_the_key_fails_no_tick(
    instance: DagsterInstance, bucket: BucketResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real client asks a server of W&B's API."""
    with run_wandb_server() as server:
        server.refuses = True
        monkeypatch.setenv("WANDB_BASE_URL", server.url)

        reason = tick(instance, bucket)

    assert reason.startswith(f"Nothing was imported: The request of {PATH} from W&B failed: ")
    assert "k" * 40 not in reason
    assert Registry(bucket.open()).versions() == []
