"""The navigation of `zensical.toml`, compared with the pages."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from football_assets_tests.site.pages import SOURCES

CONFIGURATION = "zensical.toml"


def navigation_pages(root: Path) -> list[str]:
    """Return the pages that the navigation names, in order."""
    configuration = tomllib.loads((root / CONFIGURATION).read_text(encoding="utf-8"))
    return list(_pages_of(configuration["project"]["nav"]))


def compare_navigation(named: list[str], pages: Iterable[str]) -> list[str]:
    """Return a sentence for each page that the navigation lacks, names twice, or names and does not exist.

    Pages of source files are reached from the pages that link to them and are not in the navigation.
    """
    existing = {page for page in pages if not page.startswith(f"{SOURCES}/")}
    return [
        *(f"{CONFIGURATION}: nav lacks {page}" for page in sorted(existing - set(named))),
        *(
            f"{CONFIGURATION}: nav names {page}, which does not exist"
            for page in sorted(set(named) - existing)
        ),
        *(f"{CONFIGURATION}: nav names {page} twice" for page in sorted(set(named)) if named.count(page) > 1),
    ]


def _pages_of(entries: Any) -> Iterator[str]:
    if isinstance(entries, str):
        yield entries
        return
    for entry in entries.values() if isinstance(entries, dict) else entries:
        yield from _pages_of(entry)
