"""A Ray cluster on Kubernetes for one step, through dagster-ray: created from a manifest, deleted after the step."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from dagster import AssetExecutionContext

from football_assets.errors import FootballError
from football_assets.runtime.environment import environment

if TYPE_CHECKING:
    from dagster_ray.kuberay import KubeRayCluster

StepContext = AssetExecutionContext
KIND = "RayCluster"
_TOKEN_KEY = "auth_token"  # of the Secret that KubeRay creates
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_EXTRA = "football-assets[kuberay]"


@contextmanager
def ray_for_step(context: StepContext, manifest: Path | None) -> Iterator[None]:
    """Create a Ray cluster, set RAY_ADDRESS to it while the block runs, and delete the cluster afterwards.

    Parameters
    ----------
    context
        Context of the step. The cluster's name and labels identify its run.
    manifest
        YAML file with a RayCluster. None: no cluster is created, and RAY_ADDRESS is not changed.

    Raises
    ------
    FootballError
        The manifest has no RayCluster, or dagster-ray is not installed.
    """
    if manifest is None:
        yield
        return
    step = context.op_execution_context
    with kuberay_cluster(manifest).yield_for_execution(step) as cluster:
        variables = {"RAY_ADDRESS": cluster.ray_address}
        token = _token_of(cluster)
        if token is not None:
            variables |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        context.log.info(f"Training on {cluster.display_name} at {cluster.ray_address}")
        with environment(variables):
            yield


def kuberay_cluster(manifest: Path) -> "KubeRayCluster":
    """Build dagster-ray's resource for the cluster of a manifest.

    The name in the manifest is ignored, since each run gets a separate cluster. The namespace is that of the manifest,
    else that of this pod, else `default`.

    Raises
    ------
    FootballError
        The manifest has no RayCluster, or dagster-ray is not installed.
    """
    given = _read(manifest)
    try:
        from dagster_ray import Lifecycle
        from dagster_ray.kuberay import KubeRayCluster, RayClusterConfig
        from dagster_ray.kuberay.client import RayClusterClient
        from dagster_ray.kuberay.configs import RayClusterSpec
    except ImportError as error:
        raise FootballError(
            f"FOOTBALL_RAY_CLUSTER is set, and {error.name} is not installed: pip install '{_EXTRA}'."
        ) from error
    metadata = {name: value for name, value in given["metadata"].items() if name != "name"}
    metadata.setdefault("namespace", _namespace())
    spec = {_snake_case(name): value for name, value in given["spec"].items()}
    return KubeRayCluster(
        ray_cluster=RayClusterConfig(metadata=metadata, spec=RayClusterSpec(**spec)),
        lifecycle=Lifecycle(connect=False, cleanup="always"),  # training connects
        client=RayClusterClient(),
    )


def _read(manifest: Path) -> dict[str, Any]:
    try:
        documents = list(yaml.safe_load_all(manifest.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FootballError(f"FOOTBALL_RAY_CLUSTER: {manifest} cannot be read: {error}") from error
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == KIND:
            return {"metadata": document.get("metadata") or {}, "spec": document.get("spec") or {}}
    raise FootballError(
        f"FOOTBALL_RAY_CLUSTER: {manifest} has no {KIND}: copy deploy/training/raycluster.yaml."
    )


def _token_of(cluster: "KubeRayCluster") -> str | None:
    """Read the token from the Secret of the cluster's name; None where the cluster has no token authentication."""
    options = cluster.ray_cluster.spec.auth_options
    if options is None or options.mode != "token":
        return None
    from kubernetes.client import CoreV1Api

    secret = options.secret_name or cluster.name
    found = CoreV1Api(cluster.client.api_client).read_namespaced_secret(secret, cluster.namespace)
    return base64.b64decode(found.data[_TOKEN_KEY]).decode()


def _namespace() -> str:
    return _OWN_NAMESPACE.read_text().strip() if _OWN_NAMESPACE.is_file() else "default"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
