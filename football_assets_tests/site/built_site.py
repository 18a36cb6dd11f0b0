"""Checks of the built site: links, anchors, unreachable pages, other hosts, and clicks from the first page."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

MOST_CLICKS = 3
# Attributes whose value a browser requests when it shows the page. `href` of `link` depends on `rel`.
LOADED = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "input": ("src",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "track": ("src",),
    "video": ("src", "poster"),
}
NOT_LOADED_RELS = frozenset({"alternate", "canonical", "edit", "license", "next", "prev"})
# Classes for which the scripts of zensical load a library from another host.
CLASSES_THAT_LOAD = frozenset({"glightbox", "mermaid", "pyodide"})
COMPONENT_THAT_LOADS = "source"  # of `repo_url`
# Where links are resolved: GitHub Pages publishes the site of a repository below a path.
_BASE = "/repository/"
_STYLE_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@dataclass
class _Page(HTMLParser):
    """The anchors, links and requested resources of one HTML page."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    loads_component: bool = False
    in_style: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        self.ids |= {
            values[name] for name in ("id", "name") if values.get(name) and (name == "id" or tag == "a")
        }
        self.classes |= set(values.get("class", "").split())
        if values.get("data-md-component") == COMPONENT_THAT_LOADS:
            self.loads_component = True
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        for name in LOADED.get(tag, ()):
            if values.get(name):
                self.loaded += (
                    [part.split()[0] for part in values[name].split(",")]
                    if name == "srcset"
                    else [values[name]]
                )
        if tag == "link" and not set(values.get("rel", "").split()) <= NOT_LOADED_RELS:
            self.loaded.append(values.get("href", ""))
        self.loaded += list(style_urls(values.get("style", "")))
        self.in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.loaded += list(style_urls(data))


def style_urls(text: str) -> Iterator[str]:
    """Yield the addresses that a style sheet loads."""
    for match in _STYLE_URL.finditer(text):
        yield match[1] or match[2]


class BuiltSite:
    """The HTML pages and style sheets below a folder.

    Parameters
    ----------
    folder
        Output of the site builder; its first page is `index.html`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        self.pages: dict[str, _Page] = {}
        for name in sorted(self.files):
            if name.endswith(".html"):
                page = _Page()
                page.feed((folder / name).read_text(encoding="utf-8"))
                self.pages[name] = page

    def dead_links(self) -> Iterator[str]:
        """Yield a sentence for each link, picture or anchor that does not exist."""
        for name, page in self.pages.items():
            if name == "404.html":
                continue
            for link in dict.fromkeys([*page.links, *page.loaded]):
                if urlsplit(link).scheme or link.startswith("//"):
                    continue
                target, anchor = self._resolve(name, link)
                if link.startswith("/"):
                    yield f"{name}: the link {link} breaks where the site is published below a path: make it relative"
                elif target is None:
                    yield f"{name}: the link {link} leads to no file of the site"
                elif anchor and target in self.pages and anchor not in self.pages[target].ids:
                    yield f"{name}: the link {link} names an anchor that {target} does not have"

    def requests_to_other_hosts(self) -> Iterator[str]:
        """Yield a sentence for each resource of another host that a page or a style sheet loads."""
        for name, page in self.pages.items():
            for address in page.loaded:
                if _is_external(address):
                    yield f"{name}: loads {address} from another host"
            for loading in sorted(page.classes & CLASSES_THAT_LOAD):
                yield f"{name}: has an element of class {loading}, for which a script loads a library from another host"
            if page.loads_component:
                yield f"{name}: asks the host of the repository for its stars: remove repo_url from zensical.toml"
        for name in sorted(self.files):
            if name.endswith(".css"):
                for address in style_urls((self.folder / name).read_text(encoding="utf-8")):
                    if _is_external(address):
                        yield f"{name}: loads {address} from another host"

    def unreachable_pages(self) -> Iterator[str]:
        """Yield a sentence for each page to which no links lead from the first page."""
        for name in sorted(set(self.pages) - set(self.clicks) - {"404.html"}):
            yield f"{name}: no links lead to it from index.html"

    def far_answers(self, questions: Mapping[str, str]) -> Iterator[str]:
        """Yield a sentence for each question whose answer is missing or too many clicks from the first page.

        Parameters
        ----------
        questions
            Address of the page that answers each question, with an anchor where it is one section.
        """
        for question, address in questions.items():
            target, anchor = self._resolve("index.html", address)
            if target not in self.pages or (anchor and anchor not in self.pages[target].ids):
                yield f"{question} The page {address} does not exist."
            elif self.clicks.get(target, MOST_CLICKS + 1) > MOST_CLICKS:
                yield f"{question} The page {address} is more than {MOST_CLICKS} clicks from index.html."

    @cached_property
    def clicks(self) -> dict[str, int]:
        """Fewest clicks from the first page to each page that is reachable from it."""
        found, edge = {"index.html": 0}, ["index.html"]
        while edge:
            following = []
            for name in edge:
                for link in self.pages[name].links:
                    target, _ = self._resolve(name, link)
                    if target in self.pages and target not in found:
                        found[target] = found[name] + 1
                        following.append(target)
            edge = following
        return found

    def _resolve(self, page: str, link: str) -> tuple[str | None, str]:
        """Return the file that a link of a page leads to, None if there is none, and its anchor."""
        if urlsplit(link).scheme or link.startswith("//"):
            return None, ""
        parts = urlsplit(urljoin(f"{_BASE}{page}", link))
        if link.startswith("/") or not parts.path.startswith(_BASE):
            return None, ""
        path = unquote(parts.path.removeprefix(_BASE))
        candidates = (
            (path, f"{path}index.html") if path.endswith("/") or not path else (path, f"{path}/index.html")
        )
        target = next((name for name in candidates if name in self.files), None)
        return target, unquote(parts.fragment)


def _is_external(address: str) -> bool:
    return urlsplit(address).scheme in {"http", "https", "ws", "wss"} or address.startswith("//")
