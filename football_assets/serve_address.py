"""Where Ray Serve's REST API is, and the token that it asks for: `football serve` says it, others of its home read it.

`<home>/serve/token` is made once, for its owner alone. `<home>/serve/running.json` names the address of the server that
was started last; it is locked as long as that server lives, so that what a killed one left behind misleads nobody.
"""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from football_assets.errors import FootballError
from football_assets.settings import Settings

TOKEN = "token"
RUNNING = "running.json"


class ServeUnreachable(FootballError):
    """No Ray Serve answers."""


@dataclass(frozen=True)
class ServeAddress:
    """Address of Ray's dashboard, which has Serve's REST API, and the token it asks for; None: without one."""

    url: str
    token: str | None = field(default=None, repr=False)


def serve_folder(settings: Settings) -> Path:
    """The home's folder for what is said here."""
    return settings.home.resolve() / "serve"


def make_token(settings: Settings, token: str | None = None) -> Path:
    """The file with the home's token, which no one but its owner may read.

    Parameters
    ----------
    token
        None: the one that is there, or a new one.

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
        raise FootballError(f"The token of Ray Serve cannot be kept in {file}: {error.strerror}.") from error
    return file


@contextmanager
def announced(settings: Settings, url: str) -> Iterator[None]:
    """Say where the server is while the block runs. Of two servers of one home, the one started last is found."""
    folder = serve_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"url": url, "pid": os.getpid()}, file)
        file.flush()
        running = Path(temporary).replace(folder / RUNNING)
        try:
            yield
        finally:
            if running.exists() and running.stat().st_ino == os.fstat(file.fileno()).st_ino:
                running.unlink()


def find_serve(settings: Settings) -> ServeAddress:
    """Where to reach Serve: FOOTBALL_SERVE_API with FOOTBALL_SERVE_TOKEN, else the running server of this home.

    Raises
    ------
    ServeUnreachable
        No server of this home runs.
    """
    if settings.serve_api:
        token = settings.serve_token.get_secret_value() if settings.serve_token else None
        return ServeAddress(settings.serve_api.rstrip("/"), token)
    folder = serve_folder(settings)
    url = _running_url(folder / RUNNING)
    if url is None:
        raise ServeUnreachable(
            f"Ray Serve does not run on home {settings.home.resolve()}: start `football serve` or `football up`, or "
            "say where it runs with FOOTBALL_SERVE_API."
        )
    try:
        token = (folder / TOKEN).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ServeUnreachable(
            f"{folder / TOKEN} cannot be read ({error.strerror}): start `football serve` again."
        ) from error
    return ServeAddress(url, token)


def _place_token(folder: Path, file: Path, token: str | None) -> None:
    handle, name = tempfile.mkstemp(dir=folder)  # for its owner alone from the first byte on
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w") as new:
            new.write(token or secrets.token_hex(32))
        if token:
            temporary.replace(file)
        else:
            with suppress(FileExistsError):  # another server of this home was quicker
                os.link(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def _running_url(file: Path) -> str | None:
    try:
        with file.open() as running:
            try:
                fcntl.flock(running, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # the lock of a server that lives
                return str(json.load(running)["url"])
    except FileNotFoundError:
        pass
    return None
