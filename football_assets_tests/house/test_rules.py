"""Each rule finds a bad example and accepts a good one."""

import pytest

from football_assets_tests.house.rules import (
    FILE_LINES,
    FUNCTION_LINES,
    RULES,
    TEST_FILE_LINES,
    file_length,
    function_length,
    mirrored_tests,
    private_imports,
    stage_assets,
    unique_names,
)
from football_assets_tests.house.sources import Source


def lines(count: int) -> str:
    return "x = 1\n" * count


def function(name: str, lines_of_body: int, docstring: str = "") -> str:
    body = [f'    """{docstring}"""'] if docstring else []
    return "\n".join([f"def {name}():", *body, *["    x = 1"] * lines_of_body]) + "\n"


def places(rule: str, *sources: Source) -> list[str]:
    return [violation.place for violation in RULES[rule](list(sources))]


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("football_assets/raw/rules.py", FILE_LINES),
        ("serve/api.py", FILE_LINES),
        ("benchmarks/speed/bench.py", FILE_LINES),
        ("football_assets_tests/raw/test_rules.py", TEST_FILE_LINES),
    ],
)
def test_a_file_of_more_lines_than_the_limit_is_found(path: str, limit: int) -> None:
    (violation,) = file_length([Source(path, lines(limit + 1))])

    assert (violation.place, violation.size) == (path, limit + 1)
    assert f"has {limit + 1} lines" in str(violation)
    assert not list(file_length([Source(path, lines(limit))]))


def test_a_function_of_more_lines_than_the_limit_is_found_without_its_docstring() -> None:
    docstring = "Summary.\n\n" + "    More.\n" * 100 + "    "
    text = function("fits", FUNCTION_LINES - 1, docstring) + function("bursts", FUNCTION_LINES, docstring)

    (violation,) = function_length([Source("serve/api.py", text)])

    assert (violation.place, violation.size) == ("serve/api.py::bursts", FUNCTION_LINES + 1)


def test_a_method_and_a_function_inside_a_function_are_named_by_what_holds_them() -> None:
    inner = "".join(f"        {line}\n" for line in function("inner", FUNCTION_LINES).splitlines())
    text = f"class Outer:\n    async def method(self):\n{inner}"

    assert places("function_length", Source("serve/api.py", text)) == [
        "serve/api.py::Outer.method",
        "serve/api.py::Outer.method.inner",
    ]


@pytest.mark.parametrize(
    "definition", ["def Twice(): ...", "class Twice: ...", "Twice = 1", "Twice: int = 1"]
)
def test_a_public_name_of_two_modules_is_found(definition: str) -> None:
    first, second = (
        Source("football_assets/raw/a.py", definition),
        Source("football_assets/domain/b.py", "Twice = 2"),
    )

    (violation,) = unique_names([first, second])

    assert violation.place == "football_assets.Twice"
    assert "football_assets/raw/a.py, football_assets/domain/b.py" in violation.remedy


@pytest.mark.parametrize(
    ("path", "definition"),
    [
        ("football_assets/raw/b.py", "_private = 1"),
        ("football_assets/raw/b.py", "assets = []"),
        ("football_assets/raw/b.py", "def other():\n    Twice = 1"),
        ("football_assets/raw/b.py", "from football_assets.raw.a import Twice"),
        ("serve/b.py", "Twice = 1"),
        ("football_assets_tests/raw/b.py", "Twice = 1"),
    ],
)
def test_private_shared_local_and_imported_names_may_be_equal(path: str, definition: str) -> None:
    first = Source("football_assets/raw/a.py", "Twice = 1\n_private = 1\nassets = []")

    assert not list(unique_names([first, Source(path, definition)]))


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("football_assets/raw/rules.py", "football_assets_tests/raw/test_rules.py"),
        ("football_assets/raw/kaggle/pairing.py", "football_assets_tests/raw/kaggle/test_pairing.py"),
        ("football_assets/errors.py", "football_assets_tests/test_errors.py"),
        ("serve/api.py", "football_assets_tests/serve/test_api.py"),
        ("football_assets/raw/formats/__init__.py", "football_assets_tests/raw/formats/test_formats.py"),
        ("football_assets/raw/formats/__init__.py", "football_assets_tests/raw/test_formats.py"),
    ],
)
def test_modules_and_test_modules_mirror_each_other(module: str, test: str) -> None:
    source, mirror = Source(module, "def f(): ..."), Source(test, "")

    assert not list(mirrored_tests([source, mirror]))
    assert places("mirrored_tests", source) == [module]
    assert places("mirrored_tests", mirror) == [test]


def test_a_module_may_have_several_test_modules() -> None:
    module = Source("football_assets/raw/rules.py", "def f(): ...")
    tests = [Source(f"football_assets_tests/raw/test_rules{end}.py", "") for end in ("", "_of_dates")]

    assert not list(mirrored_tests([module, *tests]))
    assert places("mirrored_tests", module, tests[1]) == ["football_assets/raw/rules.py"]


def test_a_module_of_constants_may_have_a_test_module() -> None:
    module = Source("football_assets/automation/jobs.py", "retrain = define_asset_job()")

    assert not list(mirrored_tests([module]))
    assert not list(mirrored_tests([module, Source("football_assets_tests/automation/test_jobs.py", "")]))


def test_packages_that_define_nothing_and_helpers_of_tests_mirror_nothing() -> None:
    exempt = [
        Source("football_assets/raw/__init__.py", '"""Landing files."""\nfrom football_assets import x\n'),
        Source("football_assets/cli/__main__.py", "def main(): ..."),
        Source("football_assets/storage/model_files.py", 'MODEL = "model.onnx"'),
        Source("football_assets_tests/builders/test_sensor_daemon.py", ""),
        Source("football_assets_tests/end_to_end/test_loop.py", ""),
        Source("football_assets_tests/test_architecture.py", ""),
        Source("football_assets_tests/serve/test_page.py", ""),
        Source("football_assets_tests/features/test_dbt_models.py", ""),
        Source("football_assets_tests/raw/helpers.py", ""),
    ]

    assert not list(mirrored_tests(exempt))


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("from dagster._core.storage.tags import RUN_KEY_TAG", "dagster._core.storage.tags.RUN_KEY_TAG"),
        ("from ray import _private", "ray._private"),
        ("import ray._private.services", "ray._private.services"),
        ("def f():\n    from polars import _plr", "polars._plr"),
    ],
)
def test_an_import_of_a_private_name_is_found(statement: str, name: str) -> None:
    (violation,) = private_imports([Source("football_assets/raw/a.py", statement)])

    assert violation.place == "football_assets/raw/a.py"
    assert f"imports {name}:" in violation.remedy


@pytest.mark.parametrize(
    "statement",
    [
        "from __future__ import annotations",
        "from dagster import Definitions",
        "from serve.api import _add",
        "import ray",
    ],
)
def test_public_names_and_the_projects_own_may_be_imported(statement: str) -> None:
    assert not list(private_imports([Source("football_assets/raw/a.py", statement)]))


@pytest.mark.parametrize("path", ["football_assets/runtime/ray_private.py", "serve/test_ray_private.py"])
def test_modules_of_private_names_may_import_them(path: str) -> None:
    assert not list(private_imports([Source(path, "from ray._private import services")]))


@pytest.mark.parametrize(
    "statement",
    [
        "from football_assets.raw.assets import raw_matches",
        "from football_assets.raw import assets as raw_assets",
    ],
)
def test_only_the_stage_and_the_definitions_import_its_assets(statement: str) -> None:
    def found(path: str) -> list[str]:
        return [violation.place.split(" -> ")[0] for violation in stage_assets([Source(path, statement)])]

    assert found("football_assets/training/checks.py") == ["football_assets/training/checks.py"]
    assert found("football_assets/raw/checks.py") == []
    assert found("football_assets/definitions.py") == []
