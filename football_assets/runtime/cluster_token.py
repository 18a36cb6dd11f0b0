"""The token of a Ray cluster that KubeRay runs, from the Kubernetes API.

With `authOptions` KubeRay makes a token for each cluster and keeps it in a Secret of the cluster's name. A RayService
replaces its cluster, and with it the name and the token, at each upgrade, so the token is read when it is needed.
"""

import base64
from typing import Any

from football_assets.errors import FootballError

SECRET_KEY = "auth_token"


class ServeUnreachable(FootballError):
    """No Ray Serve runs on the home, or it does not answer."""


def cluster_token(service: str) -> str:
    """Read the token of the cluster that a RayService runs at present.

    Parameters
    ----------
    service
        `namespace/name` of the RayService.

    Raises
    ------
    FootballError
        The Kubernetes client is not installed.
    ServeUnreachable
        The Kubernetes API is not reached or denies access, or the RayService has no active cluster yet.
    """
    try:
        from kubernetes import client, config
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError
    except ImportError as error:
        raise FootballError(
            "FOOTBALL_SERVE_RAY_SERVICE needs the Kubernetes client: install football-assets[kubernetes]."
        ) from error
    namespace, _, name = service.partition("/")
    try:
        try:
            config.load_incluster_config()
        except config.ConfigException:
            config.load_kube_config()
        found: dict[str, Any] = client.CustomObjectsApi().get_namespaced_custom_object(
            "ray.io", "v1", namespace, "rayservices", name
        )
        cluster = found.get("status", {}).get("activeServiceStatus", {}).get("rayClusterName")
        if not cluster:
            raise ServeUnreachable(f"RayService {service} has no active cluster yet: see its status.")
        secret = client.CoreV1Api().read_namespaced_secret(cluster, namespace)
    except config.ConfigException as error:
        raise ServeUnreachable(
            f"The token of RayService {service} cannot be read: this process runs in no pod and has no kubeconfig "
            f"({error})."
        ) from None
    except (ApiException, HTTPError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise ServeUnreachable(f"The token of RayService {service} cannot be read: {reason}.") from None
    encoded = (secret.data or {}).get(SECRET_KEY)
    if encoded is None:
        raise ServeUnreachable(
            f"Secret {namespace}/{cluster} has no key {SECRET_KEY}: use KubeRay 1.5.1 or newer."
        )
    return base64.b64decode(encoded).decode()
