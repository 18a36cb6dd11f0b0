"""The API is compatible with that of the last release."""

import json
from pathlib import Path

import pytest

from football_assets_tests.ci import api_contract
from football_assets_tests.ci.api_changes import breaking_changes
from football_assets_tests.ci.api_contract import main, released_document
from serve.api import api_document


def test_no_client_of_the_last_release_is_broken() -> None:
    assert breaking_changes(released_document(), api_document()) == []


def test_a_broken_promise_fails_the_check_with_its_place_and_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    released = released_document()
    released["paths"]["/odds"] = released["paths"]["/model"]
    file = tmp_path / "released.json"
    file.write_text(json.dumps(released))
    monkeypatch.setattr(api_contract, "RELEASED", file)

    assert main(["check"]) == 1
    shown = capsys.readouterr().err
    assert "breaks clients: /odds: the path was removed" in shown
    assert "raise API_VERSION in serve/api.py" in shown


def test_the_document_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "build" / "openapi.json"

    assert main(["write", str(file)]) == 0
    assert json.loads(file.read_text()) == api_document()
    assert main(["check"]) == 0
    assert main(["print", str(file)]) == 2


def test_the_document_says_who_runs_it_where_and_what_each_group_of_routes_is_for() -> None:
    document = api_document()

    used = {
        tag for item in document["paths"].values() for operation in item.values() for tag in operation["tags"]
    }
    assert {tag["name"] for tag in document["tags"]} == used
    assert all(tag["description"] for tag in document["tags"])
    assert document["servers"]
    assert document["info"]["contact"]
    assert "production" in document["info"]["description"]
