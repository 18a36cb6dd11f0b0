"""The folder that one installation works in: `<home>/{bucket,dagster,scratch}`. The command line prepares it."""

import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from football_assets.errors import LITTLE_SPACE_BYTES, FootballError, reason_of
from football_assets.settings import Settings, get_settings

_SECRET = "FOOTBALL_API_KEY"


def project_root() -> Path:
    """Folder with `workspace.yaml`, `dagster.yaml` and the dbt project.

    Raises
    ------
    FootballError
        The package runs from elsewhere than its repository.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "dagster.yaml").is_file():
        raise FootballError(
            f"{root} is not the project's folder: install it from a clone with `pip install -e .`."
        )
    return root


def prepare_home(home: Path | None = None, *, for_runs: bool = False) -> Settings:
    """Create the home's folders, give it the project's Dagster configuration, and make it this process's home.

    Child processes inherit it through FOOTBALL_HOME and DAGSTER_HOME.

    Parameters
    ----------
    home
        None: FOOTBALL_HOME, or its default.
    for_runs
        Also check that there is room to write: Dagster's storage and the scratch folder are written to by every run.

    Raises
    ------
    FootballError
        The folder cannot be created or written to.
    """
    try:
        home = (home or _settings().home).expanduser().resolve()
    except RuntimeError as error:  # links that lead to each other, or ~ of an unknown user
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
        # Without the cause, which would show the secret to whoever prints it.
        raise FootballError(f"{shown} is not usable: {problem['msg']}.") from None


def _check_space(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(LITTLE_SPACE_BYTES))


def _copy_if_different(source: Path, target: Path) -> None:
    """Replace the file as a whole: another process may read it meanwhile."""
    data = source.read_bytes()
    if target.is_file() and target.read_bytes() == data:
        return
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder, target.name)
        copy.write_bytes(data)
        copy.replace(target)
