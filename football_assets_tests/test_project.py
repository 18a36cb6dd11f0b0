"""The project's own files: configuration, documentation, packaging, and what loading the code location costs."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from football_assets.orchestration.dagster_private import location_origins_from_yaml_paths
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_home import open_instance

ROOT = project_root()
HEAVY = ("torch", "ray", "evidently", "wandb", "duckdb", "numpy")


def test_loading_the_code_location_imports_no_heavy_library() -> None:
    code = (
        "import sys; from football_assets.definitions import defs;"
        "defs.get_repository_def().load_all_definitions();"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert loaded.stdout.split() == []


def test_dagster_yaml_is_valid_and_says_what_the_project_promises(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)

    with open_instance(tmp_path) as instance:
        concurrency = instance.get_concurrency_config()
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 2
        assert concurrency.run_queue_config is not None
        assert concurrency.run_queue_config.max_concurrent_runs == 4
        assert concurrency.pool_config.default_pool_limit == 1
        assert Path(instance.storage_directory()).is_relative_to(tmp_path)


def test_the_workspace_names_the_code_location() -> None:
    (origin,) = location_origins_from_yaml_paths([str(ROOT / "workspace.yaml")])

    assert origin.location_name == "football_assets"
    assert origin.loadable_target_origin.module_name == "football_assets.definitions"


@pytest.mark.parametrize(
    "file",
    [
        ".env",
        "signing.pem",
        "trusted/2026-11.pem",
        "deploy/gcp/terraform.tfvars",
        "deploy/gcp/terraform.tfstate",
        "deploy/gcp/.terraform/terraform.tfstate",
        "deploy/gcp/dispatch.zip",
    ],
)
def test_git_ignores_what_the_pages_write_into_the_clone(file: str) -> None:
    """Secrets, and files that belong to one installation."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    done = subprocess.run(["git", "check-ignore", "--quiet", file], cwd=ROOT, check=False)

    assert done.returncode == 0


def test_make_without_a_target_lists_the_targets() -> None:
    targets = ("demo", "test", "up", "lint", "docs", "bench", "format", "clean")

    shown = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True)

    assert shown.stdout.split()[:2] == ["make", "help"]
    assert all(f"make {target} " in shown.stdout for target in targets)


def test_every_dependency_is_pinned_and_no_pin_names_a_place() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin) for pin in pins)
    pinned = {plain(pin) for pin in pins}
    assert {plain(requirement) for requirement in requirements()} - {"football-assets"} <= pinned


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_the_builds_of_pytorch_are_pinned_beside_the_other_packages(variant: str) -> None:
    lines = (ROOT / f"constraints-{variant}.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    (torch,) = (
        line for line in (ROOT / "constraints.txt").read_text().splitlines() if plain(line) == "torch"
    )

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+={2,3}[A-Za-z0-9.+]+", pin) for pin in pins)
    exact = {
        "cpu": f"{torch}+cpu",
        "cuda": torch.replace("==", "==="),
    }  # === is PyPI's build and no local one
    assert exact[variant] in pins
    if variant == "cpu":
        assert len(pins) == 1
        return
    others = {plain(pin) for pin in pins} - {"torch", "onnxruntime-gpu", "triton"}
    assert {name.partition("-")[0] for name in others} == {"cuda", "nvidia"}
    pinned = {plain(line) for line in (ROOT / "constraints.txt").read_text().splitlines()} - {"torch"}
    assert not pinned & {plain(pin) for pin in pins}, "a package is pinned in one file"


def test_the_developers_environment_has_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert "football-assets[pipeline,serve,kubernetes,kuberay]" in project["optional-dependencies"]["dev"]


def requirements() -> list[str]:
    """Requirements of the package and of all its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]


def test_the_pre_commit_hooks_are_local_so_that_they_need_no_network() -> None:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())

    assert [repository["repo"] for repository in configuration["repos"]] == ["local"]


def plain(requirement: str) -> str:
    name = re.split(r"[\[<>=!~; ]", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


BOUNDED = """
    dagster dagster-dbt dagster-gcp dagster-postgres dagster-wandb dagster-webserver dbt-core dbt-duckdb duckdb
    polars ray torch
"""


@pytest.mark.parametrize("name", BOUNDED.split())
def test_a_library_whose_releases_can_break_this_one_has_both_bounds_around_its_pin(name: str) -> None:
    found = [requirement for requirement in map(Requirement, requirements()) if requirement.name == name]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)

    assert found
    for requirement in found:
        assert {bound.operator for bound in requirement.specifier} == {">=", "<"}
        assert pins[name] in requirement.specifier


def test_deploy_test_collects_both_proofs() -> None:
    """pytest collects a folder by `python_files`, and drops a file that is named beside its folder."""
    shown = subprocess.run(
        ["make", "--dry-run", "deploy-test"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    *_, command = shown.stdout.splitlines()

    collected = subprocess.run(
        ["bash", "-c", f"{command.removeprefix('@')} --collect-only -q"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    for proof in ("proof_of_pods", "proof_of_processes"):
        assert f"football_assets_tests/deploy/{proof}.py::test_" in collected.stdout, collected.stdout[-2000:]
