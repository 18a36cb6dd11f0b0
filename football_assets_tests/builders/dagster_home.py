"""Dagster instances of folders that tests make."""

from pathlib import Path
from unittest.mock import patch

from dagster import DagsterInstance


def open_instance(folder: Path) -> DagsterInstance:
    """The instance of a folder with the project's `dagster.yaml`, which finds its storage by DAGSTER_HOME."""
    with patch.dict("os.environ", DAGSTER_HOME=str(folder)):
        return DagsterInstance.from_config(str(folder))
