"""Discovery of the Ray Serve of a home: the address of its REST API and the token that the API requires.

`football serve` writes three files, and other processes of the home read them:

- `<home>/serve/token`: created once, readable by its owner only.
- `<home>/serve/running.json`: address of the server that was started last. The server holds a lock on it, so the file
  of a killed server is ignored.
- `<home>/serve/claim.json`: locked while `football serve` or `football up` runs on the home, so only one of them can;
  `ui_claim.json` while `football up` runs, also without the endpoint.
"""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import psutil

from football_assets.errors import FootballError
from football_assets.runtime.cluster_token import ServeUnreachable, cluster_token
from football_assets.runtime.file_locks import lock_file, try_lock_file
from football_assets.settings import Settings

TOKEN = "token"
_RUNNING_FILE = "running.json"
CLAIM = "claim.json"
UI_CLAIM = "ui_claim.json"
CLAIM_SECONDS = 10.0  # a new command waits so long for the processes of a killed one to end
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class ServeAddress:
    """Address of Ray's dashboard, which hosts Serve's REST API, and the token that it requires; None: no token."""

    url: str
    token: str | None = field(default=None, repr=False)


def serve_folder(settings: Settings) -> Path:
    """Return the folder of the discovery files of a home."""
    return settings.home.resolve() / "serve"


def make_token(settings: Settings, token: str | None = None) -> Path:
    """Write the home's token into a file that only its owner may read; returns the file.

    Parameters
    ----------
    token
        None: the existing token, or a new random one.

    Raises
    ------
    FootballError
        The file cannot be written.
    """
    folder = serve_folder(settings)
    file = folder / TOKEN
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if token or not file.is_file():
            _place_token(folder, file, token)
        file.chmod(0o600)
    except OSError as error:
        raise FootballError(
            f"The token of Ray Serve cannot be written to {file}: {error.strerror}."
        ) from error
    return file


@contextmanager
def claimed(settings: Settings, command: str, address: str, name: str = CLAIM) -> Iterator[int]:
    """Hold the home's claim for a command while the block runs.

    Parameters
    ----------
    command
        `football serve` or `football up`.
    address
        Where the command listens, for the error message of a second command.
    name
        File name of the claim.

    Yields
    ------
    int
        Descriptor of the locked file. The claim is held until every process that has it open has ended.

    Raises
    ------
    FootballError
        Another command runs on this home, or the file cannot be written.
    """
    file = serve_folder(settings) / name
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FootballError(f"{file} cannot be written: {error.strerror}.") from error
    with os.fdopen(descriptor, "r+") as claim:
        deadline = time.monotonic() + CLAIM_SECONDS
        while (holder := _lock_or_read(claim)) is not None:
            if psutil.pid_exists(holder.get("pid", 0)) or time.monotonic() > deadline:
                raise FootballError(
                    f"`{holder.get('command', 'football serve')}` already runs on home {settings.home.resolve()}, on "
                    f"{holder.get('address', 'an unknown address')} (process {holder.get('pid', 'unknown')}): end it "
                    "first, or name another home with --home."
                )
            time.sleep(_POLL_SECONDS)
        claim.seek(0)
        claim.truncate()
        json.dump({"command": command, "address": address, "pid": os.getpid()}, claim)
        claim.flush()
        yield claim.fileno()


def _lock_or_read(claim: TextIO) -> dict[str, Any] | None:
    """Lock the file; returns None, or the content of the file if another process holds the lock."""
    if try_lock_file(claim):
        return None
    claim.seek(0)
    try:
        return dict(json.load(claim))
    except ValueError:  # the other process is writing it
        return {}


@contextmanager
def announced(settings: Settings, url: str) -> Iterator[None]:
    """Publish the address of a server while the block runs. Of two servers, the one that was started last is found."""
    folder = serve_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w") as file:
        lock_file(file)
        json.dump({"url": url, "pid": os.getpid()}, file)
        file.flush()
        running = Path(temporary).replace(folder / _RUNNING_FILE)
        try:
            yield
        finally:
            if running.exists() and running.stat().st_ino == os.fstat(file.fileno()).st_ino:
                running.unlink()


def find_serve(settings: Settings) -> ServeAddress:
    """Find Serve: FOOTBALL_SERVE_API with its token, else the running server of this home.

    The token is that of the cluster of FOOTBALL_SERVE_RAY_SERVICE, else FOOTBALL_SERVE_TOKEN.

    Raises
    ------
    ServeUnreachable
        No server of this home runs, or the cluster's token cannot be read.
    """
    if settings.serve_api:
        token = settings.serve_token.get_secret_value() if settings.serve_token else None
        if settings.serve_ray_service:
            token = cluster_token(settings.serve_ray_service)
        return ServeAddress(settings.serve_api.rstrip("/"), token)
    folder = serve_folder(settings)
    url = _running_url(folder / _RUNNING_FILE)
    if url is None:
        raise ServeUnreachable(
            f"Ray Serve does not run on home {settings.home.resolve()}: start `football serve` or `football up`, or "
            "set FOOTBALL_SERVE_API to its address."
        )
    try:
        token = (folder / TOKEN).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ServeUnreachable(
            f"{folder / TOKEN} cannot be read ({error.strerror}): start `football serve` again."
        ) from error
    return ServeAddress(url, token)


def _place_token(folder: Path, file: Path, token: str | None) -> None:
    handle, name = tempfile.mkstemp(dir=folder)  # with mode 0600 before anything is written
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w") as new:
            new.write(token or secrets.token_hex(32))
        if token:
            temporary.replace(file)
        else:
            with suppress(FileExistsError):  # another server of this home created it first
                os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _running_url(file: Path) -> str | None:
    try:
        with file.open() as running:
            if not try_lock_file(running, shared=True):  # a running server holds the lock
                return str(json.load(running)["url"])
    except FileNotFoundError:
        pass
    return None
