"""Small git repositories."""

import subprocess
from pathlib import Path

import pytest


def make_clone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with a commit and a tag, and let no variable of the environment name another."""
    folder.mkdir()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    (folder / "file").write_text("1")
    git(folder, "init", "--quiet")
    git(folder, "add", "file")
    author = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    git(folder, *author, "commit", "--quiet", "--message", "first")
    git(folder, "tag", "v9")
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; returns its output."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
