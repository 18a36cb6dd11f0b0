"""The simulated world in a bucket, so that assets of export, registry and forecasting run on it as Dagster runs."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckEvaluation,
    AssetChecksDefinition,
    AssetsDefinition,
    AssetSpec,
    ExecuteInProcessResult,
    materialize,
)

from football_assets.artifacts import publish
from football_assets.bucket import Bucket
from football_assets.io_managers import FolderIOManager, TableIOManager
from football_assets.registry.store import Registry
from football_assets.resources import BucketResource
from football_assets.tables import write_table
from football_assets_tests.export.simulation import SimulatedFolders
from football_assets_tests.registry.worlds import feature_tables

FOLDERS = [field.name for field in fields(SimulatedFolders)]
TABLES = [field.name for field in fields(type(feature_tables()))]


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
        """Materialise assets and their checks; what they read from others comes from the bucket."""
        made = {key.to_user_string() for item in definitions for key in item.keys}  # type: ignore[union-attr]
        upstream = [AssetSpec(name).with_io_manager_key("folders") for name in FOLDERS if name not in made]
        upstream += [AssetSpec(name).with_io_manager_key("tables") for name in TABLES]
        resources = {
            "bucket": self.resource,
            "tables": TableIOManager(bucket=self.resource),
            "folders": FolderIOManager(bucket=self.resource),
        }
        return materialize([*upstream, *definitions], resources=resources, **arguments)


def make_world(home: Path, folders: SimulatedFolders) -> World:
    """A bucket with the simulated folders and tables."""
    (home / "scratch").mkdir(parents=True)
    world = World(BucketResource(url=str(home / "bucket"), scratch=str(home / "scratch")))
    for name in FOLDERS:
        world.publish_folder(name, getattr(folders, name))
    for name in TABLES:
        write_table(world.bucket, name, getattr(feature_tables(), name))
    return world


def metadata(result: ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    """Metadata of an asset's materialisation, as plain values."""
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def evaluations(result: ExecuteInProcessResult) -> dict[str, AssetCheckEvaluation]:
    """Asset checks by name."""
    return {item.check_name: item for item in result.get_asset_check_evaluations()}
