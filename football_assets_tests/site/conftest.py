"""The pages of the project, collected once, and small projects with a git repository."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets.settings import Settings
from football_assets_tests.site.pages import Pages
from football_assets_tests.site.reference import collect

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def pages() -> Pages:
    """All pages of the site. Links to files that do not exist have failed by then."""
    return collect(ROOT, Settings())


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Makes a folder with files that git tracks, by their paths."""

    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
        return tmp_path

    return make
