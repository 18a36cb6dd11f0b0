"""Fixtures of the tests of syncing."""

from collections.abc import Iterator

import pytest

from football_assets_tests.builders.source_server import SourceServer, run_source_server


@pytest.fixture
def source() -> Iterator[SourceServer]:
    with run_source_server() as server:
        yield server
