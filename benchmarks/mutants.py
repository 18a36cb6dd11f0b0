"""Mutation testing: change the code in thousands of places, run the tests, and report the share of mutants killed.

`mutmut` creates the mutants of a module and runs the tests that call the changed function. Each module has a separate
session in a copy of the project, with the test modules that mirror it. Needs Linux or macOS, since mutmut forks.

    python -m benchmarks.mutants football_assets/domain/scoring_rules.py football_assets/registry/
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import click

from football_assets.runtime.home import project_root

MODULES = (
    "football_assets/raw/",
    "football_assets/features/ratings.py",
    "football_assets/sequences/",
    "football_assets/registry/",
    "football_assets/training/evaluation.py",
    "football_assets/domain/scoring_rules.py",
    "football_assets/domain/scorelines.py",
    "serve/service.py",
)
# Tests of a module beyond its mirror.
ALSO_TESTED_BY = {
    "football_assets/raw/matches.py": ("raw/matching/test_canonical_clubs.py",),
    "football_assets/raw/kaggle/pairing.py": ("raw/kaggle/test_rebuilding.py",),
    "football_assets/raw/landing/planning.py": ("raw/landing/test_upload.py",),
    "football_assets/raw/quality.py": ("raw/test_schema.py",),
    "football_assets/raw/rules.py": ("raw/test_matches_calendars.py",),
    "football_assets/sequences/tensors.py": ("sequences/test_tensors_of_countries.py",),
    "serve/service.py": ("serve/test_service_drift.py",),
}
WORK = Path("build/mutants")
# Inputs of tests that are built once for all mutants.
KEPT = {"TESTS_COUNTRIES_FOLDER": "countries", "TESTS_DEMO_FOLDER": "demo"}
# Exit codes of pytest, and those of mutmut for mutants without a test.
STATUS = {
    0: "survived",
    1: "killed",
    3: "killed",
    5: "no tests",
    33: "no tests",
    34: "skipped",
}
CONFIG = """
[tool.mutmut]
source_paths = ["football_assets", "serve"]
only_mutate = ["{module}"]
also_copy = [{copied}]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = [{tests}]
process_isolation = "forkserver"
timeout_constant = 5.0
use_git_change_detection = false
"""


def main() -> None:
    """Run the sessions that the command line names and print the result of the mutants."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "modules",
        nargs="*",
        default=MODULES,
        help="files or folders, default: all of docs/contributing/testing.md",
    )
    parser.add_argument("--workers", type=int, default=2, help="mutants tested at the same time")
    parser.add_argument(
        "--survivors", action="store_true", help="print the difference that each survivor makes"
    )
    parser.add_argument(
        "--sample", type=int, help="test so many mutants of each module, drawn by chance; default: all"
    )
    options = parser.parse_args()
    click.echo(
        "| module | mutants | killed | survived | no test | timeout | share killed |\n|---|---|---|---|---|---|---|"
    )
    total: Counter[str] = Counter()
    for module in python_files(options.modules):
        tests = mirror_tests(module)
        if not tests:
            click.echo(f"| `{module}` | no test module mirrors it | | | | | |")
            continue
        workspace = prepare(module, tests)
        drawn = sample(workspace, module, options.sample)
        run_mutmut(workspace, "run", "--max-children", str(options.workers), *drawn)
        found = outcomes(workspace, module)
        for name in [name for name, status in found.items() if status in {"survived", "no tests"}]:
            if is_killed_by_all(workspace, name, tests):
                found[name] = "killed"
        click.echo(row(f"`{module}`", Counter(found.values())))
        total.update(found.values())
        if options.survivors:
            for name in (name for name, status in found.items() if status not in {"killed", "timeout"}):
                click.echo(run_mutmut(workspace, "show", name))
    click.echo(row("all", total))


def python_files(paths: list[str]) -> Iterator[str]:
    """Yield the modules among files and below folders, relative to the project."""
    root = project_root()
    for path in paths:
        files = sorted((root / path).rglob("*.py")) if (root / path).is_dir() else [root / path]
        for file in files:
            if file.stat().st_size > 200:  # an __init__ that holds a docstring has nothing to change
                yield file.relative_to(root).as_posix()


def mirror_tests(module: str) -> list[str]:
    """Return the test modules of a module: its mirror and those that `ALSO_TESTED_BY` names."""
    tests = project_root() / "football_assets_tests"
    inside = (
        Path(module).relative_to("football_assets") if module.startswith("football_assets/") else Path(module)
    )
    names = [str(inside.with_name(f"test_{inside.name}")), *ALSO_TESTED_BY.get(module, ())]
    return [f"football_assets_tests/{name}" for name in names if (tests / name).is_file()]


def prepare(module: str, tests: list[str]) -> Path:
    """Return a copy of the project that is configured for a session; results of an earlier session are kept."""
    root = project_root()
    workspace = root / WORK / module.removesuffix(".py").replace("/", ".")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    files = [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
    for name in files:
        target = workspace / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target)
    copied = sorted({name.split("/")[0] for name in files} - {"football_assets", "serve", "pyproject.toml"})
    config = CONFIG.format(module=module, copied=quoted(copied), tests=quoted(tests))
    with (workspace / "pyproject.toml").open("a") as file:
        file.write(config)
    return workspace


def quoted(names: list[str]) -> str:
    """Return names as the items of a TOML array."""
    return ", ".join(f'"{name}"' for name in names)


def sample(workspace: Path, module: str, count: int | None) -> list[str]:
    """Return the names of a fixed sample of a module's mutants; empty: all of them."""
    if count is None:
        return []
    from mutmut.configuration import reset_config
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    with chdir(workspace):  # mutmut reads its configuration there
        reset_config()
        names = mutate_file_contents(module, Path(module).read_text(encoding="utf-8")).mutant_names
    drawn = random.Random(0).sample(sorted(names), min(count, len(names)))
    return [get_mutant_name(Path(module), name) for name in drawn]


def run_mutmut(workspace: Path, *arguments: str) -> str:
    """Run `mutmut` in a copy of the project; returns its output."""
    command = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", *arguments]
    done = subprocess.run(
        command,
        cwd=workspace,
        env=os.environ | kept_inputs(workspace),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"mutmut ended with {done.returncode} in {workspace}:\n{done.stdout[-4000:]}")
    return done.stdout


def outcomes(workspace: Path, module: str) -> dict[str, str]:
    """Return the result of each mutant in the sample."""
    record = json.loads((workspace / "mutants" / f"{module}.meta").read_text())
    codes: dict[str, int | None] = record["exit_code_by_key"]
    return {name: STATUS.get(code, "timeout") for name, code in codes.items() if code is not None}


def is_killed_by_all(workspace: Path, mutant: str, tests: list[str]) -> bool:
    """Return whether a test fails in a separate process that imports the module with the mutant.

    mutmut runs the tests during which it recorded a call of the function. It records no call at import. It records a
    call in a shared fixture only for the first test that uses the fixture.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=workspace / "mutants",
        env=os.environ
        | kept_inputs(workspace)
        | {"MUTANT_UNDER_TEST": mutant, "PY_IGNORE_IMPORTMISMATCH": "1"},
        capture_output=True,
    )
    return done.returncode == 1


def kept_inputs(workspace: Path) -> dict[str, str]:
    """Return the environment variables that name folders of inputs which tests build once."""
    kept = {
        name: str(workspace.parent / "kept" / folder)
        for name, folder in KEPT.items()
        if name not in os.environ
    }
    for path in kept.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    return kept


def row(name: str, counts: Counter[str]) -> str:
    """Return a row of the table; a mutant that never ends counts as killed."""
    caught = counts["killed"] + counts["timeout"]
    share = f"{caught / counts.total():.1%}" if counts.total() else "none"
    cells = (
        counts.total(),
        counts["killed"],
        counts["survived"],
        counts["no tests"],
        counts["timeout"],
        share,
    )
    return f"| {name} | {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
