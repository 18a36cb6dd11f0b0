"""The demo's bucket and its fixture list."""

from pathlib import Path

import polars as pl
import pytest

from football_assets.storage.local import LocalBucket
from football_assets.storage.tables import read_table


@pytest.fixture(scope="module")
def bucket(demo_home: Path) -> LocalBucket:
    return LocalBucket(demo_home / "bucket")


@pytest.fixture(scope="module")
def listed(bucket: LocalBucket) -> pl.DataFrame:
    return read_table(bucket, "fixture_predictions")
