"""The workflows of .github: pinned actions, least permissions, and commands that exist."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from football_assets.cli import football
from football_assets.errors import SignaturePolicyError
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.runtime.home import project_root
from football_assets_tests.builders.signing_keys import make_key

ROOT = project_root()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# What a push or a pull request can make a workflow write.
WRITES = {
    "images": {"packages", "id-token", "attestations"},
    "release": {"contents", "id-token", "attestations"},
    "docs": {"pages", "id-token"},
    "data": {"id-token", "statuses"},
    "model": {"id-token", "statuses"},
}
# Variables of a runner that may be put into a recipe of make: nobody chooses their characters.
SAFE_IN_RECIPES = {"GITHUB_SHA"}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def load(workflow: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(workflow.read_text(), Loader=yaml.BaseLoader)
    return loaded


def commands(workflow: Path) -> list[str]:
    return [
        step["run"]
        for job in load(workflow)["jobs"].values()
        for step in job.get("steps", ())
        if "run" in step
    ]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_the_commit_of_a_released_version(workflow: Path) -> None:
    uses = re.findall(r"^\s*-?\s*uses: (.*)$", workflow.read_text(), re.MULTILINE)

    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


def test_an_action_has_one_version_in_all_workflows() -> None:
    found: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for line in re.findall(r"uses: (.*)$", workflow.read_text(), re.MULTILINE):
            action, _, version = line.partition("@")
            found.setdefault(action, set()).add(version)

    assert {action: versions for action, versions in found.items() if len(versions) > 1} == {}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_only_and_a_job_says_what_more_it_needs(workflow: Path) -> None:
    loaded = load(workflow)

    assert loaded["permissions"] == {"contents": "read"}
    written = {
        scope
        for job in loaded["jobs"].values()
        for scope, right in job.get("permissions", {}).items()
        if right == "write"
    }
    assert written == WRITES.get(workflow.stem, set())
    assert "pull_request_target" not in loaded["on"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_runs_of_a_workflow_do_not_overlap_and_end(workflow: Path) -> None:
    loaded = load(workflow)

    assert loaded["concurrency"]["group"].startswith(f"{workflow.stem}-${{{{")
    assert all(int(job["timeout-minutes"]) <= 120 for job in loaded["jobs"].values())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_checkout_leaves_no_token_behind(workflow: Path) -> None:
    steps = [step for job in load(workflow)["jobs"].values() for step in job.get("steps", ())]

    for step in steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_no_expression_is_put_into_a_shell(workflow: Path) -> None:
    assert [command for command in commands(workflow) if "${{" in command] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_no_variable_is_put_into_a_recipe_of_make(workflow: Path) -> None:
    given = [
        name
        for command in commands(workflow)
        for line in re.findall(r"\bmake [^\n;&|]*", command)
        for name in re.findall(r"\$\{?(\w+)", line)
    ]

    assert set(given) - SAFE_IN_RECIPES == set()


def version_of_project() -> str:
    found = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def make_release_tag(folder: Path, tag: str, by: str) -> subprocess.CompletedProcess[str]:
    """Check a tag as `make release-files` does first; a command within the tag would write into the folder."""
    command = ["make", "--silent", "release-tag"]
    return subprocess.run(
        [*command, f"RELEASE={tag}"] if by == "argument" else command,
        cwd=ROOT,
        env={**os.environ, "FOLDER": str(folder), "RELEASE": tag if by == "environment" else ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("by", ["environment", "argument"])
@pytest.mark.parametrize(
    "tag",
    [
        '";touch${IFS}$FOLDER/ran;"',
        "';touch${IFS}$FOLDER/ran;'",
        "$(touch${IFS}$FOLDER/ran)",
        "`touch${IFS}$FOLDER/ran`",
        "$(shell touch $(FOLDER)/ran)",
        "v0.1.0$(shell touch $(FOLDER)/ran)",
        "v{version}\n$(touch $FOLDER/ran)",
        "v9.9.9",
        "{version}",
        "",
    ],
)
def test_a_tag_that_is_not_the_version_is_rejected_and_no_command_in_it_runs(
    tmp_path: Path, tag: str, by: str
) -> None:
    done = make_release_tag(tmp_path, tag.replace("{version}", version_of_project()), by)

    assert done.returncode != 0
    assert "RELEASE is" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("by", ["environment", "argument"])
def test_the_tag_of_the_version_is_accepted(tmp_path: Path, by: str) -> None:
    assert make_release_tag(tmp_path, f"v{version_of_project()}", by).returncode == 0


@pytest.mark.parametrize("name", ["CI_READY", "DOCS_READY"])
def test_an_environment_is_installed_again_when_a_file_changes_that_it_is_installed_from(name: str) -> None:
    rule = re.search(
        rf"^\$\({name}\): (?P<prerequisites>.*)\n(?P<recipe>(?:\t.*\n)+)",
        (ROOT / "Makefile").read_text(),
        re.MULTILINE,
    )
    assert rule is not None

    read = set(re.findall(r"(?<![\w/])(?:\.github|docs)/[\w./-]+", rule["recipe"]))

    assert read
    assert read == set(rule["prerequisites"].split())


def test_the_release_checks_the_tag_that_started_it_before_it_builds() -> None:
    steps = load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["build"]["steps"]
    (step,) = (step for step in steps if step.get("run", "").startswith("make release-files"))
    prerequisites = re.search(r"^release-files: (.*?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert step["env"]["RELEASE"] == "${{ github.ref_name }}"
    assert prerequisites is not None
    assert prerequisites[1].split()[0] == "release-tag"


def test_the_notes_of_a_release_have_all_commits_since_the_last_release_or_the_beginning(
    tmp_path: Path,
) -> None:
    program = Path(sys.executable).with_name("git-cliff")
    if not program.is_file() or shutil.which("git") is None:
        pytest.skip("git-cliff (PyPI) or git is not installed")
    (options,) = re.findall(
        r"git-cliff (.*) --output build/notes\.md$", (ROOT / "Makefile").read_text(), re.M
    )
    command = [program, *options.replace("cliff.toml", str(ROOT / "cliff.toml")).split()]

    def git(*arguments: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def released(tag: str) -> list[str]:
        git("tag", tag)
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        assert re.findall(r"^## (\S+)", done.stdout, re.M) == [tag.removeprefix("v")]
        return re.findall(r"^- (.*)$", done.stdout, re.M)

    git("init", "-q")
    for number, tag in enumerate(("", "a-tag-that-is-no-release", "")):
        git("commit", "-q", "--allow-empty", "-m", f"feat: commit {number}")
        if tag:
            git("tag", tag)
    assert released("v0.1.0") == ["Commit 2", "Commit 1", "Commit 0"]
    git("commit", "-q", "--allow-empty", "-m", "fix: commit 3")
    assert released("v0.2.0") == ["Commit 3"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_target_and_every_command_exists(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(commands(workflow))

    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    for words in re.findall(r"bin/football\"? ([a-z -]+)", text):
        assert_command(words.split(" -")[0].split())
    for script in re.findall(r"\bbash (\S+)", text):
        assert (ROOT / script).is_file()


def assert_command(words: list[str]) -> None:
    """Follow the words of a command from the program to its last group."""
    command: click.Command = football
    for word in words:
        if not isinstance(command, click.Group):
            return
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"football has no command {' '.join(words)}"
        command = found
    assert not isinstance(command, click.Group)


def test_ci_covers_the_platforms_and_versions_that_the_package_names() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    allowed = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert allowed is not None
    versions = [f"3.{minor}" for minor in range(int(allowed[1]), int(allowed[2]))]

    for job, runner in (("linux", "ubuntu-latest"), ("macos", "macos-latest")):
        assert jobs[job]["runs-on"] == runner
        assert jobs[job]["strategy"]["matrix"]["python"] == versions
    assert jobs["windows"]["runs-on"] == "windows-latest"
    assert "bash .ci/run" in [step.get("run") for step in jobs["linux"]["steps"]]


def test_dependabot_watches_every_kind_of_dependency_where_it_is_declared() -> None:
    updates = load(ROOT / ".github" / "dependabot.yml")["updates"]
    declared = {
        "pip": ["pyproject.toml", "requirements.txt"],
        "npm": ["package.json"],
        "docker": ["Dockerfile"],
        "docker-compose": ["compose.yaml"],
        "terraform": ["versions.tf"],
    }

    assert {item["package-ecosystem"] for item in updates} == {*declared, "github-actions"}
    for item in updates:
        assert int(item["cooldown"]["default-days"]) >= 7
        for folder in [item["directory"]] if "directory" in item else item["directories"]:
            if (
                item["package-ecosystem"] in declared and folder != "/docs"
            ):  # whose requirements are made by docs
                names = declared[item["package-ecosystem"]]
                assert any((ROOT / folder.strip("/") / name).is_file() for name in names), folder


FAKE_BUILDAH = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
[ "$1" = login ] && cat >>"$CALLS" && echo >>"$CALLS"
[ "$1" = push ] && printf 'sha256:%s' "$(basename "$3")" >"$3"
exit 0
"""


def push_images(
    folder: Path, reference: str, reference_type: str
) -> tuple[subprocess.CompletedProcess[str], list[str], str]:
    """Run push_images.sh with a program in buildah's place; returns its calls and the step's outputs."""
    folder.mkdir()
    program, calls, output = folder / "buildah", folder / "calls", folder / "output"
    program.write_text(FAKE_BUILDAH)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    calls.touch()
    output.touch()
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(calls),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_SHA": "c0ffee",
        "GITHUB_REF_NAME": reference,
        "GITHUB_REF_TYPE": reference_type,
        "GITHUB_ACTOR": "somebody",
        "REGISTRY": "registry.example/Owner",
        "TOKEN": "a-token",
    }
    done = subprocess.run(
        ["bash", ".github/push_images.sh"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, calls.read_text().splitlines(), output.read_text()


def test_images_of_a_tag_are_pushed_with_commit_and_version_and_their_digests_are_handed_on(
    tmp_path: Path,
) -> None:
    version = version_of_project()

    done, calls, output = push_images(tmp_path / "tag", f"v{version}", "tag")

    assert done.returncode == 0, done.stderr
    assert calls[:2] == ["login --username somebody --password-stdin registry.example", "a-token"]
    assert [call.split()[-1] for call in calls[2:]] == [
        f"docker://registry.example/owner/football-assets-{target}:{tag}"
        for target in ("pipeline", "serve")
        for tag in ("c0ffee", version)
    ]
    assert json.loads(output.removeprefix("images=")) == [
        {
            "target": f"football-assets-{target}",
            "name": f"registry.example/owner/football-assets-{target}",
            "digest": f"sha256:{target}",
        }
        for target in ("pipeline", "serve")
    ]


def test_images_of_main_have_the_commit_alone_and_a_wrong_tag_pushes_nothing(tmp_path: Path) -> None:
    done, calls, _ = push_images(tmp_path / "main", "main", "branch")
    assert done.returncode == 0
    assert all(call.endswith(":c0ffee") for call in calls[2:])

    done, calls, output = push_images(tmp_path / "wrong", "v9.9.9", "tag")
    assert done.returncode == 1
    assert "v9.9.9 is not v" in done.stderr
    assert calls == []
    assert output == ""


def write_public_keys(folder: Path, text: str) -> SignaturePolicy:
    """Run write_public_keys.sh with a text; returns the policy that accepts the keys of the folder."""
    command = ["bash", ".github/write_public_keys.sh", str(folder)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PUBLIC_KEYS": text}, check=True)
    return SignaturePolicy(verify_keys=(folder,))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_public_key_of_a_text_is_accepted(tmp_path: Path, end: str) -> None:
    pairs = [make_key(tmp_path / name, name) for name in ("old", "new")]
    text = "\n".join(pair.public.read_text().strip() for pair in pairs).replace("\n", end)

    policy = write_public_keys(tmp_path / "keys", text)

    policy.check()
    assert (
        policy.accepted().fingerprint()
        == SignaturePolicy(verify_keys=tuple(pair.public for pair in pairs)).accepted().fingerprint()
    )


def test_a_text_without_a_public_key_is_an_error_and_not_an_absent_one(tmp_path: Path) -> None:
    private = make_key(tmp_path).private.read_text()

    for name, text, problem in (
        ("none", "trusted/2026-11.pem", "has no file"),
        ("private", private, "is no elliptic"),
    ):
        with pytest.raises(SignaturePolicyError, match=problem):
            write_public_keys(tmp_path / name, text).check()


def test_the_workflow_accepts_signatures_of_the_public_keys_that_it_wrote_only() -> None:
    steps = load(ROOT / ".github" / "workflows" / "model.yml")["jobs"]["validate"]["steps"]
    (validate,) = (step for step in steps if step.get("id") == "validate")
    (write,) = (step for step in steps if "write_public_keys.sh" in step.get("run", ""))

    assert steps.index(write) < steps.index(validate)
    assert write["if"] == "vars.FOOTBALL_PUBLIC_KEYS != ''"
    assert write["env"] == {"PUBLIC_KEYS": "${{ vars.FOOTBALL_PUBLIC_KEYS }}"}
    assert write["run"].endswith('"$RUNNER_TEMP/keys"')
    assert validate["env"]["FOOTBALL_VERIFY_KEYS"] == (
        "${{ vars.FOOTBALL_PUBLIC_KEYS != '' && format('{0}/keys', runner.temp) || '' }}"
    )
