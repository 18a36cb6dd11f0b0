"""The search for the old dialect."""

from pathlib import Path

import pytest

from football_assets_tests.house.dialect import DIALECT, count_by_room, find_all, find_in_source, find_in_text
from football_assets_tests.house.sources import Source

EXAMPLES = (
    "The table is made again. It was made from the files. Of the others no more than the footer is read.",
    "A passing reason, tried again after growing pauses; what may pass. The how-manieth attempt.",
    "Whoever moves an alias. It has settled after a quiet window. A lever. Given histories are taken up.",
    "It was told, looked at, looked after and looks anew; refused and noted; it speaks of this, in vain.",
)


def phrases(text: str) -> set[str]:
    return {finding.phrase.lower() for finding in find_in_text("a.md", text)}


def test_the_dialect_is_found_in_prose() -> None:
    assert set().union(*map(phrases, EXAMPLES)) >= {
        "made again", "made from", "of the others no more than", "passing reason", "growing pauses", "what may pass",
        "how-manieth", "whoever", "has settled", "quiet window", "lever", "given histories", "taken up", "told",
        "looked at", "looked after", "anew", "refused", "noted", "speaks of", "in vain",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "The table is rebuilt. A transient error is retried with exponential backoff.",
        "Tests are passing. The clever leverage of a footnote. It makes a table and reads it again.",
        "The column `refused`, the function `told`.",
        "Take the first row. The update looks up a name. The annotated tolerance.",
    ],
)
def test_standard_words_and_parts_of_words_are_not_found(text: str) -> None:
    assert phrases(text) == set()


def test_a_phrase_is_found_across_line_breaks_at_the_line_where_it_begins() -> None:
    (finding,) = find_in_text("a.md", "One.\nThis is made\n    # again.\n", first_line=10)

    assert (finding.line, finding.phrase) == (11, "made again")
    assert str(finding) == f"a.md:11: 'made again': write {finding.term}"
    assert finding.term in DIALECT.values()


SOURCE = '''"""It was refused."""
# This was
# looked at.
x = "told"  # noted

def refuse(told):
    return f"made again {told}"
'''


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("serve/api.py", [(1, "refused"), (3, "looked at"), (4, "told"), (4, "noted"), (7, "made again")]),
        ("football_assets_tests/serve/test_api.py", [(1, "refused"), (3, "looked at"), (4, "noted")]),
    ],
)
def test_comments_docstrings_and_the_products_strings_are_searched_and_names_are_not(
    path: str, found: list[tuple[int, str]]
) -> None:
    findings = {(finding.line, finding.phrase) for finding in find_in_source(Source(path, SOURCE))}

    # An f-string is searched whole: the name in its braces counts as text.
    assert findings - {(7, "told")} == set(found)


def test_documents_are_searched_and_rooms_are_counted(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("It was refused and refused.")
    (tmp_path / "docs" / "speed.md").write_text("A lever.")
    (tmp_path / "CHANGELOG.md").write_text("Not: a lever.")

    findings = find_all(
        tmp_path, [Source("football_assets/raw/sync/a.py", "# told"), Source("serve/a.py", "# told")]
    )

    assert count_by_room(findings) == {"README.md": 2, "docs": 1, "football_assets/raw": 1, "serve": 1}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Dockerfile", "# Told\nUSER a\n"),
        ("Makefile", "lint: ## told\n"),
        (".ci/run", "# It is told.\n"),
        (".github/workflows/ci.yml", "name: told\n"),
        ("dbt_features/models/a.sql", "-- one row, told\n"),
        ("dbt_features/models/a.yml", "description: told\n"),
        ("docs/decisions/a.md", "It was told."),
        ("serve/config.yaml", "version: a  # told\n"),
        ("deploy/base/a.yaml", "# told\n"),
        ("serve/monitoring/alerts.yml", "description: told\n"),
        ("serve/monitoring/dashboard.json", '{"title": "told"}'),
        ("serve/page/index.html", "<p>told</p>"),
        ("serve/page/page.js", "// told\n"),
    ],
)
def test_texts_outside_of_python_files_are_searched(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)

    (finding,) = find_all(tmp_path, [])

    assert (finding.path, finding.phrase.lower(), finding.line) == (name, "told", 1)


@pytest.mark.parametrize("mark", ["#", "//", "--", " *"])
def test_a_phrase_is_found_across_lines_of_a_comment_in_every_language(mark: str) -> None:
    (finding,) = find_in_text("a", f"{mark} It is made\n{mark} again.\n")

    assert finding.phrase == "made again"


def test_the_name_of_a_stored_column_is_no_prose_where_it_is_defined_only() -> None:
    text = 'COLUMN = "refused"  # a refused row\n'
    path = "football_assets/raw/formats/footballcsv.py"

    assert [finding.line for finding in find_in_source(Source(path, text))] == [1]
    assert len(list(find_in_source(Source("football_assets/raw/rules.py", text)))) == 2
