"""Keys of signatures on Kubernetes: the commands of docs/how-to/signing.md make what the pods name; only runs sign."""

import base64
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from football_assets_tests.builders.signing_keys import make_key
from football_assets_tests.deploy.manifests import DEPLOY, ROOT, kubectl, pod_templates, render_folder

pytestmark = pytest.mark.skipif(kubectl() is None, reason="kubectl is not installed")

RUN = yaml.safe_load((DEPLOY / "base/dagster/dagster.yaml").read_text())["run_launcher"]["config"][
    "run_k8s_config"
]
Objects = dict[tuple[str, str, str], dict[str, str]]


@pytest.fixture
def made(tmp_path: Path) -> Objects:
    """Data of the objects that the commands of the page make, by namespace, kind and name."""
    key = make_key(tmp_path / "trusted", "2026-11")
    key.private.rename(tmp_path / "signing.pem")
    text = (ROOT / "docs" / "how-to" / "signing.md").read_text(encoding="utf-8")
    (commands,) = re.findall(
        r"```console\n(kubectl -n football-dagster create secret.*?)```", text, re.DOTALL
    )
    wrapper = tmp_path / "bin" / "kubectl"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\n"{kubectl()}" "$@" --dry-run=client -o yaml && echo ---\n')
    wrapper.chmod(0o755)
    result = subprocess.run(
        ["bash", "-ec", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: Objects = {}
    for item in filter(None, yaml.safe_load_all(result.stdout)):
        place = item["metadata"]["namespace"], item["kind"], item["metadata"]["name"]
        found[place] = item["data"]
    return found


def pods(folder: str) -> dict[str, dict[str, Any]]:
    """Specs of the pods of a folder's workloads, by name."""
    documents = render_folder(DEPLOY / "base" / folder)
    return {name: template["spec"] for _, name, template in pod_templates(documents)}


def test_replicas_and_the_code_location_find_the_public_keys(made: Objects) -> None:
    code = pods("dagster")["code-location"]
    ray = pods("kuberay")
    for namespace, pod in (
        ("football-dagster", code),
        *(("football-serve", ray[name]) for name in ("head", "cpu", "gpu")),
    ):
        container = pod["containers"][0]
        (variable,) = (entry for entry in container["env"] if entry["name"] == "FOOTBALL_VERIFY_KEYS")
        reference = variable["valueFrom"]["configMapKeyRef"]
        assert reference["optional"] is True
        path = made[namespace, "ConfigMap", reference["name"]][reference["key"]]
        (mount,) = (mount for mount in container["volumeMounts"] if mount["mountPath"] == path)
        (volume,) = (volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        assert mount["readOnly"] is True
        assert volume["configMap"]["optional"] is True
        keys = made[namespace, "ConfigMap", volume["configMap"]["name"]]
        assert list(keys) == ["2026-11.pem"]
        assert "BEGIN PUBLIC KEY" in keys["2026-11.pem"]


def test_runs_find_the_private_key(made: Objects) -> None:
    container, pod = RUN["container_config"], RUN["pod_spec_config"]
    ours = [entry for entry in container["env"] if entry["name"].startswith("FOOTBALL_")]
    for entry in ours:
        reference = entry["value_from"]["config_map_key_ref"]
        value = made["football-dagster", "ConfigMap", reference["name"]][reference["key"]]
        folder, _, file = (
            value.rpartition("/") if entry["name"] == "FOOTBALL_SIGNING_KEY" else (value, "", "")
        )
        (mount,) = (mount for mount in container["volume_mounts"] if mount["mount_path"] == folder)
        (volume,) = (volume for volume in pod["volumes"] if volume["name"] == mount["name"])
        if file:
            secret = made["football-dagster", "Secret", volume["secret"]["secret_name"]]
            assert b"BEGIN PRIVATE KEY" in base64.b64decode(secret[file])
        else:
            assert volume["config_map"]["name"] == "football-verify-keys"
    assert {entry["name"] for entry in ours} == {"FOOTBALL_SIGNING_KEY", "FOOTBALL_VERIFY_KEYS"}


def test_only_runs_have_the_private_key() -> None:
    for name, pod in (pods("dagster") | pods("kuberay")).items():
        assert "football-signing-key" not in yaml.safe_dump(pod), name
        assert "FOOTBALL_SIGNING_KEY" not in yaml.safe_dump(pod), name
