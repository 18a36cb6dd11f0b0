"""`football train`: the network alone, where the command says."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from football_assets.cli import main, train
from football_assets.settings import Settings


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, str | None]]:
    """Selection, configuration and FOOTBALL_VERTEX_JOB of each run, of which none is started."""
    found: list[tuple[str, Any, str | None]] = []

    def run_graph(settings: Settings, selection: str, run_config: Mapping[str, object] | None = None) -> None:
        found.append((selection, run_config, os.environ.get("FOOTBALL_VERTEX_JOB")))

    monkeypatch.setattr(train, "run_graph", run_graph)
    return found


def test_vertex_without_a_job_is_refused(refused: Callable[..., str]) -> None:
    assert "--on vertex needs FOOTBALL_VERTEX_JOB" in refused("train", "--on", "vertex")


@pytest.mark.parametrize(
    ("arguments", "job"), [([], "job.yaml"), (["--on", "vertex"], "job.yaml"), (["--on", "here"], None)]
)
def test_the_job_is_used_unless_the_training_is_to_be_here(
    ran: list[tuple[str, Any, str | None]],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    job: str | None,
) -> None:
    monkeypatch.setenv("FOOTBALL_VERTEX_JOB", "job.yaml")
    (home.parent / "run.yaml").write_text("ops: {trained_lstm: {config: {epochs: 2}}}")

    assert main(["train", *arguments, "--config", str(home.parent / "run.yaml")]) == 0

    assert ran == [("trained_lstm", {"ops": {"trained_lstm": {"config": {"epochs": 2}}}}, job)]
