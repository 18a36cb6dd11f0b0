"""Pages of source files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets_tests.site.pages import PageError, Pages

MakeProject = Callable[[dict[str, str]], Path]
FILES = {
    "a/b.py": "x = 1\ny = 2\n",
    "a/c/d.sql": "select 1\n",
    ".env.example": "# A=1\n",
    ".gitignore": "secret\n",
}


def test_a_link_to_a_file_has_a_page_with_its_text_and_an_anchor_of_the_line(
    make_project: MakeProject, tmp_path: Path
) -> None:
    pages = Pages(make_project(FILES))

    link = pages.source("how-to/x.md", "a/b.py", 2)
    pages.write(tmp_path / "out")

    assert link == "../source/a/b.py.md#__span-0-2"
    text = (tmp_path / "out" / "source" / "a" / "b.py.md").read_text()
    assert '{ .python linenums="1" }\nx = 1\ny = 2\n~~~~' in text
    assert "exclude: true" in text


def test_a_link_to_a_folder_has_a_page_of_its_files_and_each_of_them_a_page(
    make_project: MakeProject, tmp_path: Path
) -> None:
    pages = Pages(make_project(FILES))

    link = pages.source("index.md", "a/")
    pages.write(tmp_path / "out")

    out = tmp_path / "out" / "source"
    assert link == "source/a/index.md"
    assert "- [`b.py`](b.py.md)\n- [`c/`](c/index.md)\n" in (out / "a" / "index.md").read_text()
    assert "- [`d.sql`](d.sql.md)\n" in (out / "a" / "c" / "index.md").read_text()
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.md")} == {
        *("a/index.md", "a/b.py.md", "a/c/index.md", "a/c/d.sql.md"),
    }


def test_a_name_that_begins_with_a_dot_has_a_page_that_the_site_builder_reads(
    make_project: MakeProject,
) -> None:
    assert Pages(make_project(FILES)).source("index.md", ".env.example") == "source/dot-env.example.md"


@pytest.mark.parametrize("path", ["a/missing.py", "secret", "/etc/passwd"])
def test_a_link_to_what_git_does_not_know_is_an_error(make_project: MakeProject, path: str) -> None:
    root = make_project({**FILES, "secret": "hunter2"})

    with pytest.raises(PageError, match=f"how-to/x.md links to {path}, which is no file of the project"):
        Pages(root).source("how-to/x.md", path)


@pytest.mark.parametrize(
    ("repository", "link"),
    [
        ("https://github.com/owner/name", "https://github.com/owner/name/blob/v1/a/b.py"),
        ("https://gitlab.example/owner/name/", "https://gitlab.example/owner/name/-/blob/v1/a/b.py"),
    ],
)
def test_a_page_of_a_file_links_to_the_repository_if_it_is_known(
    make_project: MakeProject, tmp_path: Path, repository: str, link: str
) -> None:
    pages = Pages(make_project(FILES), repository, "v1")
    pages.source("index.md", "a/b.py")
    pages.write(tmp_path / "out")

    assert f"[In the repository]({link})" in (tmp_path / "out" / "source" / "a" / "b.py.md").read_text()


def test_two_pages_of_one_path_are_an_error(make_project: MakeProject) -> None:
    pages = Pages(make_project(FILES))
    pages.add("index.md", "one")

    with pytest.raises(PageError, match="Two pages are named index.md"):
        pages.add("index.md", "two")
