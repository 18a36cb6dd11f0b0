"""Lines that the command line prints about runs and long computations."""

import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from football_assets.cli import progress as progress_module
from football_assets.cli.progress import RunProgress, WorkProgress
from football_assets.orchestration.in_process_runs import (
    AssetFinished,
    CheckFinished,
    RunSummary,
    StepStarted,
)

HOSTILE = "[bold]1. FC[/bold]"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the time of `progress` pass by so many seconds."""
    now = [100.0]

    def passes(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return passes


def test_each_part_of_long_work_has_a_line_with_its_time_when_the_next_begins(
    clock: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with WorkProgress() as progress:
        progress("walking", 0, 2)
        clock(1.5)
        progress("walking", 2, 2)
        clock(1)
        progress(HOSTILE, 0, 1)
        assert capsys.readouterr().err == "✓ walking                     2.5 s\n"
        progress.say(HOSTILE)
        clock(61)

    shown = capsys.readouterr()
    assert shown.err.splitlines() == [HOSTILE, f"✓ {HOSTILE:<24}   61.0 s"]
    assert shown.out == ""


@pytest.fixture
def said() -> Iterator[Callable[..., list[str]]]:
    """What a run's progress prints about some events."""
    stream = io.StringIO()
    with RunProgress(stream) as progress:

        def say(*events: StepStarted | AssetFinished | CheckFinished | RunSummary) -> list[str]:
            for event in events:
                progress.summary(event) if isinstance(event, RunSummary) else progress(event)
            return stream.getvalue().splitlines()

        yield say


def test_a_finished_asset_has_a_line_with_its_time_and_its_partitions(said: Callable[..., list[str]]) -> None:
    assert said(
        StepStarted("raw_matches"),
        AssetFinished("raw_matches", 5, 12.34),
        AssetFinished("team_form", 1, 2.0),
        AssetFinished("onnx_model", 0, 7.06),
    ) == [
        "✓ raw_matches                12.3 s  5 countries",
        "✓ team_form                   2.0 s  1 country",
        "✓ onnx_model                  7.1 s",
    ]


def test_only_checks_that_do_not_pass_have_a_line(said: Callable[..., list[str]]) -> None:
    assert said(
        CheckFinished("raw_matches", "no_future", passed=True, is_warning=False),
        CheckFinished("raw_matches", "not_stale", passed=False, is_warning=True),
        CheckFinished("stg_matches", "unique", passed=False, is_warning=False),
    ) == ["! raw_matches: check not_stale warning", "! stg_matches: check unique failed"]


def test_the_last_line_counts_assets_and_the_checks_that_passed(said: Callable[..., list[str]]) -> None:
    checks = tuple(CheckFinished("a", str(number), number < 2, False) for number in range(5))

    assert said(RunSummary("4f2a", ("a", "b", "c"), checks, 61.26)) == [
        "3 assets in 61.3 s, 2 of 5 checks passed. Run 4f2a in `football up`."
    ]


def test_the_last_line_of_a_run_of_one_asset_is_singular(said: Callable[..., list[str]]) -> None:
    assert said(RunSummary("4f2a", ("a",), (), 2.0)) == [
        "1 asset in 2.0 s, 0 of 0 checks passed. Run 4f2a in `football up`."
    ]


def test_a_failed_check_is_described_with_its_three_most_frequent_reasons(
    said: Callable[..., list[str]],
) -> None:
    reasons = ((HOSTILE, 1234), ("two\nlines", 56), ("third", 3), ("fourth", 2))
    check = CheckFinished("raw_matches", "readable", False, True, "Files that cannot be read: 4.", reasons)

    assert said(check) == [
        "! raw_matches: check readable warning: Files that cannot be read: 4.",
        f"    1,234 × {HOSTILE}",
        "       56 × two lines",
        "        3 × third",
    ]
