"""The pages of the site: texts by their path, and a page for each source file that one of them links to."""

import os
import subprocess
from pathlib import Path

from football_assets_tests.site.markdown import relative

SOURCES = "source"
FENCE = "~" * 12  # longer than any fence in a source file
LEXERS = {
    ".css": "css",
    ".html": "html",
    ".js": "js",
    ".json": "json",
    ".md": "markdown",
    ".py": "python",
    ".sh": "bash",
    ".sql": "sql",
    ".tf": "terraform",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    "Dockerfile": "docker",
    "Makefile": "make",
}
HEAD = "---\ntitle: {name}\nsearch:\n  exclude: true\nhide:\n  - navigation\n  - toc\n---\n\n# {name} {{ #file }}\n\n"


class PageError(ValueError):
    """A page cannot be written: its link leads nowhere, or two pages have one path."""


class Pages:
    """Collects the Markdown pages of the site.

    Parameters
    ----------
    root
        Folder of the project.
    repository
        Address of the repository on GitHub or GitLab, which pages of source files link to; None: no link.
    branch
        Branch or tag that the links name.
    """

    def __init__(self, root: Path, repository: str | None = None, branch: str = "main") -> None:
        self.root = root
        self.texts: dict[str, str] = {}
        self._repository = repository
        self._branch = branch
        self._files = _project_files(root)
        self._sources: set[str] = set()

    def add(self, page: str, text: str) -> None:
        """Add a page at its path relative to the root of the site.

        Raises
        ------
        PageError
            There is a page of that path.
        """
        if page in self.texts:
            raise PageError(f"Two pages are named {page}: rename one of them.")
        self.texts[page] = text

    def source(self, page: str, path: str, line: int | None = None) -> str:
        """Return the link from a page to the page of a source file or folder, at a line if it is given.

        Parameters
        ----------
        path
            Relative to the folder of the project.

        Raises
        ------
        PageError
            git knows no such file or folder.
        """
        path = path.rstrip("/")
        is_folder = any(file.startswith(f"{path}/") for file in self._files)
        if path not in self._files and not is_folder:
            raise PageError(f"{page} links to {path}, which is no file of the project: correct the link.")
        self._sources.add(path)
        return relative(page, source_page(path, is_folder), f"__span-0-{line}" if line else "")

    def write(self, folder: Path) -> None:
        """Write all pages, and those of the source files that they link to, below a folder."""
        pending = set(self._sources)
        sources: dict[str, str] = {}
        while pending:
            path = pending.pop()
            if path in self._files:
                sources[source_page(path)] = self._file_page(path)
            else:
                sources[source_page(path, is_folder=True)], inside = self._folder_page(path)
                pending |= {name for name in inside if name not in self._sources}
                self._sources |= pending
        for page, text in {**self.texts, **sources}.items():
            target = folder / page
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def _file_page(self, path: str) -> str:
        text = (self.root / path).read_text(encoding="utf-8")
        lexer = LEXERS.get(Path(path).suffix or Path(path).name, "text")
        return (
            HEAD.format(name=path)
            + self._repository_link(path)
            + f'{FENCE} {{ .{lexer} linenums="1" }}\n{text.rstrip()}\n{FENCE}\n'
        )

    def _folder_page(self, path: str) -> tuple[str, set[str]]:
        page = source_page(path, is_folder=True)
        below = [file.removeprefix(f"{path}/") for file in self._files if file.startswith(f"{path}/")]
        names = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        lines, inside = [], set()
        for name in names:
            child = f"{path}/{name.rstrip('/')}"
            if not name.endswith("/") and not _is_text(self.root / child):
                lines.append(f"- `{name}`")
                continue
            target = source_page(child, is_folder=name.endswith("/"))
            lines.append(f"- [`{name}`]({relative(page, target)})")
            inside.add(child)
        text = HEAD.format(name=f"{path}/") + self._repository_link(path, "tree") + "\n".join(lines) + "\n"
        return text, inside

    def _repository_link(self, path: str, kind: str = "blob") -> str:
        if self._repository is None:
            return ""
        address = self._repository.rstrip("/")
        kind = f"-/{kind}" if "gitlab" in address else kind
        return f"[In the repository]({address}/{kind}/{self._branch}/{path})\n\n"


def source_page(path: str, is_folder: bool = False) -> str:
    """Return the page of a source file or folder. zensical ignores names that begin with a dot: `.env` is `dot-env`."""
    visible = "/".join(
        part.replace(".", "dot-", 1) if part.startswith(".") else part for part in path.split("/")
    )
    return f"{SOURCES}/{visible}/index.md" if is_folder else f"{SOURCES}/{visible}.md"


def _project_files(root: Path) -> frozenset[str]:
    """Return the files that git tracks or would track, without links, relative to the root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return frozenset(
        os.path.normpath(name).replace(os.sep, "/")
        for name in listed.split("\0")
        if name and (root / name).is_file() and not (root / name).is_symlink()
    )


def _is_text(path: Path) -> bool:
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
    return True
