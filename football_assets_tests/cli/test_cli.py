"""The root command: help, usage errors, `--home`, and output in every encoding or that nobody reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.runtime.home import project_root
from football_assets_tests.builders.command_states import (
    FOOTBALL,
    FULL,
    run_football,
)


def test_help_answers_without_loading_anything_large(tmp_path: Path) -> None:
    code = (
        "import sys; from football_assets.cli import main; code = main(['--help']);"
        "print(code, *(name for name in ('dagster', 'polars', 'pydantic', 'rich', 'torch') if name in sys.modules))"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    *text, last = shown.stdout.splitlines()
    assert last == "0"
    for command in (
        "demo",
        "land",
        "materialize",
        "backtest",
        "compare",
        "predict",
        "clubs",
        "models",
        "up",
        "serve",
    ):
        assert any(line.split()[:1] == [command] for line in text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["land"],
        ["predict", "eng.1", "Arsenal"],
        ["predict", "eng.1", "Arsenal", "Chelsea", "--date", "2015-02-30"],
        ["backtest", "--raw", ".", "--start", "2015-08-01"],
        ["backtest", "--raw", ".", "--out", "x.parquet", "--start", "2015-08-01", "--end", "2015-07-01"],
        ["backtest", "--start", "2015-08-01", "--out", "x.parquet"],
        ["backtest", "--raw", ".", "--start", "2015-08-01", "--out", "x.parquet", "--plot", "x.png"],
        ["compare", "--start", "2015-08-01"],
        ["compare", "--raw", ".", "--tensors", ".", "--start", "2015-08-01"],
        ["compare", "--raw", ".", "--start", "2015-08-01", "--end", "2015-07-01"],
        ["up", "--port", "70000"],
        ["models", "destroy"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "0"],
        ["serve", "--replicas", "0"],
        ["serve", "--replicas", "many"],
        ["serve", "production"],
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_hint(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["clubs", "--season", "2030-31"], 1, "No results of 2030-31 have landed. Seasons: 2015-16."),
        (["clubs", "--season", "lately"], 2, "'lately' is not a season: write it like 2015-16"),
        (["clubs", "--season", "2015-17"], 2, "'2015-17' is not a season"),
        (
            ["materialize", "--country", "eng", "--select", "nothing,raw_matches"],
            1,
            "The assets are: backtest",
        ),
        (["materialize", "--select", ""], 1, "The assets are: backtest"),
        (
            ["materialize", "--country", "eng", "--select", "trained_lstm"],
            1,
            "None of the selected assets is built by country: leave out --country.",
        ),
        (["materialize", "--select", ","], 1, "The assets are: backtest"),
        (["land", ""], 2, "the name is empty"),
        (["--home", "", "models"], 2, "the name is empty"),
        (["clubs", "--json", ""], 2, "the name is empty"),
        (["clubs", "--raw", "/nowhere/at/all"], 1, "There is no file or folder /nowhere/at/all"),
        (
            ["predict", "eng.1", "Arsenal", "Chelsea", "--date", "2015-02-30"],
            2,
            "'2015-02-30' does not match",
        ),
        (["models", "show", "-1"], 2, "No such option"),
    ],
)
def test_careless_arguments_are_told_what_is_wrong(
    home: Path, results: Path, arguments: list[str], code: int, words: str
) -> None:
    assert run_football("land", results, home=home).returncode == 0

    shown = run_football(*arguments, home=home)

    assert shown.returncode == code
    assert words in shown.stderr.decode()
    assert shown.stdout == b""


def test_the_console_script_turns_a_refusal_into_the_exit_code_of_the_process(home: Path) -> None:
    command = [sys.executable, "-m", "football_assets.cli", "models", "list"]

    shown = subprocess.run(command, cwd=project_root(), capture_output=True, text=True)

    assert (shown.returncode, shown.stdout) == (1, "")
    assert (
        shown.stderr
        == f"football: No model version is registered in {home}/bucket: run `football materialize`.\n"
    )


def test_home_is_accepted_before_and_after_the_command(results: Path, tmp_path: Path) -> None:
    assert main(["--home", str(tmp_path / "before"), "land", str(results)]) == 0
    assert main(["land", str(results), "--home", str(tmp_path / "after")]) == 0

    for name in ("before", "after"):
        assert (tmp_path / name / "bucket/raw/results/2015-16/eng.1.csv").is_file()


def test_output_that_nobody_reads_or_keeps_ends_without_a_traceback(forecast_home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    unread = run_football("models", home=forecast_home, stdout=writer)
    os.close(writer)
    with Path("/dev/full").open("wb") as full:
        lost = run_football("models", home=forecast_home, stdout=full)
    closed = subprocess.run(
        ["bash", "-c", '"$@" models >&- 2>&- <&-', "bash", *FOOTBALL],
        env={**os.environ, "FOOTBALL_HOME": str(forecast_home), "DAGSTER_HOME": ""},
    )

    assert (unread.returncode, unread.stderr) == (1, b"")
    assert lost.returncode == 1
    assert lost.stderr.decode().startswith(f"football: Standard output: {FULL}.")
    assert lost.stderr.count(b"\n") == 1
    assert closed.returncode == 0
