"""What the pages on deployment tell a person to run does what it says, and names what the manifests name."""

import base64
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from football_assets_tests.deploy.manifests import ROOT, kubectl

ADDRESSES = {
    "PAGE_URL": "https://pages.example/hook?team=a&token=b|c",
    "MESSAGE_URL": "https://messages.example/hook/$1",
}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.skipif(
    kubectl() is None or shutil.which("perl") is None, reason="kubectl or perl is not installed"
)
def test_the_secret_of_managed_alertmanager_has_the_addresses_in_place(tmp_path: Path) -> None:
    (command,) = re.findall(r"^(perl -pe .*?\|\n +kubectl .*?)$", page("gke.md"), re.MULTILINE | re.DOTALL)
    assert "url_file" in (ROOT / "serve/monitoring/alertmanager.yml").read_text(encoding="utf-8")
    program = kubectl()
    assert program is not None
    made = subprocess.run(
        ["bash", "-ec", f"{command} --dry-run=client -o yaml"],
        cwd=ROOT,
        env={**os.environ, **ADDRESSES, "PATH": f"{Path(program).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    secret = yaml.safe_load(made.stdout)
    assert (secret["metadata"]["namespace"], secret["metadata"]["name"]) == ("gmp-public", "alertmanager")
    text = base64.b64decode(secret["data"]["alertmanager.yaml"]).decode()
    receivers = yaml.safe_load(text)["receivers"]
    assert {one["name"]: [hook["url"] for hook in one["webhook_configs"]] for one in receivers} == {
        "page": [ADDRESSES["PAGE_URL"]],
        "message": [ADDRESSES["MESSAGE_URL"]],
    }
    assert "url_file" not in text
    if amtool := shutil.which("amtool"):
        (tmp_path / "alertmanager.yaml").write_text(text, encoding="utf-8")
        checked = subprocess.run(
            [amtool, "check-config", tmp_path / "alertmanager.yaml"], capture_output=True, text=True
        )
        assert checked.returncode == 0, checked.stderr
