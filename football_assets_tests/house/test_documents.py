"""The contributor files agree with the code: variables, links and paths."""

import json
import re
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from football_assets.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md"))
    if path.name != "CHANGELOG.md"
)
LINK = re.compile(r"\]\((?!https?:|#)(?P<target>[^)#\s]+)(#[^)]*)?\)")
PATH = re.compile(
    r"`(?P<path>(?:football_assets|football_assets_tests|serve|dbt_features|benchmarks|docs)/[\w./-]*)`"
)
GENERATED = ROOT / "docs" / "reference"
LEFT_OUT = "…<"  # a placeholder, not a path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_paths_of_a_document_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    folder = (ROOT / document).parent
    linked = {match["target"]: folder / match["target"] for match in LINK.finditer(text)}
    # `football_assets_tests/site` generates these pages and follows the links to them.
    linked = {name: path for name, path in linked.items() if not path.resolve().is_relative_to(GENERATED)}
    named = {match["path"]: ROOT / match["path"] for match in PATH.finditer(text)}

    assert [name for name, path in {**linked, **named}.items() if not path.exists()] == []


def test_the_example_environment_has_every_variable_with_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    listed = dict(line[2:].split("=", 1) for line in lines if line.startswith("# FOOTBALL_"))

    assert list(listed) == [f"FOOTBALL_{name.upper()}" for name in Settings.model_fields]
    for name, field in Settings.model_fields.items():
        value = listed[f"FOOTBALL_{name.upper()}"]
        if field.default is not None:  # else an example, or blank
            default = str(field.default)
            assert value == (default.lower() if isinstance(field.default, bool) else default), name
        assert not isinstance(field.default, SecretStr)


def test_templates_and_the_dev_container_can_be_parsed() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= set(form), path.name
            identifiers = [item["id"] for item in form["body"]]
            assert len(set(identifiers)) == len(identifiers), path.name
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["forwardPorts"] == [
        Settings.model_fields["port"].default,
        Settings.model_fields["serve_port"].default,
    ]


def test_every_decision_has_its_row_and_its_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "index.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in folder.glob("*.md") if path.name != "index.md")

    assert sorted(re.findall(r"\]\(([\w-]+\.md)\)", index)) == pages
    for page in pages:
        headings = re.findall(r"^## (.+)$", (folder / page).read_text(encoding="utf-8"), re.M)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives"], page


def test_the_glossary_is_sorted() -> None:
    text = (ROOT / "docs" / "concepts" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([^|]+?) \|", text, re.M)[2:]

    assert len(terms) > 30
    assert terms == sorted(terms, key=str.casefold)


def test_the_readme_is_short_and_links_to_pages_that_a_reader_of_the_repository_can_open() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 150
    assert "make demo" in text
    assert "make test" in text
    assert not [match["target"] for match in LINK.finditer(text) if "docs/reference/" in match["target"]]
