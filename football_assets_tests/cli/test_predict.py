"""`football predict`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets_tests.builders.command_states import run_football


def test_a_forecast_without_a_model_is_refused(refused: Callable[..., str]) -> None:
    assert "materialise" in refused("predict", "eng.1", "Arsenal", "Chelsea")


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
    assert cells[7].split(" - ")[0].replace(".", "").isdigit()
    assert {len(line) for line in lines if line.startswith(("|", "+"))} == {len(row)}
