"""The home: folder of one installation, `<home>/{bucket,dagster,scratch}`. The command line prepares it."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import get_args

from pydantic import SecretStr, ValidationError

from football_assets.errors import LITTLE_SPACE_BYTES, FootballError, reason_of
from football_assets.settings import Settings, get_settings

_PACKAGE = Path(__file__).resolve().parents[1]
_CONFIGURATION = "dagster.yaml"
_MARK = (
    b"\n# Copied by football, which replaces this file after an upgrade unless it has been edited. Digest: "
)
_SECRETS = frozenset(
    f"FOOTBALL_{name.upper()}"
    for name, field in Settings.model_fields.items()
    if SecretStr in (field.annotation, *get_args(field.annotation))
)
"""Variables whose values no message shows."""


def project_root() -> Path:
    """Return the folder with `workspace.yaml`, `dagster.yaml` and the dbt project `dbt_features`.

    In a checkout it is the top of the repository, else the folder `project` of the installed package, which is a copy
    and may be read-only.
    """
    return _PACKAGE.parent if is_checkout() else _PACKAGE / "project"


def is_checkout() -> bool:
    """Tell whether the package runs from a clone of its repository, not from an installed wheel."""
    return (_PACKAGE.parent / "dbt_features").is_dir()


def prepare_home(home: Path | None = None, *, for_runs: bool = False) -> Settings:
    """Create the home's folders with Dagster's configuration, and set FOOTBALL_HOME and DAGSTER_HOME to them.

    Child processes inherit the variables. A DAGSTER_HOME in the environment is kept, and used instead of
    `<home>/dagster`. `dagster.yaml` is copied into a DAGSTER_HOME that has none. A copy is replaced by the file of a
    later version unless it has been edited; a file of other origin is never written to.

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
    dagster_home = _given_dagster_home()
    os.environ["FOOTBALL_HOME"] = str(home)
    settings = _settings()
    try:
        if settings.bucket:
            os.environ["FOOTBALL_BUCKET"] = settings.bucket_url  # child processes work in other folders
    except RuntimeError as error:
        raise FootballError(
            f"FOOTBALL_BUCKET {settings.bucket} cannot be used: {str(error).rstrip('.')}."
        ) from error
    _make_key_paths_absolute(settings)
    try:
        for folder in (home / "bucket", settings.scratch):
            folder.mkdir(parents=True, exist_ok=True)
        if dagster_home is None:
            dagster_home = settings.dagster_home
            dagster_home.mkdir(exist_ok=True)
            if for_runs:
                _check_space(dagster_home)
        if for_runs:
            _check_space(settings.scratch)
        _configure_dagster(dagster_home)
    except OSError as error:
        raise FootballError(
            f"Home {home} cannot be used: {reason_of(error)}. Name another with --home or FOOTBALL_HOME."
        ) from error
    os.environ["DAGSTER_HOME"] = str(dagster_home)
    return settings


def _make_key_paths_absolute(settings: Settings) -> None:
    """Set the variables of key files to absolute paths: child processes work in other folders."""
    for variable, paths in (
        ("FOOTBALL_SIGNING_KEY", (settings.signing_key,)),
        ("FOOTBALL_VERIFY_KEYS", settings.verify_keys or ()),
        ("FOOTBALL_SIGSTORE_TRUST", (settings.sigstore_trust,)),
    ):
        given = [str(path.absolute()) for path in paths if path is not None]
        if given:
            os.environ[variable] = os.pathsep.join(given)


def _settings() -> Settings:
    try:
        return get_settings()
    except ValidationError as error:
        problem = error.errors()[0]
        variable = "_".join(("FOOTBALL", *map(str, problem["loc"]))).upper()
        shown = variable if variable in _SECRETS else f"{variable}={problem['input']}"
        # Without the cause: a traceback of it would print the secret.
        raise FootballError(
            f"{shown} is not usable: {problem['msg'].removeprefix('Value error, ')}."
        ) from None


def _check_space(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(LITTLE_SPACE_BYTES))


def _given_dagster_home() -> Path | None:
    """Return the DAGSTER_HOME of the environment; None if there is none, or a command set it to that of its home.

    Raises
    ------
    FootballError
        DAGSTER_HOME is not a folder.
    """
    given = os.environ.get("DAGSTER_HOME", "").strip()
    if not given or given == str(_settings().dagster_home):
        return None
    folder = Path(given).expanduser().absolute()
    if not folder.is_dir():
        raise FootballError(f"DAGSTER_HOME {given} is not a folder: create it, or unset the variable.")
    return folder


def _configure_dagster(folder: Path) -> None:
    """Copy `dagster.yaml` into a folder, unless the folder has an edited one or one of other origin."""
    data = (project_root() / _CONFIGURATION).read_bytes()
    file, copy = folder / _CONFIGURATION, data + _mark(data)
    if file.exists():
        current = file.read_bytes()
        content = current[: current.rfind(_MARK)]
        if current == copy or current != content + _mark(content):
            return
    _write_atomically(file, copy)


def _mark(data: bytes) -> bytes:
    """Return the last line of a copy. It has a digest, by which an edited copy is recognised."""
    return _MARK + hashlib.sha256(data).hexdigest().encode() + b"\n"


def _write_atomically(file: Path, data: bytes) -> None:
    """Replace a file as a whole: another process may be reading it."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        copy = Path(folder, file.name)
        copy.write_bytes(data)
        copy.replace(file)
