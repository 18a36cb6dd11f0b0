"""The home that `football demo` makes, for tests of what comes after it, and copies of its bucket to write to."""

import os
import shutil
from pathlib import Path

import polars as pl

from football_assets import cli
from football_assets.registry.store import Registry
from football_assets.storage.bucket import Bucket
from football_assets.storage.local import LocalBucket
from football_assets.storage.model_files import TEAM_STATE
from football_assets_tests.builders.model_versions import copy_version

FIGURES = "demo.json"  # beside the home; written last


def make_demo(folder: Path) -> Path:
    """Run the demo, unless it has been run in this folder; returns the home."""
    home = folder / "home"
    if not (folder / FIGURES).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        before = dict(os.environ)
        try:
            assert cli.main(["demo", "--home", str(home), "--json", str(folder / FIGURES)]) == 0
        finally:
            os.environ.clear()
            os.environ.update(before)
    return home


def copy_bucket(home: Path, target: Path) -> LocalBucket:
    """A copy of a home's bucket. A bucket replaces files and never writes into them, so links are enough."""
    ignore = shutil.ignore_patterns(".bucket")
    shutil.copytree(home / "bucket", target, copy_function=os.link, ignore=ignore)
    return LocalBucket(target)


def publish_reversed(bucket: Bucket, scratch: Path) -> int:
    """Publish a second version, which takes the weakest teams for the strongest; returns its number."""
    registry = Registry(bucket)
    bundle = copy_version(registry.open("production"), scratch / "reversed")
    state = pl.read_parquet(bundle / TEAM_STATE)
    state.with_columns(elo=3000 - pl.col("elo")).write_parquet(bundle / TEAM_STATE)
    return registry.publish(bundle, {})
