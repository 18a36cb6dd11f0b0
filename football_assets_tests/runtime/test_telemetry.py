"""Every process of the project has the variables that turn the usage data of its libraries off."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from football_assets.runtime.home import project_root
from football_assets.runtime.telemetry import NO_TELEMETRY

ROOT = project_root()
SHOW = f"import os; print([os.environ.get(name) for name in {sorted(NO_TELEMETRY)!r}])"
OFF = f"{[NO_TELEMETRY[name] for name in sorted(NO_TELEMETRY)]!r}\n"


def printed(code: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("module", ["football_assets.cli", "football_assets.definitions", "serve.launch"])
def test_every_way_into_the_project_turns_usage_data_off(module: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in NO_TELEMETRY}
    turned_on = inherited | {"RAY_USAGE_STATS_ENABLED": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "true"}

    assert printed(SHOW, inherited) == f"{[None] * len(NO_TELEMETRY)!r}\n"
    assert printed(f"import {module}; {SHOW}", inherited) == OFF
    assert printed(f"import {module}; {SHOW}", turned_on) == OFF


def test_onnx_runtime_of_a_fresh_user_leaves_no_device_id(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in NO_TELEMETRY}
    environment["HOME"] = str(tmp_path)
    code = "import onnxruntime; onnxruntime.SessionOptions(); print(onnxruntime.__version__)"

    assert printed(f"import football_assets; {code}", environment)

    assert list(tmp_path.rglob("*")) == []


def test_the_container_and_the_pods_of_ray_have_the_same_variables() -> None:
    in_image = dict(re.findall(r"^(?:ENV | +)(\w+)=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    manifest = yaml.safe_load_all((ROOT / "deploy" / "base" / "kuberay" / "rayservice.yaml").read_text())
    cluster = next(item for item in manifest if item["kind"] == "RayService")["spec"]["rayClusterConfig"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    pods = [group["template"]["spec"]["containers"][0]["env"] for group in groups]

    assert NO_TELEMETRY.items() <= in_image.items()
    assert len(pods) == 3
    for environment in pods:
        assert NO_TELEMETRY.items() <= {item["name"]: item.get("value") for item in environment}.items()
