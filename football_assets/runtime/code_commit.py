"""The commit of the code that runs."""

import subprocess

from football_assets.runtime.home import is_checkout, project_root
from football_assets.settings import Settings

_SECONDS = 10


def code_commit(settings: Settings) -> str | None:
    """Return the commit of the code; None for an installed package without FOOTBALL_COMMIT.

    In a clone with changes that are not committed it ends with `-dirty`.
    """
    if settings.commit is not None:
        return settings.commit
    if not is_checkout():
        return None
    command = ["git", "--no-optional-locks", "-C", str(project_root()), "describe"]
    command += ["--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):  # git is not installed, or the clone is on a slow disk
        return None
    return result.stdout.strip() or None if result.returncode == 0 else None
