"""Weights & Biases: off unless asked for, and a real run folder when asked for offline."""

import time
from pathlib import Path

import pytest

from football_assets.settings import Settings
from football_assets.training.config import TrainingConfig
from football_assets.training.tracking import is_tracking_on, track


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "FOOTBALL_WANDB_PROJECT", "FOOTBALL_WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)


def settings_at(home: Path, project: str | None) -> Settings:
    return Settings(home=home, wandb_project=project)


def test_tracking_is_off_by_default_and_leaves_nothing(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, None)

    assert not is_tracking_on(settings)
    with track(settings, TrainingConfig(), "run-1") as log:
        log({"loss": 1.0})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("project", "environment", "on"),
    [
        ("football", {}, False),
        ("football", {"WANDB_MODE": "disabled"}, False),
        ("football", {"WANDB_API_KEY": ""}, False),
        (None, {"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, False),
        ("football", {"WANDB_API_KEY": "k"}, True),
        ("football", {"WANDB_MODE": "offline"}, True),
    ],
)
def test_tracking_needs_a_project_and_a_key_or_the_offline_mode(
    project: str | None,
    environment: dict[str, str],
    on: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert is_tracking_on(settings_at(tmp_path, project)) is on


def test_an_offline_run_is_kept_on_disk_with_its_configuration_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")

    with track(settings_at(tmp_path, "football"), TrainingConfig(seed=11), "dagster-run-7") as log:
        log({"validation_log_loss": 1.01})
        log({"validation_log_loss": 0.99})

    (folder,) = (tmp_path / "scratch" / "wandb" / "wandb").glob("offline-run-*")
    (record,) = folder.glob("run-*.wandb")
    # A process of W&B's own writes the record, and may still do so when the run has been finished.
    wanted = (b"football", b"dagster-run-7", b"validation_log_loss")
    deadline = time.monotonic() + 60
    while not all(text in record.read_bytes() for text in wanted) and time.monotonic() < deadline:
        time.sleep(0.05)
    content = record.read_bytes()
    for text in wanted:
        assert text in content
    assert (folder / "files").is_dir()
