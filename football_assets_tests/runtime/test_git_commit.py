"""The commit of a clone, described without the package's environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from football_assets.runtime import git_commit
from football_assets.runtime.git_commit import describe_commit
from football_assets_tests.builders.clones import git, make_clone


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_clone(tmp_path / "clone", monkeypatch)


def test_a_clone_has_its_commit_and_says_whether_files_differ_from_it(clone: Path) -> None:
    commit = git(clone, "rev-parse", "HEAD")
    assert len(commit) == 40

    assert describe_commit(clone) == commit
    (clone / "file").write_text("2")
    assert describe_commit(clone) == f"{commit}-dirty"


def test_without_a_clone_or_git_the_commit_is_not_known(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("GIT_CEILING_DIRECTORIES", str(clone.parent.parent))
        assert describe_commit(clone.parent) is None
    monkeypatch.setenv("PATH", str(clone))
    assert describe_commit(clone) is None


def test_the_file_runs_by_its_path_without_any_package(clone: Path) -> None:
    folder = clone / "football_assets" / "runtime"
    folder.mkdir(parents=True)
    (folder / "http.py").write_text("raise SystemExit('a module beside it was imported')\n")
    (folder / "git_commit.py").write_text(Path(git_commit.__file__).read_text())

    # Without site-packages, as before `make install`.
    command = [sys.executable, "-I", "-S", str(folder / "git_commit.py")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (shown.stdout, shown.stderr) == (git(clone, "rev-parse", "HEAD"), "")
