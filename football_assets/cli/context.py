"""What a command works on: its home and the registry in the home's bucket."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from football_assets.registry.store import Registry
    from football_assets.settings import Settings


def prepare_command_home(home: Path | None = None, *, for_runs: bool = False) -> "Settings":
    """Prepare the home of the command that is running; returns its settings.

    Parameters
    ----------
    home
        None: that of `--home`, else FOOTBALL_HOME or its default.
    for_runs
        Also check that the home has space for Dagster's storage and scratch files.

    Raises
    ------
    FootballError
        The home cannot be created or written to, or an environment variable has an invalid value.
    """
    from football_assets.runtime.home import prepare_home

    return prepare_home(home or click.get_current_context().find_root().obj, for_runs=for_runs)


def open_registry(settings: "Settings") -> "Registry":
    """Open the model registry in the bucket of a home."""
    from football_assets.registry.store import Registry
    from football_assets.storage.opening import open_bucket

    return Registry(open_bucket(settings.bucket_url))
