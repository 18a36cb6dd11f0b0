"""`python -I football_assets/runtime/git_commit.py`: print the commit of the clone that the file is in.

The Makefile runs the file by its path before the environment is installed, so it imports the standard library alone.
`-I` keeps the modules beside it from replacing those of the standard library.
"""

from __future__ import annotations  # build hosts may have a Python before 3.10

import subprocess
import sys
from pathlib import Path

_SECONDS = 10


def describe_commit(folder: Path) -> str | None:
    """Return the commit that is checked out in a clone, with `-dirty` if files differ from it.

    Returns
    -------
    str or None
        None: the folder is no clone, or git is not installed or does not answer.
    """
    command = ["git", "--no-optional-locks", "-C", str(folder), "describe"]
    command += ["--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):  # git is not installed, or the clone is on a slow disk
        return None
    return result.stdout.strip() or None if result.returncode == 0 else None


if __name__ == "__main__":
    sys.stdout.write(describe_commit(Path(__file__).resolve().parent) or "")
