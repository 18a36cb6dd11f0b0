"""The rules of structure: length, unique names, mirrored tests, private imports, and who imports `assets.py`.

Each rule is a function from the project's files to the places that break it. `python -m football_assets_tests.house`
prints them.
"""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from football_assets_tests.house.sources import PACKAGES, TESTS, Function, Source

FILE_LINES = 350
TEST_FILE_LINES = 600
FUNCTION_LINES = 60

# What each stage and each command module is expected to have under the same name.
SHARED_NAMES = frozenset({"assets", "checks", "sensors", "jobs", "schedules", "main", "GROUP", "NAME"})

# Folders without Python modules whose test module has their name.
OTHER_FOLDERS = (
    "serve/monitoring",
    "serve/page",
    "features/dbt_models",
    "features/dbt_seeds",
)

# Folders and modules of the tests that mirror no module.
UNMIRRORED = (
    "builders/",
    "ci/",
    "deploy/",
    "end_to_end/",
    "house/",
    "site/",
    "test_architecture.py",
    "test_collection.py",
    "test_compose.py",
    "test_dockerfile.py",
    "test_markers.py",
    "test_packaging.py",
    "test_project.py",
)


@dataclass(frozen=True)
class Violation:
    """A place that breaks a rule.

    Attributes
    ----------
    rule
        The rule's name.
    place
        The file, function or name.
    size
        Number of lines, places or phrases; 1 where the rule has no measure.
    remedy
        What is wrong and what to do.
    """

    rule: str
    place: str
    size: int
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.remedy} [{self.rule}]"


Rule = Callable[[list[Source]], Iterator[Violation]]


def file_length(sources: list[Source]) -> Iterator[Violation]:
    """Find files that are longer than the limit."""
    for source in sources:
        limit = TEST_FILE_LINES if source.folder == TESTS else FILE_LINES
        if source.lines > limit:
            remedy = f"has {source.lines} lines, at most {limit}: split it by subject"
            yield Violation("file_length", source.path, source.lines, remedy)


def function_length(sources: list[Source]) -> Iterator[Violation]:
    """Find functions that are too long, the docstring not counted."""
    for source in sources:
        for name, function in source.functions():
            lines = _body_lines(function)
            if lines > FUNCTION_LINES:
                remedy = f"has {lines} lines without its docstring, at most {FUNCTION_LINES}: extract a step"
                yield Violation("function_length", f"{source.path}::{name}", lines, remedy)


def unique_names(sources: list[Source]) -> Iterator[Violation]:
    """Find public functions, classes and constants that two modules of a package define."""
    for package in PACKAGES:
        places: dict[str, list[str]] = defaultdict(list)
        for source in sources:
            if source.folder == package:
                for name in set(_public_names(source.tree)):
                    places[name].append(source.path)
        for name, paths in sorted(places.items()):
            if len(paths) > 1 and name not in SHARED_NAMES:
                remedy = f"is defined in {', '.join(paths)}: give each its own name, or define it once"
                yield Violation("unique_names", f"{package}.{name}", len(paths), remedy)


def mirrored_tests(sources: list[Source]) -> Iterator[Violation]:
    """Find modules without a test module and test modules without a module.

    The tests of `football_assets/raw/rules.py` are in `football_assets_tests/raw/test_rules.py`, those of
    `serve/service.py` in `football_assets_tests/serve/test_service.py`. A package whose `__init__.py` defines something
    is tested in `test_<package>.py`. `test_rules_of_dates.py` is another test module of `rules.py`.
    """
    tests = {source.path for source in sources if source.folder == TESTS}
    expected = {
        test: source.path for source in sources if source.folder in PACKAGES for test in _test_modules(source)
    }
    for source in sources:
        if source.folder in PACKAGES and _has_code(source):
            names = _test_modules(source)
            if not tests.intersection(names):
                yield Violation("mirrored_tests", source.path, 1, f"has no test module: write {names[0]}")
    stems = [test.removesuffix(".py") for test in expected]
    stems += [
        "/".join((TESTS, folder, f"test_{name}"))
        for folder, name in (path.split("/") for path in OTHER_FOLDERS)
    ]
    for path in sorted(tests):
        name = path.removeprefix(f"{TESTS}/")
        if not name.split("/")[-1].startswith("test_") or name.startswith(UNMIRRORED):
            continue
        stem = path.removesuffix(".py")
        if not any(stem == known or stem.startswith(f"{known}_") for known in stems):
            yield Violation(
                "mirrored_tests", path, 1, "mirrors no module: name it after the module that it tests"
            )


def private_imports(sources: list[Source]) -> Iterator[Violation]:
    """Find imports of private modules and names of libraries outside of the modules `*_private.py` and their tests."""
    for source in sources:
        if source.path.endswith("_private.py"):
            continue
        found = sorted({name for _, name in source.imports() if _is_private(name)})
        if found:
            remedy = (
                f"imports {', '.join(found)}: use public names, or the one module that imports private ones"
            )
            yield Violation("private_imports", source.path, len(found), remedy)


def stage_assets(sources: list[Source]) -> Iterator[Violation]:
    """Find imports of another stage's `assets.py`, which only `definitions.py` may import."""
    for source in sources:
        if source.folder not in PACKAGES or source.path == "football_assets/definitions.py":
            continue
        for line, name in source.imports():
            parts = name.split(".")
            if (
                parts[0] == "football_assets"
                and parts[2:3] == ["assets"]
                and "/".join(parts[:2]) != source.room
            ):
                remedy = f"imports {name} in line {line}: move what both stages need to a core module"
                yield Violation("stage_assets", f"{source.path} -> {name}", 1, remedy)


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (file_length, function_length, unique_names, mirrored_tests, private_imports, stage_assets)
}


def _body_lines(function: Function) -> int:
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return total
    docstring = function.body[0]
    return total - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def _public_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names: Iterable[str] = (node.name,)
        elif isinstance(node, ast.Assign):
            names = (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = (node.target.id,)
        else:
            names = ()
        yield from (name for name in names if not name.startswith("_"))


def _has_code(source: Source) -> bool:
    """Tell whether a module defines functions or classes; constants are tested by the tests of what uses them."""
    if source.path.endswith("/__main__.py"):
        return False
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in source.tree.body
    )


def _test_modules(source: Source) -> list[str]:
    """Return the paths at which the tests of a module may be; the first one is the usual place."""
    parts = source.path.split("/")
    *folders, module = parts[1:] if source.folder == "football_assets" else parts
    if not source.is_package:
        return ["/".join((TESTS, *folders, f"test_{module}"))]
    name = f"test_{parts[-2]}.py"
    return ["/".join((TESTS, *folders, name)), "/".join((TESTS, *folders[:-1], name))]


def _is_private(name: str) -> bool:
    parts = name.split(".")
    if parts[0] in {*PACKAGES, TESTS, "benchmarks", "__future__"}:
        return False
    return any(part.startswith("_") and not part.startswith("__") for part in parts)
