"""The commands of the pages on deployment work, and their names are those of the manifests."""

import base64
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from football_assets_tests.deploy.manifests import DEPLOY, ROOT, kubectl, namespace_of, render_folder

ADDRESSES = {
    "PAGE_URL": "https://pages.example/hook?team=a&token=b|c",
    "MESSAGE_URL": "https://messages.example/hook/$1",
}
IMAGE = re.compile(r"\bfootball-assets-(?:pipeline|serve)(?:-\w+)?(?::[\w.]+)?")


def page(name: str) -> str:
    return (ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")


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


def built() -> set[str]:
    """The images of `make image`, of both variants, with the default tag."""
    command = ["make", "--dry-run", "--silent", "image", "BUILDER=docker"]
    shown = [
        subprocess.run([*command, f"VARIANT={variant}"], cwd=ROOT, capture_output=True, text=True, check=True)
        for variant in ("cpu", "cuda")
    ]
    return {name for done in shown for name in re.findall(r"--tag (\S+)", done.stdout)}


def test_every_file_names_the_images_that_make_image_builds() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    names = {"pipeline", "pipeline-cuda", "serve", "serve-gpu"}
    assert built() == {f"football-assets-{name}:{version}" for name in names}

    named: dict[str, set[str]] = {}
    for file in ("compose.yaml", *(f"deploy/training/{name}.yaml" for name in ("raycluster", "vertex"))):
        text = re.sub(r"#.*", "", (ROOT / file).read_text(encoding="utf-8"))
        named[file] = set(IMAGE.findall(text))
    for overlay in ("local", "gke"):
        folder = ROOT / "deploy" / "overlays" / overlay
        named[f"{overlay}/run-image"] = set(IMAGE.findall((folder / "run-image.yaml").read_text("utf-8")))
        kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
        named[overlay] = {
            f"{image.get('newName', image['name']).rpartition('/')[2]}:{image['newTag']}"
            for image in kustomization["images"]
            if IMAGE.match(image["name"])
        }
        assert {name.partition(":")[0] for name in named[overlay]} == {
            image["name"] for image in kustomization["images"] if IMAGE.match(image["name"])
        }
        assert len(named[overlay]) == 3
        for map_ in kustomization.get("configMapGenerator", []):
            named[overlay] |= set(IMAGE.findall("\n".join(map_["literals"])))
    assert all(named.values())
    assert {file: images - built() for file, images in named.items() if images - built()} == {}


def test_the_pages_push_every_image_that_is_built() -> None:
    (images,) = re.findall(r"^for image in (.*); do$", page("images.md"), re.MULTILINE)
    assert {image.partition(":")[0] for image in built()} == set(images.split())
    assert "images.md#build" in page("kubernetes.md")


@pytest.mark.skipif(kubectl() is None, reason="kubectl is not installed")
def test_the_patch_for_another_port_of_the_api_server_reaches_every_rule_with_it(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(patches:\n.*?)^```$", page("kubernetes.md"), re.MULTILINE | re.DOTALL)
    overlay = os.path.relpath(DEPLOY / "overlays" / "local", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{overlay}]\n{text}", encoding="utf-8")
    rules = [
        (namespace_of(item), {port["port"] for port in rule["ports"]})
        for item in render_folder(tmp_path)
        if item["kind"] == "NetworkPolicy"
        for rule in item["spec"].get("egress", [])
        if {"port": 6443} in rule.get("ports", [])
    ]
    both = ("football-dagster", "football-serve")
    assert sorted(rules) == [(namespace, {443, 6443, 16443}) for namespace in both]


def test_the_page_on_gke_makes_the_resources_with_terraform_and_reads_its_outputs() -> None:
    text = page("gke.md")
    outputs = set()
    for file in (DEPLOY / "gcp").glob("*.tf"):
        outputs |= set(re.findall(r'^output "(\w+)"', file.read_text(encoding="utf-8"), re.MULTILINE))
    cells = re.findall(r"^ +\| .* \| `(\w+)` \|$", text, re.MULTILINE)
    assert text.index("terraform apply") < text.index("kubectl apply -k")
    assert {
        *("bucket", "images", "database_host", "database_range", "service_accounts"),
        *("certificate_map", "gateway_address_name"),
    } <= set(cells)
    named = set(re.findall(r"output\s+`(\w+)`", text))
    assert {"dns_records", "gateway_address", "credentials_command"} <= named
    assert set(cells) | named <= outputs
    assert not re.search(r"gcloud iam|roles/", text), "the rights are those of deploy/gcp"
    assert "images.md#build" in text


def test_limits_of_retention_are_set_where_the_pods_of_runs_read_them() -> None:
    instance = yaml.safe_load((DEPLOY / "base" / "dagster" / "dagster.yaml").read_text(encoding="utf-8"))
    (name,) = instance["run_launcher"]["config"]["env_config_maps"]
    how = page("retention.md").partition("## Change a limit")[2].partition("\n## ")[0]
    assert f"On Kubernetes set the variables in the ConfigMap `{name}`" in how
