"""The commit of a clone, and what replaces it elsewhere."""

import subprocess
from pathlib import Path

import pytest

from football_assets.runtime import code_commit as module
from football_assets.runtime.code_commit import code_commit
from football_assets.settings import Settings


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a commit and a tag, from which the package seems to run."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    (folder / "file").write_text("1")
    git(folder, "init", "--quiet")
    git(folder, "add", "file")
    author = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    git(folder, *author, "commit", "--quiet", "--message", "first")
    git(folder, "tag", "v9")
    monkeypatch.setattr(module, "is_checkout", lambda: True)
    monkeypatch.setattr(module, "project_root", lambda: folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_clone_has_its_commit_and_says_whether_files_differ_from_it(clone: Path) -> None:
    commit = git(clone, "rev-parse", "HEAD")
    assert len(commit) == 40

    assert code_commit(Settings()) == commit
    (clone / "file").write_text("2")
    assert code_commit(Settings()) == f"{commit}-dirty"


def test_the_setting_comes_first(clone: Path) -> None:
    assert code_commit(Settings(commit="0123abc")) == "0123abc"


def test_without_a_clone_or_git_the_commit_is_not_known(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "is_checkout", lambda: False)
        assert code_commit(Settings()) is None
    with monkeypatch.context() as patch:
        patch.setattr(module, "project_root", lambda: clone.parent)
        patch.setenv("GIT_CEILING_DIRECTORIES", str(clone.parent.parent))
        assert code_commit(Settings()) is None
    monkeypatch.setenv("PATH", str(clone))
    assert code_commit(Settings()) is None
