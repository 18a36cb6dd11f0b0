"""A PostgreSQL server of its own, from the binaries of this machine."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from football_assets_tests.builders.ports import free_port

START_SECONDS = 60
USER, DATABASE, PASSWORD = "dagster", "dagster", "a-password"


@dataclass(frozen=True)
class Postgres:
    """How the server is reached."""

    port: int
    host: str = "127.0.0.1"
    user: str = USER
    database: str = DATABASE
    password: str = PASSWORD


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: Debian keeps them off the path."""
    found = [Path(path).resolve().parent for name in ("initdb", "postgres") if (path := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").is_file()), None)


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Run a server with an empty database; it takes no root, so root starts it as another user."""
    folder = binaries()
    assert folder is not None
    place = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    account = pwd.getpwnam("postgres" if _exists("postgres") else "nobody") if not os.geteuid() else None
    if account:
        os.chown(place, account.pw_uid, account.pw_gid)
    options: dict[str, Any] = (
        {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    )
    (place / "password").write_text(PASSWORD, encoding="utf-8")
    (place / "password").chmod(0o644)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    data, server = place / "data", Postgres(free_port())
    try:
        subprocess.run(
            [
                folder / "initdb",
                "-D",
                data,
                "-U",
                USER,
                "--auth=scram-sha-256",
                f"--pwfile={place / 'password'}",
            ],
            check=True,
            capture_output=True,
            env=environment,
            cwd=place,
            **options,
        )
        settings = {"port": server.port, "listen_addresses": server.host, "unix_socket_directories": place}
        with (place / "log").open("wb") as log:
            process = subprocess.Popen(
                [folder / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
                stdout=log,
                stderr=log,
                env=environment,
                cwd=place,
                **options,
            )
        try:
            _create_database(folder, server, place / "log", process)
            yield server
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _create_database(folder: Path, server: Postgres, log: Path, process: "subprocess.Popen[bytes]") -> None:
    command: list[str | Path] = [
        folder / "createdb",
        "-h",
        server.host,
        "-p",
        str(server.port),
        "-U",
        USER,
        DATABASE,
    ]
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(command, env=os.environ | {"PGPASSWORD": PASSWORD}, capture_output=True).returncode:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
