"""A server that speaks Ray Serve's REST API as Ray 2.60 does, and answers `/health` like the replicas behind it.

What it says of an application was recorded from a running one, without what nobody here reads.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "0123456789abcdef" * 4
USER_CONFIG = {"version": "production", "provider": "auto", "threads": 1, "poll_seconds": 2}
DEPLOYMENT = {
    "name": "Forecaster",
    "max_ongoing_requests": 1024,
    "user_config": USER_CONFIG,
    "autoscaling_config": {"min_replicas": 1, "max_replicas": 2, "target_ongoing_requests": 8},
    "graceful_shutdown_timeout_s": 10.0,
    "ray_actor_options": {"num_cpus": 1.0, "num_gpus": 0.0},
}


@dataclass
class Replica:
    """A replica: the version that answers, and why another does not."""

    name: str
    version: int | None = 1
    error: str | None = None
    state: str = "RUNNING"


@dataclass
class ServeServer:
    """The configuration of a Serve application and what its replicas do.

    Replicas follow the alias `production` by themselves, one at each request for the state. Those in `stuck` do so only
    when they are reconfigured, which happens after a change of `user_config` and takes `steps` requests, one replica at
    each of the last. `loads` are the versions that replicas tried. `unloadable`: why replicas cannot load a version.
    """

    url: str = ""
    session: str = "d16b563a2c4248c16d85e6ae02000000"
    production: int = 1
    replicas: list[Replica] = field(default_factory=lambda: [Replica("first"), Replica("second")])
    unloadable: dict[int, str] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    loads: list[tuple[str, int]] = field(default_factory=list)
    put: list[dict[str, Any]] = field(default_factory=list)
    refuse_put: str | None = None
    host: str = "127.0.0.1"
    route_prefix: str = "/"
    status: str = "RUNNING"
    message: str = ""
    steps: int = 4
    on_state: Callable[["ServeServer"], None] = lambda _: None
    deployed: bool = True
    config: dict[str, Any] = field(default_factory=lambda: application_config())
    taken_up: dict[str, Any] = field(default_factory=lambda: dict(USER_CONFIG))
    _left: int = 0
    times_asked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def user_config(self) -> dict[str, Any]:
        """What replicas are configured with."""
        user_config: dict[str, Any] = self.config["deployments"][0]["user_config"]
        return user_config

    @property
    def wanted(self) -> int | str:
        version: int | str = self.user_config["version"]
        return version

    def take(self, config: dict[str, Any]) -> None:
        self.put.append(config)
        before = self.user_config
        (self.config,) = deepcopy(config["applications"])
        if self.user_config != before:
            self._left = self.steps

    def details(self) -> dict[str, Any]:
        """One step on the way to the configuration, and the state after it."""
        with self._lock:
            self.on_state(self)
            if self._left:
                self._left -= 1
                if self._left < self.steps - 1:
                    self.taken_up = dict(self.user_config)
                if self._left < len(self.replicas):
                    self.stuck.discard(self.replicas[self._left].name)
                    self._load(self.replicas[self._left])
            elif self.wanted == "production":
                behind = (item for item in self.replicas if item.version != self.production)
                follower = next((item for item in behind if item.name not in self.stuck), None)
                if follower is not None:
                    self._load(follower)
            return self._describe()

    def health(self) -> dict[str, Any]:
        """What the next replica in turn says of itself."""
        with self._lock:
            answering = [item for item in self.replicas if item.state not in ("STARTING", "STOPPING")]
            replica = answering[self.times_asked % len(answering)]
            self.times_asked += 1
        return {
            "status": "degraded" if replica.error else "ok",
            "model_version": replica.version,
            "provider": "CPUExecutionProvider",
            "replica": f"{replica.name}-process",
            "uptime_seconds": 1.0,
            "model_error": replica.error,
            "log_error": None,
        }

    def _load(self, replica: Replica) -> None:
        version = self.production if self.wanted == "production" else int(self.wanted)
        self.loads.append((replica.name, version))
        replica.error = self.unloadable.get(version)
        if replica.error is None:
            replica.version = version

    def _describe(self) -> dict[str, Any]:
        changing = self._left > 0
        deployment = {
            "name": "Forecaster",
            "status": "UPDATING" if changing and self.taken_up == self.user_config else "HEALTHY",
            "message": "",
            "deployment_config": {**DEPLOYMENT, "user_config": self.taken_up},
            "target_num_replicas": len([item for item in self.replicas if item.state != "STOPPING"]),
            "replicas": [
                {"replica_id": item.name, "state": item.state, "node_ip": "127.0.0.1"}
                for item in self.replicas
            ],
        }
        application = {
            "name": "football",
            "route_prefix": self.route_prefix,
            "status": "DEPLOYING" if changing else self.status,
            "message": self.message,
            "deployed_app_config": self.config,
            "source": "declarative",
            "deployments": {"Forecaster": deployment},
        }
        return {
            "controller_info": {"actor_id": self.session, "node_ip": "127.0.0.1"},
            "proxy_location": "HeadOnly",
            "http_options": {
                "host": self.host,
                "port": int(self.url.rpartition(":")[2]),
                "root_path": "",
                "request_timeout_s": 30.0,
            },
            "grpc_options": {"port": 9000, "grpc_servicer_functions": []},
            "proxies": {"c935": {"node_ip": "127.0.0.1", "status": "HEALTHY"}},
            "applications": {"football": application} if self.deployed else {},
            "target_capacity": None,
        }


def application_config() -> dict[str, Any]:
    """The application as it was configured."""
    return {
        "name": "football",
        "route_prefix": "/",
        "import_path": "serve.app:build",
        "args": {"requests_at_once": 64},
        "logging_config": {"enable_access_log": False},
        "deployments": [deepcopy(DEPLOYMENT)],
    }


@contextmanager
def serve_server() -> Iterator[ServeServer]:
    """A server on a free port; its REST API asks for `TOKEN`, `/health` for nothing."""
    state = ServeServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == f"{state.route_prefix.rstrip('/')}/health":
                self._answer(200, json.dumps(state.health()))
            elif self._is_allowed():
                self._answer(200, json.dumps(state.details()))

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self._is_allowed():
                return
            if state.refuse_put is not None:
                self._answer(400, state.refuse_put)
                return
            state.take(json.loads(body))
            self._answer(200, "")

        def _is_allowed(self) -> bool:
            if self.path != "/api/serve/applications/":
                self._answer(404, "404: Not Found")
                return False
            given = self.headers.get("Authorization")
            if given is None:
                self._answer(401, "Unauthorized: Missing authentication token")
            elif given != f"Bearer {TOKEN}":
                self._answer(403, "Forbidden: Invalid authentication token")
            return given == f"Bearer {TOKEN}"

        def _answer(self, status: int, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
