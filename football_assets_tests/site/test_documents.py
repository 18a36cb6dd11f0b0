"""The hand-written pages and their links."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets_tests.site.documents import add_documents, copy_other_files
from football_assets_tests.site.pages import PageError, Pages

MakeProject = Callable[[dict[str, str]], Path]
TOP = {
    "CONTRIBUTING.md": "[a page](docs/how-to/a.md#one)",
    "CHANGELOG.md": "# Changes",
    "README.md": "# Project",
}


def add(root: Path) -> dict[str, str]:
    pages = Pages(root)
    add_documents(pages)
    return pages.texts


def test_links_between_documents_and_to_files_become_links_between_pages(make_project: MakeProject) -> None:
    text = (
        "[b](../concepts/b.md#two) [file](../../deploy/x.yaml) [folder](../../deploy)\n"
        "[rules](../../CONTRIBUTING.md#rules) [here](#one) [there](https://example.org/a.md) ![p](../images/p.png)\n"
    )
    texts = add(
        make_project({**TOP, "docs/how-to/a.md": text, "docs/concepts/b.md": "", "deploy/x.yaml": ""})
    )

    assert texts["how-to/a.md"] == (
        "[b](../concepts/b.md#two) [file](../source/deploy/x.yaml.md) [folder](../source/deploy/index.md)\n"
        "[rules](../contributing/index.md#rules) [here](#one) [there](https://example.org/a.md) ![p](../images/p.png)\n"
    )
    assert texts["contributing/index.md"] == "[a page](../how-to/a.md#one)"


def test_fenced_code_is_not_changed(make_project: MakeProject) -> None:
    text = "[x](../x.py)\n\n  ```python\n  a[0](../x.py)\n  ```\n\n~~~\n[x](../x.py)\n~~~\n[x](../x.py)\n"
    texts = add(make_project({**TOP, "docs/a.md": text, "x.py": ""}))

    assert texts["a.md"] == (
        "[x](source/x.py.md)\n\n  ```python\n  a[0](../x.py)\n  ```\n\n~~~\n[x](../x.py)\n~~~\n[x](source/x.py.md)\n"
    )


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("../../README.md", "docs/how-to/a.md links to README.md"),
        ("../../football/x.py", "how-to/a.md links to football/x.py, which is no file"),
    ],
)
def test_a_link_that_no_page_can_answer_is_an_error(
    make_project: MakeProject, link: str, message: str
) -> None:
    with pytest.raises(PageError, match=message):
        add(make_project({**TOP, "docs/how-to/a.md": f"[x]({link})"}))


def test_pictures_and_style_sheets_are_copied_and_requirements_are_not(
    make_project: MakeProject, tmp_path: Path
) -> None:
    root = make_project(
        {"docs/images/p.png": "p", "docs/s.css": "s", "docs/requirements.txt": "r", "docs/a.md": "a"}
    )

    copy_other_files(Pages(root), tmp_path / "out")

    out = tmp_path / "out"
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == {
        "images/p.png",
        "s.css",
    }
