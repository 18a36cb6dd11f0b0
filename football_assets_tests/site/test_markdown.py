"""Cells, tables and links in Markdown."""

import pytest

from football_assets_tests.site.markdown import cell, code, first_sentence, prose, relative, table


def test_a_cell_keeps_the_columns_of_the_table_and_the_text_as_it_is() -> None:
    assert cell("a | b\n  c <home> `<home>|x`") == "a \\| b c &lt;home> `<home>\\|x`"
    assert cell("`raw/**` and *all*") == "`raw/**` and \\*all\\*"
    assert code("a|b") == "`a\\|b`"


def test_a_table_has_a_row_for_each_item_and_no_row_of_another_width() -> None:
    assert table(["A", "B"], [["1", "2"]]) == "| A | B |\n| --- | --- |\n| 1 | 2 |\n"
    with pytest.raises(ValueError, match=r"\['1'\] has 1 cells; the header has 2"):
        table(["A", "B"], [["1"]])


def test_a_docstring_ends_before_its_first_section() -> None:
    assert (
        prose("Build it.\n\nFrom files.\n\nRaises\n------\nError\n    Always.\n")
        == "Build it.\n\nFrom files."
    )
    assert prose(None) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One row per match. The others\nfollow.", "One row per match."),
        ("Version 1.5 of `a.b`", "Version 1.5 of `a.b`"),
        ("It reads `eng.1`. `x` too.", "It reads `eng.1`."),
        (None, ""),
    ],
)
def test_a_first_sentence_ends_at_its_full_stop(text: str | None, sentence: str) -> None:
    assert first_sentence(text) == sentence


@pytest.mark.parametrize(
    ("page", "target", "anchor", "link"),
    [
        ("index.md", "how-to/gke.md", "", "how-to/gke.md"),
        ("how-to/gke.md", "index.md", "", "../index.md"),
        ("reference/assets/index.md", "reference/tables.md", "match_id", "../tables.md#match_id"),
    ],
)
def test_a_link_is_relative_to_the_folder_of_its_page(page: str, target: str, anchor: str, link: str) -> None:
    assert relative(page, target, anchor) == link
