"""The token of the cluster that a RayService runs, read from a Kubernetes API with the official client."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from football_assets.runtime.cluster_token import ServeUnreachable, cluster_token
from football_assets.runtime.serve_discovery import find_serve
from football_assets.settings import Settings

pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")

PLACE = "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
SERVICE = "/apis/ray.io/v1/namespaces/football-serve/rayservices/football"
SECRETS = "/api/v1/namespaces/football-serve/secrets/"


class Api:
    """Answers by path; a path that is missing gets 404, as for what does not exist."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.runs("football-raycluster-abcde", "dG9rZW4=")

    def runs(self, cluster: str, token: str) -> None:
        self.answers[SERVICE] = {"status": {"activeServiceStatus": {"rayClusterName": cluster}}}
        secret = {
            "kind": "Secret",
            "apiVersion": "v1",
            "metadata": {"name": cluster},
            "data": {"auth_token": token},
        }
        self.answers[SECRETS + cluster] = secret


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    state = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.path, self.headers.get("Authorization")))
            content = json.dumps(state.answers.get(self.path, {"kind": "Status"})).encode()
            self.send_response(200 if self.path in state.answers else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
        "users": [{"name": "test", "user": {"token": "of-the-pod"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.setattr(PLACE, str(file))
    yield state
    server.shutdown()
    server.server_close()


def test_the_token_is_that_of_the_active_cluster_and_read_anew_after_an_upgrade(api: Api) -> None:
    assert cluster_token("football-serve/football") == "token"
    assert api.asked[0] == (SERVICE, "Bearer of-the-pod")

    api.runs("football-raycluster-fghij", base64.b64encode(b"another").decode())
    assert cluster_token("football-serve/football") == "another"
    assert api.asked[-1][0] == SECRETS + "football-raycluster-fghij"


def test_dagster_finds_serve_of_the_cluster_with_its_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "FOOTBALL_SERVE_API", "http://football-head-svc.football-serve.svc.cluster.local:8265/"
    )
    monkeypatch.setenv("FOOTBALL_SERVE_TOKEN", "ignored")
    monkeypatch.setenv("FOOTBALL_SERVE_RAY_SERVICE", "football-serve/football")
    address = find_serve(Settings())
    assert address.url == "http://football-head-svc.football-serve.svc.cluster.local:8265"
    assert address.token == "token"
    assert "token=" not in repr(address)


def test_a_service_that_has_no_cluster_yet_or_does_not_exist_is_told(api: Api) -> None:
    with pytest.raises(ServeUnreachable, match="RayService football-serve/other cannot be read: Not Found"):
        cluster_token("football-serve/other")
    api.answers[SERVICE] = {"status": {}}
    with pytest.raises(ServeUnreachable, match="no active cluster yet"):
        cluster_token("football-serve/football")
    api.runs("football-raycluster-old", "")
    api.answers[SECRETS + "football-raycluster-old"] = {"kind": "Secret", "apiVersion": "v1", "data": {}}
    with pytest.raises(ServeUnreachable, match="has no key auth_token: use KubeRay 1.5.1"):
        cluster_token("football-serve/football")


def test_without_a_cluster_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(PLACE, str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ServeUnreachable, match="runs in no pod and has no kubeconfig"):
        cluster_token("football-serve/football")
