"""Write the pages of the site, or check the built site: `python -m football_assets_tests.site write|check`."""

import sys
import warnings
from pathlib import Path

from football_assets.settings import get_settings
from football_assets_tests.site.built_site import BuiltSite
from football_assets_tests.site.navigation import compare_navigation, navigation_pages
from football_assets_tests.site.pages import PageError
from football_assets_tests.site.questions import questions
from football_assets_tests.site.reference import FOLDER, collect, write

ROOT = Path(__file__).parents[2]
SITE = "site"  # `site_dir` of zensical.toml


def main(arguments: list[str]) -> int:
    """Run one of the two steps of `make docs`; return the exit code."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if arguments == ["write"]:
        try:
            count = write(collect(ROOT, get_settings()), ROOT / FOLDER)
        except PageError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"Wrote {count} pages to {FOLDER}.")
        return 0
    if arguments == ["check"]:
        problems = check(ROOT)
        for line in problems:
            print(line, file=sys.stderr)
        print(f"{SITE}/: {len(problems)} problems.")
        return 1 if problems else 0
    print("usage: python -m football_assets_tests.site write|check", file=sys.stderr)
    return 2


def check(root: Path) -> list[str]:
    """Return a sentence for each thing that is wrong with the navigation or with the built site."""
    pages = (path.relative_to(root / FOLDER).as_posix() for path in (root / FOLDER).rglob("*.md"))
    site = BuiltSite(root / SITE)
    return [
        *compare_navigation(navigation_pages(root), pages),
        *site.dead_links(),
        *site.requests_to_other_hosts(),
        *site.unreachable_pages(),
        *site.far_answers(questions(root / FOLDER)),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
