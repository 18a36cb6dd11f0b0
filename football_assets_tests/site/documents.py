"""The hand-written pages: `docs/` and the documents at the top of the project, with links to source files rewritten."""

import posixpath
import re
import shutil
from pathlib import Path

from football_assets_tests.site.markdown import relative
from football_assets_tests.site.pages import PageError, Pages

DOCS = "docs"
# Documents elsewhere that are pages of the site.
TOP = {"CONTRIBUTING.md": "contributing/index.md", "CHANGELOG.md": "contributing/changelog.md"}

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}).*?^(?P=indent)(?P=fence)[`~]*\s*$", re.M | re.S)
_LINK = re.compile(r"(?P<head>\]\()(?!\w+:|#)(?P<target>[^)#\s]+)(?:#(?P<anchor>[^)\s]*))?(?P<tail>\))")


def add_documents(pages: Pages) -> None:
    """Add every Markdown file below `docs/`, and the documents of `TOP`."""
    for path in sorted((pages.root / DOCS).rglob("*.md")):
        document = path.relative_to(pages.root).as_posix()
        add_document(pages, document, document.removeprefix(f"{DOCS}/"))
    for document, page in TOP.items():
        add_document(pages, document, page)


def add_document(pages: Pages, document: str, page: str) -> None:
    """Add a document of the project as a page.

    A link to another document becomes a link to its page, a link to another file of the project one to the page of its
    source. Fenced code is not changed.
    """
    text = (pages.root / document).read_text(encoding="utf-8")

    def rewrite(match: re.Match[str]) -> str:
        link = _site_link(pages, document, page, match["target"], match["anchor"] or "")
        return match["head"] + link + match["tail"]

    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [_LINK.sub(rewrite, text[end : fence.start()]), fence.group()]
        end = fence.end()
    pages.add(page, "".join([*parts, _LINK.sub(rewrite, text[end:])]))


def copy_other_files(pages: Pages, folder: Path) -> None:
    """Copy pictures and style sheets of `docs/` to the folder of the pages."""
    for path in (pages.root / DOCS).rglob("*"):
        if path.is_file() and path.suffix in {".css", ".png", ".svg"}:
            target = folder / path.relative_to(pages.root / DOCS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _site_link(pages: Pages, document: str, page: str, target: str, anchor: str) -> str:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(document), target))
    if path in TOP:
        return relative(page, TOP[path], anchor)
    if path.startswith(f"{DOCS}/"):
        return relative(page, path.removeprefix(f"{DOCS}/"), anchor)  # generated pages are not in `docs/`
    if path == "README.md":
        raise PageError(f"{document} links to README.md: link to the page of the site that has the subject.")
    return pages.source(page, path)
