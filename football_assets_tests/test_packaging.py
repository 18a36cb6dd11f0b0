"""The wheel: what it holds, which extras its code needs, and that it works where no checkout is."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from football_assets.runtime.home import project_root
from football_assets_tests.builders.import_hiding import FORBIDDEN_IN_SERVE, run_without_modules

ROOT = project_root()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"football_assets", "serve"}
# Requirements that no module imports, and what needs them.
NOT_IMPORTED = {
    "dagster-postgres": "storage of a team's dagster.yaml",
    "dagster-webserver": "a program",
    "dbt-core": "a program",
    "dbt-duckdb": "dbt's adapter",
    "fastapi-swagger": "its files are served at /docs",
    "pyopenssl": "imported by model-signing, which does not require it",
}
# Imported where a person who wants these models has installed them.
OPTIONAL_MODELS = {"catboost", "lightgbm", "penaltyblog"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel, built from a copy of the checkout in which outputs of dbt lie."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    unwanted = shutil.ignore_patterns("target", "logs", "__pycache__", "*.egg-info")
    for name in (*OWN, "dbt_features"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=unwanted)
    for name in ("dagster.yaml", "workspace.yaml", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for left in ("target/manifest.json", "logs/dbt.log", ".user.yml"):
        (source / "dbt_features" / left).parent.mkdir(exist_ok=True)
        (source / "dbt_features" / left).write_text("{}")
    subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "--quiet",
                "--no-deps",
                "--no-build-isolation",
                "--no-index",
            ),
            *("--wheel-dir", str(folder), str(source)),
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


def files_below(folder: Path, *patterns: str) -> dict[str, bytes]:
    """Content of the files below a folder that git would keep, by their relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for pattern in patterns
        for path in folder.glob(pattern)
        if path.is_file() and not {"target", "logs", "dbt_packages", "__pycache__"} & set(path.parts)
    }


def test_the_wheel_has_the_files_of_the_project_byte_for_byte(unpacked: Path) -> None:
    project = unpacked / "football_assets" / "project"
    expected = files_below(
        ROOT, "dagster.yaml", "workspace.yaml", "dbt_features/**/*", "dbt_features/seeds/*"
    )
    expected.pop("dbt_features/.user.yml", None)

    assert files_below(project, "**/*", ".*", "*/.*") == expected
    assert len([name for name in expected if name.endswith(".sql")]) >= 10
    assert {"dbt_features/seeds/clubs.csv", "dbt_features/dbt_project.yml"} <= expected.keys()
    assert not any(path.is_symlink() for path in unpacked.rglob("*"))


def test_the_wheel_has_every_file_of_the_packages_and_no_test(unpacked: Path) -> None:
    for package in sorted(OWN):
        expected = files_below(ROOT / package, "**/*")
        found = files_below(unpacked / package, "**/*")
        assert {name for name in found if not name.startswith("project/")} == {
            name for name in expected if not name.startswith("project/")
        }
    assert {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")} == OWN


def test_the_metadata_has_the_extras_and_the_licence(unpacked: Path) -> None:
    (info,) = unpacked.glob("*.dist-info")
    found = metadata.Distribution.at(info).metadata

    assert set(found.get_all("Provides-Extra") or ()) == {
        *("pipeline", "serve", "kubernetes", "kuberay", "compare", "dev")
    }
    assert (info / "licenses" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_an_installed_wheel_that_is_read_only_prepares_a_home_and_parses_dbt_outside_of_itself(
    unpacked: Path, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in unpacked.rglob("*")}
    code = (
        "import football_assets.definitions as module; from football_assets.runtime.home import prepare_home;"
        "from football_assets.features.dbt_project import parsed_project;"
        "settings = prepare_home(); print(module.__file__, parsed_project(), sep='\\n')"
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("FOOTBALL_", "DAGSTER"))
    }
    shown = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )

    module, parsed = shown.stdout.splitlines()
    assert Path(module).is_relative_to(unpacked)
    assert Path(parsed) == tmp_path / "football_home" / "scratch" / "dbt"
    assert (tmp_path / "football_home" / "dagster" / "dagster.yaml").is_file()
    assert {path: path.stat().st_mtime_ns for path in unpacked.rglob("*")} == before


# Arguments: folders of the wheel and of outputs, prefixes of Python and of the environment; then the command. A prefix
# in a folder that only root may enter, as root's home is, gets its place in an empty folder.
ISOLATED = """
set -eu
user="setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
ip link set lo up
mount -t tmpfs none /mnt
mkdir /mnt/wheel /mnt/data /mnt/python /mnt/environment
mount --bind "$1" /mnt/wheel
mount --bind "$2" /mnt/data
mount --bind "$3" /mnt/python
mount --bind "$4" /mnt/environment
chown 10001:10001 /mnt/data
for prefix in "$3" "$4"; do
    $user test -x "$prefix/bin" || mount -t tmpfs -o mode=755 none "/$(echo "$prefix" | cut -d / -f 2)"
done
[ -e "$3" ] || { mkdir -p "$3"; mount --bind /mnt/python "$3"; }
[ -e "$4" ] || { mkdir -p "$4"; mount --bind /mnt/environment "$4"; }
for place in / /mnt /mnt/wheel /mnt/python /mnt/environment; do
    mount -o remount,bind,ro $place
done
cd /mnt/data
shift 4
exec $user env --ignore-environment HOME=/mnt/data TMPDIR=/mnt/data PYTHONPATH=/mnt/wheel PYTHONDONTWRITEBYTECODE=1 "$@"
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="needs root and ip (iproute2)")
def test_the_wheel_runs_the_demo_as_the_images_do(unpacked: Path, tmp_path: Path) -> None:
    """Without network and capabilities, on a read-only root, as a user without a name: `make image-test` in small."""
    folders = (unpacked, tmp_path, sys.base_prefix, sys.prefix)
    command = (sys.executable, "-m", "football_assets.cli", "demo", "--json", "demo.json")

    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", ISOLATED, "sh", *folders, *command],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "demo.json").read_text())
    assert (figures["model_version"], figures["fixtures_forecast"] > 0) == (1, True)
    assert {path.stat().st_uid for path in tmp_path.rglob("*")} == {10001}


def test_the_workspace_of_the_wheel_names_a_module_and_no_file(unpacked: Path) -> None:
    workspace = yaml.safe_load((unpacked / "football_assets" / "project" / "workspace.yaml").read_text())

    assert [list(location) for location in workspace["load_from"]] == [["python_module"]]


def test_serving_imports_nothing_that_only_the_pipeline_installs(tmp_path: Path) -> None:
    code = (
        "import serve.app, serve.deployment, serve.launch, serve.service, serve.api;"
        "import football_assets.cli.servers, football_assets.cli.predict, football_assets.export.inference;"
        "from football_assets.cli import main; raise SystemExit(main(['serve', '--help']))"
    )

    shown = run_without_modules(FORBIDDEN_IN_SERVE, code)

    assert shown.returncode == 0, shown.stderr
    assert "Serve forecasts of the production model" in shown.stdout


@pytest.mark.parametrize(
    ("extra", "folders"),
    [
        ("pipeline", ("football_assets",)),
        ("serve", ("serve",)),
    ],
)
def test_what_a_part_imports_is_required_by_the_base_or_its_extra(
    extra: str, folders: tuple[str, ...]
) -> None:
    optional = PROJECT["optional-dependencies"]
    beside = [*optional["kubernetes"], *optional["kuberay"]] if extra == "pipeline" else []
    required = names([*PROJECT["dependencies"], *optional[extra], *beside])

    missing = {
        name: sorted(places)
        for name, places in imported(folders).items()
        if name not in OPTIONAL_MODELS | HELD_BY_THE_CLI
        and not distributions_of(name) & provided(required, extra)
    }

    assert missing == {}


HELD_BY_THE_CLI = {"ray"}  # `football_assets/runtime/ray_private.py`, which each extra has in its own form


def test_every_requirement_is_imported_or_has_a_reason() -> None:
    required = names(
        [
            *PROJECT["dependencies"],
            *PROJECT["optional-dependencies"]["pipeline"],
            *PROJECT["optional-dependencies"]["serve"],
        ]
    )
    used = {distribution for name in imported(tuple(OWN)) for distribution in distributions_of(name)}

    assert required - used == set(NOT_IMPORTED)


def test_the_extra_serve_requires_nothing_that_trains() -> None:
    required = names([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["serve"]])

    assert not required & {"torch", "dbt-core", "dbt-duckdb", "evidently", "wandb"}
    assert not any(name.startswith("dagster") for name in required)


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def distributions_of(module: str) -> set[str]:
    if module == "google":  # a namespace of several distributions; the project imports google.cloud.storage
        return {"google-cloud-storage"}
    return {canonicalize_name(name) for name in packages().get(module, ())}


@cache
def packages() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def provided(required: set[str], extra: str) -> set[str]:
    """The required distributions and what they require themselves, with the extras that are asked of them."""
    asked = defaultdict[str, set[str]](set)
    for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]):
        requirement = Requirement(line)
        asked[canonicalize_name(requirement.name)] |= requirement.extras
    found = set(required)
    for name in required:
        for line in installed_requirements(name):
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": one}) for one in {"", *asked[name]}):
                found.add(canonicalize_name(requirement.name))
    return found


def installed_requirements(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # an environment from before the requirement
        return []


def imported(folders: tuple[str, ...]) -> dict[str, set[str]]:
    """Top-level names of the libraries that modules import, with the modules."""
    found = defaultdict[str, set[str]](set)
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in OWN:
                    found[top].add(path.relative_to(ROOT).as_posix())
    return found


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
