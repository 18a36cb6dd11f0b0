"""The real `football` command in states of the machine: no permission, a small disk, other encodings."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

import pytest

FOOTBALL = (sys.executable, "-m", "football_assets.cli")
SECONDS = 300
FULL = "No space left on device"
RESULTS = """Date,Team 1,FT,HT,Team 2
Sat Aug 8 2015,Arsenal,0-2,0-1,West Ham
Sat Aug 8 2015,Chelsea,2-2,2-1,Swansea
"""


def run_football(
    *arguments: object,
    home: Path,
    before: Sequence[str] = (),
    stdout: IO[bytes] | int = subprocess.PIPE,
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, without standard input.

    Parameters
    ----------
    before
        Command line that starts the command, such as `with_permissions()`.
    environment
        Variables in addition to FOOTBALL_HOME.
    """
    return subprocess.run(
        [*before, *FOOTBALL, *map(str, arguments)],
        env=_environment(home, environment),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=SECONDS,
    )


def run_on_small_disk(
    commands: str, mounted: Path, size: str, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a shell script with a disk of this size at an empty folder, whose home is `$FOOTBALL_HOME` there.

    The script calls the command as `football` and has `mounted` as `$DISK`. Skips where no disk can be mounted.
    """
    football = shlex.join(FOOTBALL)
    script = f'mount -t tmpfs -o size={size} none "$DISK" || exit 99\nfootball() {{ {football} "$@"; }}\n{commands}'
    shown = subprocess.run(
        [*_own_mounts(), "bash", "-c", script],
        env=_environment(mounted / "home", {"DISK": str(mounted), **environment}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
    )
    assert shown.returncode != 99, shown.stderr
    return shown


def with_permissions() -> tuple[str, ...]:
    """Start of a command line whose process obeys the permissions of files, which root otherwise does not."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root ignores permissions, and there is no setpriv to give that up")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def refusal(shown: subprocess.CompletedProcess[bytes]) -> str:
    """The only line on standard error of a command that ended with 1 and printed nothing."""
    text = shown.stderr.decode()
    assert (shown.returncode, shown.stdout) == (1, b""), text
    assert text.startswith("football: "), text
    assert text.count("\n") == 1, text
    return text.strip()


@cache
def _own_mounts() -> tuple[str, ...]:
    for command in (("unshare", "-m"), ("unshare", "-rm")):
        if shutil.which("unshare") is not None:
            mount = [*command, "mount", "-t", "tmpfs", "none", "/mnt"]
            if subprocess.run(mount, capture_output=True).returncode == 0:
                return command
    pytest.skip("this machine lets nobody mount a disk")


def _environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("FOOTBALL_", "DAGSTER_"))
    }
    return {**kept, "FOOTBALL_HOME": str(home), **more}
