"""The dbt project `dbt_features/` and its manifest, which `dbt_build` and the Dagster assets read.

The manifest holds absolute paths and is not committed. dbt parses the project again when one of its files has changed.
In a clone dbt writes to `dbt_features/target`, as when it is run by hand; in an installation from a wheel it writes to
the home's scratch folder.
"""

import contextlib
import getpass
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from football_assets.errors import FootballError
from football_assets.runtime.file_locks import lock_file
from football_assets.runtime.home import is_checkout, project_root
from football_assets.settings import get_settings

DATABASE = "features.duckdb"  # dbt's name of this database is `features`
PARTIAL_PARSE = "partial_parse.msgpack"  # dbt's cache of the parsed project
_PARSED = ("manifest.json", PARTIAL_PARSE)


class DbtFailed(FootballError):
    """dbt could not parse the project, or a model could not be built."""


def project_folder() -> Path:
    """Return the folder of the dbt project."""
    return project_root() / "dbt_features"


def load_manifest() -> dict[str, Any]:
    """Read the project's manifest, which is parsed again if the project has changed.

    Raises
    ------
    DbtFailed
        dbt cannot parse the project.
    """
    return read_manifest(parsed_project())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest in a folder that `parsed_project` returned."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return manifest


def parsed_project() -> Path:
    """Return the folder with `manifest.json` and PARTIAL_PARSE of the project as it is now.

    Raises
    ------
    DbtFailed
        dbt cannot parse the project.
    """
    digest = _project_digest()
    folder = _writable(_target_folder())
    stamp = folder / "digest"
    if not _is_current(stamp, digest):
        with (folder / "lock").open("a") as lock:
            lock_file(lock)  # of several processes one parses, the others wait
            if not _is_current(stamp, digest):
                _parse_into(folder)
                stamp.write_text(digest)
    return folder


def dbt_arguments(*arguments: str) -> list[str]:
    """Return arguments with the folder of the project."""
    folder = str(project_folder())
    return [*arguments, "--project-dir", folder, "--profiles-dir", folder]


def dbt_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a dbt process that writes its artifacts and its log to `folder`."""
    return {
        **os.environ,
        "DBT_TARGET_PATH": str(folder),
        "DBT_LOG_PATH": str(folder),
        "DBT_VERSION_CHECK": "false",
        "DBT_USE_COLORS": "false",
        "DBT_LOG_LEVEL_FILE": "none",
        "PYTHONUNBUFFERED": "1",
    }


def dbt_executable() -> str:
    """Return the dbt program of this environment.

    Raises
    ------
    DbtFailed
        dbt is not installed.
    """
    beside = Path(sys.executable).with_name("dbt")
    executable = str(beside) if beside.is_file() else shutil.which("dbt")
    if executable is None:
        raise DbtFailed(f"There is no dbt beside {sys.executable}: install the project with `make install`.")
    return executable


def _project_digest() -> str:
    root = project_folder()
    parsers = "\0".join(version(name) for name in ("dbt-core", "dbt-duckdb"))
    digest = hashlib.blake2b(f"parsed in full\0{root}\0{sys.prefix}\0{parsers}".encode(), digest_size=16)
    for path in project_sources():
        if path.suffix != ".csv":  # dbt does not parse the rows of a seed
            digest.update(f"\0{path.relative_to(root)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def project_sources() -> list[Path]:
    """List the files that define what dbt builds: models, macros, seeds, tests and configuration."""
    root = project_folder()
    found = [
        *root.glob("*.yml"),
        *(path for name in ("macros", "models", "seeds", "tests") for path in (root / name).rglob("*")),
    ]
    return sorted(path for path in found if path.suffix in {".csv", ".sql", ".yml"})


def _is_current(stamp: Path, digest: str) -> bool:
    return (
        stamp.is_file()
        and stamp.read_text() == digest
        and all((stamp.parent / name).is_file() for name in _PARSED)
    )


def _target_folder() -> Path:
    return project_folder() / "target" if is_checkout() else get_settings().scratch / "dbt"


def _writable(folder: Path) -> Path:
    with contextlib.suppress(OSError):  # a read-only installation
        folder.mkdir(parents=True, exist_ok=True)
    if folder.is_dir() and os.access(folder, os.W_OK):
        return folder
    fallback = Path(tempfile.gettempdir()) / f"football-dbt-{_user()}"
    fallback.mkdir(mode=0o700, exist_ok=True)
    return fallback


def _user() -> str:
    if sys.platform == "win32":
        return getpass.getuser()
    return str(os.getuid())  # in a pod, a number without a name


def _parse_into(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        # In full: partial parsing loses the properties of a singular test whose SQL has changed.
        result = subprocess.run(
            [
                dbt_executable(),
                *dbt_arguments("--quiet", "parse"),
            ],
            cwd=scratch,
            env=dbt_environment(Path(scratch)),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            message = " ".join((result.stdout + result.stderr).split())
            raise DbtFailed(f"dbt cannot parse {project_folder()}: {message[-500:]}")
        for name in _PARSED:
            (Path(scratch) / name).replace(folder / name)
