"""`football predict`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets_tests.builders.command_states import run_football


def test_a_forecast_without_a_model_is_refused(refused: Callable[..., str]) -> None:
    assert "materialize" in refused("predict", "eng.1", "Arsenal", "Chelsea")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_forecast_is_printed_in_any_encoding(forecast_home: Path, encoding: str) -> None:
    shown = run_football(
        "predict", "eng.1", "Arsenal", "Chelsea", home=forecast_home, PYTHONIOENCODING=encoding
    )

    assert (shown.returncode, shown.stderr) == (0, b"")
    lines = shown.stdout.decode(encoding).splitlines()
    (row,) = [line for line in lines if "Arsenal" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:4] == ["eng.1", "Arsenal", "Chelsea"]
    assert cells[9] == "results"
    assert cells[7].split(" - ")[0].replace(".", "").isdigit()
    assert {len(line) for line in lines if line.startswith(("|", "+"))} == {len(row)}


@pytest.mark.parametrize(
    ("odds", "words"),
    [
        (
            ("2", "3", "10"),
            "1/2 + 1/3 + 1/10 is 0.933; for the odds of one match that sum is between 0.97 and 1.35.",
        ),
        (("1", "3.4", "3.6"), "decimal odds are greater than 1 and at most 2000; those of home are 1."),
        (("evens", "3.4", "3.6"), "'evens' is not a valid float."),
        (("2.1", "3.4"), "Option '--odds' requires 3 arguments."),
    ],
)
def test_odds_that_are_wrong_are_refused_in_one_line(
    forecast_home: Path, odds: tuple[str, ...], words: str
) -> None:
    shown = run_football("predict", "eng.1", "Arsenal", "Chelsea", "--odds", *odds, home=forecast_home)

    assert (shown.returncode, shown.stdout) == (2, b"")
    last = shown.stderr.decode().splitlines()[-1]
    assert last.startswith("Error: ")
    assert last.endswith(words)
    assert "Traceback" not in shown.stderr.decode()


def test_a_forecast_with_odds_says_whether_it_uses_them(forecast_home: Path) -> None:
    shown = run_football(
        "predict", "eng.1", "Arsenal", "Chelsea", "--odds", "2.1", "3.4", "3.6", home=forecast_home
    )

    assert shown.returncode == 0
    assert "inputs" in shown.stdout.decode()
