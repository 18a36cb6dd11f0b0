"""The navigation of zensical.toml and the pins of the site builder."""

import re
from pathlib import Path

from football_assets_tests.site.navigation import compare_navigation, navigation_pages
from football_assets_tests.site.pages import Pages

ROOT = Path(__file__).parents[2]


def test_the_navigation_has_every_page_once(pages: Pages) -> None:
    assert compare_navigation(navigation_pages(ROOT), pages.texts) == []


def test_a_page_that_is_missing_in_the_navigation_or_on_the_disk_is_reported() -> None:
    found = compare_navigation(
        ["index.md", "gone.md", "a.md", "a.md"], ["index.md", "a.md", "new.md", "source/x.py.md"]
    )

    assert found == [
        "zensical.toml: nav lacks new.md",
        "zensical.toml: nav names gone.md, which does not exist",
        "zensical.toml: nav names a.md twice",
    ]


def test_sections_of_the_navigation_are_read_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "zensical.toml").write_text(
        '[project]\nnav = ["index.md", {"A" = ["a/index.md", {"B" = [{"C" = "a/c.md"}]}]}]\n',
        encoding="utf-8",
    )

    assert navigation_pages(tmp_path) == ["index.md", "a/index.md", "a/c.md"]


def test_the_site_builder_and_all_that_it_requires_are_pinned_and_no_pin_names_a_place() -> None:
    lines = (ROOT / "docs" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9.]+", pin) for pin in pins)
    assert {"zensical", "pathspec"} <= {pin.partition("==")[0] for pin in pins}
