"""The project's Python files, parsed once."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGES = ("football_assets", "serve")
TESTS = "football_assets_tests"
FOLDERS = (*PACKAGES, "benchmarks", TESTS)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path relative to the project, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Parse the text."""
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """List all nodes of the tree."""
        return list(ast.walk(self.tree))

    @property
    def folder(self) -> str:
        """Return the top-level folder."""
        return self.path.split("/")[0]

    @property
    def room(self) -> str:
        """Return the folder below a top-level folder, as `football_assets/raw`; the file itself where there is none."""
        parts = self.path.split("/")
        return "/".join(parts[:2])

    @property
    def lines(self) -> int:
        """Count the lines."""
        return len(self.text.splitlines())

    @property
    def is_package(self) -> bool:
        """Tell whether the file is an `__init__.py`."""
        return self.path.endswith("/__init__.py")

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Yield every function and method with its qualified name."""
        yield from _functions(self.tree, "")

    def docstrings(self) -> Iterator[tuple[int, str]]:
        """Yield the line and text of every docstring."""
        for node in self.nodes:
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0] if node.body else None
                if (
                    isinstance(first, ast.Expr)
                    and isinstance(first.value, ast.Constant)
                    and isinstance(first.value.value, str)
                ):
                    yield first.lineno, first.value.value

    def imports(self) -> Iterator[tuple[int, str]]:
        """Yield line and dotted name of everything that is imported, wherever in the file.

        `from a.b import c` yields `a.b.c`.
        """
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                for alias in node.names:
                    yield node.lineno, f"{node.module}.{alias.name}"


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def read_sources(root: Path, folders: Iterable[str] = FOLDERS) -> list[Source]:
    """Read the Python files below some top-level folders of the project, in order of their path."""
    return [
        Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
    ]
