"""Renders the overlays of `deploy/`, and finds in them what tests compare."""

import functools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OVERLAYS = ("local", "gke")
WORKLOADS = ("Deployment", "StatefulSet")

Document = dict[str, Any]

_OF_KEYS = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}
_OF_ALL = {"secretRef": "Secret", "configMapRef": "ConfigMap"}


def kubectl() -> str | None:
    """The kubectl of this environment, else the one on the path."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.is_file() else shutil.which("kubectl")


@functools.cache
def _rendered(folder: Path) -> str:
    program = kubectl()
    assert program is not None
    done = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(overlay: str) -> list[Document]:
    """The documents of an overlay as kustomize renders them."""
    return render_folder(DEPLOY / "overlays" / overlay)


def render_folder(folder: Path) -> list[Document]:
    """The documents of a folder as kustomize renders them."""
    return [document for document in yaml.safe_load_all(_rendered(folder)) if document]


def only(documents: list[Document], kind: str, name: str) -> Document:
    """The one document of a kind and name."""
    (found,) = (
        document for document in documents if (document["kind"], document["metadata"]["name"]) == (kind, name)
    )
    return found


def namespace_of(document: Document) -> str:
    return str(document["metadata"].get("namespace", ""))


def pod_templates(documents: list[Document]) -> Iterator[tuple[str, str, Document]]:
    """Namespace, a name for messages, and template of every pod."""
    for document in documents:
        if document["kind"] in WORKLOADS:
            yield namespace_of(document), document["metadata"]["name"], document["spec"]["template"]
        elif document["kind"] == "RayService":
            cluster = document["spec"]["rayClusterConfig"]
            yield namespace_of(document), "head", _of_group(cluster["headGroupSpec"]["template"], "headgroup")
            for group in cluster["workerGroupSpecs"]:
                name = group["groupName"]
                yield namespace_of(document), name, _of_group(group["template"], name)


def _of_group(template: Document, group: str) -> Document:
    """A template with the label that KubeRay adds to the pods of a group."""
    metadata = template["metadata"]
    return {**template, "metadata": {**metadata, "labels": {**metadata["labels"], "ray.io/group": group}}}


def containers(documents: list[Document]) -> Iterator[tuple[str, str, Document]]:
    """Namespace, a name for messages, and every container."""
    for namespace, name, template in pod_templates(documents):
        for container in template["spec"]["containers"]:
            yield namespace, f"{name}/{container['name']}", container


def references(template: Document, *, optional: bool = False) -> Iterator[tuple[str, str, str | None]]:
    """Kind, name and key of every Secret and ConfigMap that a pod needs, or may do without; key None: all of it."""
    for kind, name, key, is_optional in _references(template):
        if is_optional == optional:
            yield kind, name, key


def _references(template: Document) -> Iterator[tuple[str, str, str | None, bool]]:
    sources: list[tuple[str, Document, str]] = []
    for container in template["spec"]["containers"]:
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {})
            sources += [(kind, source[name], "name") for name, kind in _OF_KEYS.items() if name in source]
        for entry in container.get("envFrom", []):
            sources += [(kind, entry[name], "name") for name, kind in _OF_ALL.items() if name in entry]
    for volume in template["spec"].get("volumes", []):
        if "configMap" in volume:
            sources.append(("ConfigMap", volume["configMap"], "name"))
        if "secret" in volume:
            sources.append(("Secret", volume["secret"], "secretName"))
    for kind, source, name in sources:
        yield kind, source[name], source.get("key"), source.get("optional", False)
