"""The commit of the code: the setting, else that of the clone."""

from pathlib import Path

import pytest

from football_assets.runtime import code_commit as module
from football_assets.runtime.code_commit import code_commit
from football_assets.settings import Settings
from football_assets_tests.builders.clones import git, make_clone


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository from which the package seems to run."""
    folder = make_clone(tmp_path / "clone", monkeypatch)
    monkeypatch.setattr(module, "is_checkout", lambda: True)
    monkeypatch.setattr(module, "project_root", lambda: folder)
    return folder


def test_code_of_a_clone_has_its_commit(clone: Path) -> None:
    commit = git(clone, "rev-parse", "HEAD")

    assert code_commit(Settings()) == commit
    (clone / "file").write_text("2")
    assert code_commit(Settings()) == f"{commit}-dirty"


def test_the_setting_comes_first(clone: Path) -> None:
    assert code_commit(Settings(commit="0123abc")) == "0123abc"


def test_an_installed_package_without_the_setting_has_none(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_checkout", lambda: False)

    assert code_commit(Settings()) is None
