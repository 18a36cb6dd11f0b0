"""Fixtures of the raw stage's tests."""

from pathlib import Path

import pytest

from football_assets.orchestration.resources import BucketResource
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return open_bucket(str(tmp_path / "bucket"))


@pytest.fixture
def resource(bucket: Bucket, tmp_path: Path) -> BucketResource:
    """The bucket as assets and checks get it."""
    return BucketResource(url=bucket.url, scratch=str(tmp_path / "scratch"))
