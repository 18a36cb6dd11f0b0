"""The examples of `docs/how-to/python-client.md` run as they are, against the API on a port."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "python-client.md"


def test_the_examples_of_the_page_run_and_print_what_it_says(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOOTBALL_API_KEY", raising=False)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    code = "\n".join(blocks)
    assert code.count("http://127.0.0.1:8000") == 1
    names: dict[str, Any] = {}
    printed = io.StringIO()

    with contextlib.redirect_stdout(printed):
        exec(compile(code.replace("http://127.0.0.1:8000", server_url), PAGE, "exec"), names)

    lines = printed.getvalue().splitlines()
    assert len(lines) == 10, (
        "three of a match, one of an error, two of a batch, three fixtures, one of histories"
    )
    assert sum(names["forecast"]["probabilities"].values()) == pytest.approx(1)
    assert names["forecast"]["fixture"]["home_team"] == "Arsenal"
    assert lines[3].startswith("404 ")
    assert "Arsenal" in names["problem"]["suggestions"]
    assert re.fullmatch(r"Arsenal - 0\.\d+", lines[4])
    assert re.fullmatch(r"Barcelona - .*Nowhere FC.*", lines[5])
    assert [match["league"] for match in names["listed"]["fixtures"]] == ["eng.1"] * 3
    assert set(names["answer"].json()["probabilities"]) == {"home", "draw", "away"}
