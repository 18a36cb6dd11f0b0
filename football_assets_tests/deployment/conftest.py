"""A server of Ray Serve's REST API."""

from collections.abc import Iterator

import pytest

from football_assets_tests.builders.serve_server import ServeServer, serve_server


@pytest.fixture
def server() -> Iterator[ServeServer]:
    """Two replicas that follow the alias, on version 1."""
    with serve_server() as server:
        yield server
