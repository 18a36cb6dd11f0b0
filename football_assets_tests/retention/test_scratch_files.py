"""Scratch goes by the time that anything of it was last written; the spool never does."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from football_assets.retention.scratch_files import KEPT_SCRATCH, SPOOL, removable_scratch
from football_assets_tests.builders.retention_worlds import NOW, age
from serve import service
from serve.metrics_folder import METRICS


def removable(scratch: Path, needed: set[int] | None = frozenset()) -> dict[str, int]:  # type: ignore[assignment]
    found = removable_scratch(scratch, 48, NOW, lambda name: ["current"], needed)
    return {item.name: item.bytes for item in found}


def write(path: Path, days: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("12345")
    age(path.parent, days)


def test_a_folder_is_as_old_as_the_newest_of_its_files(tmp_path: Path) -> None:
    write(tmp_path / "old-1" / "deep" / "file", 3)
    age(tmp_path / "old-1", 3)
    write(tmp_path / "new-1" / "deep" / "file", 3)
    (tmp_path / "new-1" / "other").write_text("x")
    age(tmp_path / "new-1" / "other", 1)

    assert removable(tmp_path) == {"old-1": 5}


def test_what_is_written_meanwhile_stays(tmp_path: Path) -> None:
    write(tmp_path / "dbt-1" / "file", 3)
    (item,) = removable_scratch(tmp_path, 48, NOW, lambda name: [], set())

    (tmp_path / "dbt-1" / "more").write_text("x")

    assert not item.remove()
    assert (tmp_path / "dbt-1" / "file").exists()


def test_a_folder_that_a_running_step_removes_meanwhile_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "dbt-1" / "target" / "file", 3)
    write(tmp_path / "old-1" / "file", 3)
    age(tmp_path / "old-1", 3)
    real, target = os.scandir, tmp_path / "dbt-1" / "target"

    def scandir(path: Any) -> Any:
        if not isinstance(path, int) and Path(path) == target and target.exists():
            shutil.rmtree(target)
            (tmp_path / "dbt-1" / "log").write_text("x")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert removable(tmp_path)["old-1"] == 5


def test_all_copies_of_versions_stay_where_it_is_not_known_which_are_needed(tmp_path: Path) -> None:
    write(tmp_path / "registry" / "7-abc" / "model.onnx", 3)
    write(tmp_path / "models" / "registry" / "8-abc" / "model.onnx", 3)

    assert removable(tmp_path, None) == {}
    assert removable(tmp_path, {8}) == {"registry/7-abc": 5}
    assert removable(tmp_path, {7, 8}) == {}


def test_the_folders_of_serving_are_those_that_are_kept() -> None:
    assert service.SPOOL == SPOOL
    assert {service.SPOOL, METRICS} <= KEPT_SCRATCH
    assert service.MODELS not in KEPT_SCRATCH


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert removable(tmp_path / "missing") == {}
