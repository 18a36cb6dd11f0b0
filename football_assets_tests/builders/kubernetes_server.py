"""A server that answers like the API of Kubernetes, with KubeRay's operator behind it, and records every request."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from football_assets_tests.builders.json_server import run_json_server

CLUSTERS = "/apis/ray.io/v1/namespaces/{namespace}/rayclusters"
TOKEN = "5eed" * 16


@dataclass
class KubernetesServer:
    """The clusters that exist, and the requests so far: method, path and body."""

    address: str
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)

    def write_kubeconfig(self, path: Path) -> None:
        """Write a client's configuration for this server."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": self.address}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path.write_text(yaml.safe_dump(config))

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Act on a request and return status and body."""
        self.requests.append((method, path, body))
        kind, _, name = path.partition("/rayclusters")
        name = name.strip("/")
        if method == "POST":
            name = body["metadata"]["name"]
            ready = {
                "state": "ready",
                "endpoints": {"dashboard": "8265", "client": "10001"},
                "head": {"serviceIP": "10.0.0.7", "serviceName": f"{name}-head-svc"},
            }
            self.clusters[name] = {**body, "status": ready}
            return 201, self.clusters[name]
        if "/secrets/" in path and path.rpartition("/")[2] in self.clusters:
            return 200, {"kind": "Secret", "data": {"auth_token": base64.b64encode(TOKEN.encode()).decode()}}
        found = self.clusters.get(name.removesuffix("/status"))
        if found is None:
            return 404, {"kind": "Status", "reason": "NotFound", "code": 404, "message": f"{kind} {name}"}
        if method == "DELETE":
            del self.clusters[name]
        return 200, found


@contextmanager
def run_kubernetes_server(kind: type[KubernetesServer] = KubernetesServer) -> Iterator[KubernetesServer]:
    """Serve on a free port, with the answers of a kind of server."""
    with run_json_server(lambda method, path, _, body: known.answer(method, path, body)) as address:
        known = kind(address)
        yield known
