"""The home: folder of one installation, `<home>/{bucket,dagster,scratch}`. The command line prepares it."""

import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from football_assets.errors import LITTLE_SPACE_BYTES, FootballError, reason_of
from football_assets.settings import Settings, get_settings

_SECRET = "FOOTBALL_API_KEY"


def project_root() -> Path:
    """Return the folder with `workspace.yaml`, `dagster.yaml` and the dbt project.

    Raises
    ------
    FootballError
        The package is not installed from a clone of its repository.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "dagster.yaml").is_file():
        raise FootballError(
            f"{root} is not the project's folder: install it from a clone with `pip install -e .`."
        )
    return root


def prepare_home(home: Path | None = None, *, for_runs: bool = False) -> Settings:
    """Create the home's folders, copy `dagster.yaml` into it, and set FOOTBALL_HOME and DAGSTER_HOME to it.

    Child processes inherit the variables.

    Parameters
    ----------
    home
        None: FOOTBALL_HOME, or its default.
    for_runs
        Also check that the disks of Dagster's storage and of the scratch folder have space: every run writes to them.

    Raises
    ------
    FootballError
        The folder cannot be created or written to, or an environment variable has an invalid value.
    """
    try:
        home = (home or _settings().home).expanduser().resolve()
    except RuntimeError as error:  # a circle of links, or ~ of an unknown user
        raise FootballError(
            f"Home {home or _settings().home} cannot be used: {str(error).rstrip('.')}."
        ) from error
    os.environ["FOOTBALL_HOME"] = str(home)
    settings = _settings()
    try:
        if settings.bucket:
            os.environ["FOOTBALL_BUCKET"] = settings.bucket_url  # child processes work in other folders
    except RuntimeError as error:
        raise FootballError(
            f"FOOTBALL_BUCKET {settings.bucket} cannot be used: {str(error).rstrip('.')}."
        ) from error
    try:
        for folder in (home / "bucket", settings.dagster_home, settings.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        if for_runs:
            for folder in (settings.dagster_home, settings.scratch):
                _check_space(folder)
        _copy_if_different(project_root() / "dagster.yaml", settings.dagster_home / "dagster.yaml")
    except OSError as error:
        raise FootballError(
            f"Home {home} cannot be used: {reason_of(error)}. Name another with --home or FOOTBALL_HOME."
        ) from error
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    return settings


def _settings() -> Settings:
    try:
        return get_settings()
    except ValidationError as error:
        problem = error.errors()[0]
        variable = "_".join(("FOOTBALL", *map(str, problem["loc"]))).upper()
        shown = variable if variable == _SECRET else f"{variable}={problem['input']}"
        # Without the cause: a traceback of it would print the secret.
        raise FootballError(f"{shown} is not usable: {problem['msg']}.") from None


def _check_space(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(LITTLE_SPACE_BYTES))


def _copy_if_different(source: Path, target: Path) -> None:
    """Replace the file atomically: another process may be reading it."""
    data = source.read_bytes()
    if target.is_file() and target.read_bytes() == data:
        return
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder, target.name)
        copy.write_bytes(data)
        copy.replace(target)
