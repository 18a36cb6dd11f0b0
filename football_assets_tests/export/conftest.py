"""The simulated world's export."""

import json
from typing import Any

import pytest

from football_assets_tests.builders.registry_graph import SimulatedFolders, simulate


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> SimulatedFolders:
    return simulate(tmp_path_factory.getbasetemp() / "simulated")


@pytest.fixture(scope="session")
def report(folders: SimulatedFolders) -> dict[str, Any]:
    """`export.json`."""
    content: dict[str, Any] = json.loads((folders.onnx_model / "export.json").read_text())
    return content
