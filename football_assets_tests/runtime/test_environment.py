"""Variables that are set for a block are what they were before it, also if it fails."""

import os

import pytest

from football_assets.runtime.environment import environment


def test_variables_are_restored_or_removed_after_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARLIER", "before")
    monkeypatch.delenv("ABSENT", raising=False)

    def fail() -> None:
        with environment({"EARLIER": "within", "ABSENT": "within"}):
            assert (os.environ["EARLIER"], os.environ["ABSENT"]) == ("within", "within")
            del os.environ["ABSENT"]  # as a block may
            raise ValueError("It fails.")

    with pytest.raises(ValueError, match="fails"):
        fail()

    assert os.environ["EARLIER"] == "before"
    assert "ABSENT" not in os.environ
