"""A remote object as a file: few requests, of the ranges that are read, and errors of the bucket."""

import os

import pytest

from football_assets.errors import BucketError, ObjectNotFound
from football_assets_tests.builders.gcs_server import Front, refuse

CONTENT = bytes(range(251)) * 40_000  # 10 MB


def test_the_end_of_a_large_object_takes_two_requests(gcs_front: Front, gcs_url: str) -> None:
    bucket = gcs_front.open(gcs_url)
    bucket.write("a", CONTENT)
    before = len(gcs_front.requests)

    with bucket.open("a") as file:
        file.seek(-1000, os.SEEK_END)
        assert file.read(600) == CONTENT[-1000:-400]
        assert file.read(400) == CONTENT[-400:]

    assert len(gcs_front.requests) - before == 2


def test_a_position_is_known_of_a_generation_that_is_gone(gcs_front: Front, gcs_url: str) -> None:
    bucket = gcs_front.open(gcs_url)
    bucket.write("a", CONTENT)

    with bucket.open("a") as file:
        bucket.delete("a")
        assert file.seek(-1000, os.SEEK_END) == len(CONTENT) - 1000
        assert file.seek(len(CONTENT) + 1) == len(CONTENT)
        file.seek(0)
        with pytest.raises(ObjectNotFound, match="changed while it was being read"):
            file.read(10)


def test_a_generation_that_is_gone_is_an_error(gcs_front: Front, gcs_url: str) -> None:
    bucket = gcs_front.open(gcs_url)
    bucket.write("a", CONTENT)

    with bucket.open("a") as file:
        bucket.delete("a")
        with pytest.raises(ObjectNotFound, match="changed while it was being read"):
            file.read(10)


def test_a_server_that_refuses_is_an_error_of_the_bucket(gcs_front: Front, gcs_url: str) -> None:
    bucket = gcs_front.open(gcs_url)
    bucket.write("a", CONTENT)

    with bucket.open("a") as file:
        gcs_front.fail("GET", "", refuse(403))
        with pytest.raises(BucketError, match="may not read 'a'"):
            file.read(10)
