"""The simulated world in a bucket, so that assets of export, registry and forecasting run on it as Dagster runs.

What is slow to make, the export of the network, is made once in a test session and shared: read it, do not write.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetChecksDefinition,
    AssetsDefinition,
    AssetSpec,
    ExecuteInProcessResult,
    materialize,
)

from football_assets.export.assets import assets as export_assets
from football_assets.export.checks import checks as export_checks
from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.bundle import BundleSources, assemble_bundle
from football_assets.registry.store import Registry
from football_assets.storage.artifacts import fetch, publish
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.feature_tables import feature_tables
from football_assets_tests.builders.sharing import shared_folder
from football_assets_tests.builders.simulation import LearntFolders, write_learnt_folders
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import FeatureTables

TABLES = [field.name for field in fields(FeatureTables)]


@dataclass(frozen=True)
class SimulatedFolders(LearntFolders):
    """One folder an asset, and the Dagster run that made the last."""

    onnx_model: Path
    export_run: ExecuteInProcessResult


FOLDERS = ("trained_lstm", "sequence_tensors", "model_evaluation", "onnx_model")


@dataclass(frozen=True)
class World:
    """A bucket with everything that the assets under test read."""

    resource: BucketResource

    @property
    def bucket(self) -> Bucket:
        return self.resource.open()

    @property
    def registry(self) -> Registry:
        return Registry(self.bucket)

    @property
    def scratch(self) -> Path:
        return Path(self.resource.scratch)

    def publish_folder(self, name: str, folder: Path) -> None:
        """Make a copy of a folder the asset's current content."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as copy:
            publish(self.bucket, name, Path(shutil.copytree(folder, copy, dirs_exist_ok=True)))

    def run(
        self, definitions: Sequence[AssetsDefinition | AssetChecksDefinition], **arguments: Any
    ) -> ExecuteInProcessResult:
        """Materialize assets and their checks; what they read from others comes from the bucket."""
        made = {key.to_user_string() for item in definitions for key in item.keys}  # type: ignore[union-attr]
        upstream = [AssetSpec(name).with_io_manager_key("folders") for name in FOLDERS if name not in made]
        upstream += [AssetSpec(name).with_io_manager_key("tables") for name in TABLES]
        resources = {
            "bucket": self.resource,
            "tables": TableIOManager(bucket=self.resource),
            "folders": FolderIOManager(bucket=self.resource),
        }
        return materialize([*upstream, *definitions], resources=resources, **arguments)


def make_world(home: Path, folders: LearntFolders) -> World:
    """A bucket with the simulated folders, as far as they are made, and tables."""
    (home / "scratch").mkdir(parents=True)
    world = World(BucketResource(url=str(home / "bucket"), scratch=str(home / "scratch")))
    for name in FOLDERS:
        if hasattr(folders, name):
            world.publish_folder(name, getattr(folders, name))
    for name in TABLES:
        write_by_country(world.bucket, name, getattr(feature_tables(), name))
    return world


@cache
def simulate(root: Path) -> SimulatedFolders:
    """The world with its exported network, under `root`."""
    learnt = write_learnt_folders(root)
    world = make_world(root / "home", learnt)
    result = world.run([*export_assets, *export_checks])
    onnx_model = fetch(world.bucket, "onnx_model", world.scratch)
    return SimulatedFolders(
        learnt.trained_lstm, learnt.sequence_tensors, learnt.model_evaluation, onnx_model, result
    )


def simulated_bundle(factory: pytest.TempPathFactory) -> Path:
    """The model bundle of the world, shared by all workers and read-only."""
    with shared_folder(factory, "simulated_bundle") as folder:
        bundle, ready = folder / "bundle", folder / "ready"
        if not ready.exists():
            write_bundle(simulate(folder), bundle)
            ready.touch()
        return bundle


def write_bundle(folders: SimulatedFolders, folder: Path) -> None:
    """Assemble a bundle in a new folder."""
    state = feature_tables().team_state()
    folder.mkdir()
    sources = BundleSources(
        folders.trained_lstm, folders.model_evaluation, folders.onnx_model, folders.sequence_tensors
    )
    assemble_bundle(sources, state, folder)


def metadata(result: ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """Metadata of an asset's materialization, as plain values."""
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def evaluations(result: ExecuteInProcessResult) -> dict[str, AssetCheckEvaluation]:
    """Asset checks by name."""
    return {item.check_name: item for item in result.get_asset_check_evaluations()}
