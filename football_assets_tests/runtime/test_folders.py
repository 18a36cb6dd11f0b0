"""A walk through a folder ends at its end, whatever others remove from it."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from football_assets.runtime.folders import entries_in


def names(path: Path) -> list[str]:
    return sorted(str(entry.relative_to(path)) for entry, _ in entries_in(path))


def test_a_folder_has_itself_and_all_that_is_in_it_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("12345")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other").write_text("x")
    (folder / "link").symlink_to(tmp_path / "elsewhere")

    assert names(folder) == [".", "deep", "deep/file", "link"]
    assert dict(entries_in(folder))[folder / "deep" / "file"].st_size == 5
    assert names(folder / "deep" / "file") == ["."]
    assert [entry for entry, _ in entries_in(folder / "link")] == [folder / "link"]


def test_what_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert names(tmp_path / "missing") == []


def test_a_folder_that_is_removed_between_its_listing_and_its_reading_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = tmp_path / "removed"
    (removed / "deep").mkdir(parents=True)
    (tmp_path / "stays").mkdir()
    real = os.scandir

    def scandir(path: Any) -> Any:
        if not isinstance(path, int) and Path(path) == removed and removed.exists():
            shutil.rmtree(removed)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert names(tmp_path) == [".", "stays"]
