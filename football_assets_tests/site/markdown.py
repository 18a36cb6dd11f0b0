"""Markdown from values: cells, tables, anchors and links between pages."""

import posixpath
import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+[^`]*`+)")
_SECTION = re.compile(r"^\s*\w[\w ]*\n\s*-{3,}\s*$", re.M)  # the heading of a numpydoc section


def escaped(text: str) -> str:
    """Escape the marks of HTML and of emphasis, except in inline code."""
    parts = _CODE.split(text)
    return "".join(
        part if index % 2 else re.sub(r"(?<!\w)\*|\*(?!\w)", r"\\*", part.replace("<", "&lt;"))
        for index, part in enumerate(parts)
    )


def cell(text: str) -> str:
    """Return text of one line for a cell of a table."""
    return escaped(" ".join(text.split())).replace("|", "\\|")


def code(text: object) -> str:
    """Return a value as inline code for a cell of a table."""
    return "`" + str(text).replace("|", "\\|") + "`"


def name(text: str) -> str:
    """Return a name as inline code that is not wrapped."""
    return code(text) + "{ .name }"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Cells are Markdown: `cell` and `code` make them from texts and values.

    Raises
    ------
    ValueError
        A row has more or fewer cells than the header.
    """
    lines = [header, ["---"] * len(header), *rows]
    for line in lines:
        if len(line) != len(header):
            raise ValueError(f"The row {list(line)} has {len(line)} cells; the header has {len(header)}.")
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def heading(level: int, name: str, anchor: str) -> str:
    """Return a heading whose anchor does not depend on how the site builder derives anchors from texts."""
    return f"{'#' * level} {name} {{ #{anchor} }}\n"


def prose(docstring: str | None) -> str:
    """Return the text of a docstring before its first numpydoc section, escaped."""
    text = (docstring or "").strip("\n")
    section = _SECTION.search(text)
    return escaped((text[: section.start()] if section else text).strip())


def first_sentence(text: str | None) -> str:
    """Return the first sentence of a text on one line."""
    line = " ".join((text or "").split())
    match = re.search(r"\.(?=\s+[A-Z`]|$)", line)
    return line[: match.end()] if match else line


def relative(page: str, target: str, anchor: str = "") -> str:
    """Return the link from one page to another file of the site, both relative to its root."""
    path = posixpath.relpath(target, posixpath.dirname(page) or ".")
    return f"{path}#{anchor}" if anchor else path
