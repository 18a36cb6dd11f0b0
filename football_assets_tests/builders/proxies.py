"""HAProxy before a small replica, with the configuration that the pinned Ray generates."""

import csv
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from football_assets_tests.builders.ports import free_port
from serve import haproxy
from serve.haproxy import edit
from serve.haproxy_rates import FURTHER_KEYS, KEY, RateLimit, key_variables
from serve.launch import CONFIG, listen_addresses, ray_environment

WRAPPER = CONFIG.parent / "haproxy.sh"
BACKEND = "http-football"

# The only place that uses Ray's private classes of HAProxy: another Ray may write another configuration.
_GENERATE = """
import json, sys
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions
file, port, prefix, replicas, options = json.loads(sys.argv[1])
config = HAProxyConfig(http_options=HTTPOptions(host="127.0.0.1", port=port, **options), is_head=True)
generator = HAProxyApi(config, config_file_path=file)
if replicas is not None:
    servers = [ServerConfig(f"SERVE_REPLICA-{port}", "127.0.0.1", port) for port in replicas]
    proxy = ServerConfig("SERVE_PROXY_ACTOR-1", "127.0.0.1", 1)
    backend = BackendConfig("http-football", prefix, servers=servers, app_name="football", fallback_server=proxy)
    generator.set_backend_configs({"http-football": backend})
generator._generate_config_file_internal()
"""


def generated(
    folder: Path,
    port: int = 8000,
    replicas: list[int] | None = None,
    prefix: str = "/",
    **options: object,
) -> str:
    """Return the configuration that Ray writes; without replicas, the one with which it starts HAProxy.

    `options` are further fields of Serve's HTTPOptions.
    """
    file = folder / "haproxy.cfg"
    subprocess.run(
        [sys.executable, "-c", _GENERATE, json.dumps([str(file), port, prefix, replicas, options])],
        env={**os.environ, **ray_environment(folder, [])},
        check=True,
    )
    return file.read_text()


def environment_of(folder: Path, addresses: list[str], binary: str | None = None) -> dict[str, str]:
    environment = {**os.environ, **ray_environment(folder, addresses)}
    return environment | ({haproxy.BINARY: binary} if binary else {})


@dataclass
class Replica:
    """A server that records requests, and holds those to `/predict` and pages while `free` is not set.

    It answers `/malformed` as uvicorn answers a request that it cannot parse.
    """

    port: int = 0
    requests: list[str] = field(default_factory=list)
    identifiers: list[list[str]] = field(default_factory=list)  # X-Request-ID of each request
    waiting: int = 0
    free: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running_replica() -> Iterator[Replica]:
    replica = Replica()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path != "/-/healthz":
                self._hold()
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._hold()
            self._answer()

        def _hold(self) -> None:
            with lock:
                replica.requests.append(f"{self.command} {self.path}")
                replica.identifiers.append(self.headers.get_all("X-Request-ID", []))
            if self.path not in ("/health", "/ready"):
                with lock:
                    replica.waiting += 1
                replica.free.wait(60)
                with lock:
                    replica.waiting -= 1

        def _answer(self) -> None:
            is_malformed = self.path == "/malformed"
            body = b"Invalid HTTP request received." if is_malformed else b"ok"
            self.send_response(400 if is_malformed else 200)
            if is_malformed:
                self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    replica.free.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    replica.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield replica
    finally:
        replica.free.set()
        server.shutdown()
        server.server_close()


@dataclass(frozen=True)
class Proxy:
    """A running HAProxy. `configuration` is the file after its start."""

    port: int
    replica: Replica
    configuration: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_proxy(
    folder: Path,
    host: str = "127.0.0.1",
    *,
    from_zero: bool = False,
    keys: Sequence[str] = (),
    rate: RateLimit | None = None,
    **limits: int,
) -> Iterator[Proxy]:
    """Run HAProxy as Ray starts it, before one replica.

    Parameters
    ----------
    from_zero
        The application has no replica and may have none; the server is Serve's own proxy.
    keys
        Those of FOOTBALL_API_KEY, and of FOOTBALL_API_KEYS, in HAProxy's environment.
    rate
        Requests of each client.
    limits
        Seconds that replace a time limit of the edited configuration: `http_request`, `queue`.
    """
    with ExitStack() as stack:
        replica = stack.enter_context(running_replica())
        port = free_port()
        addresses = listen_addresses(host, port)
        written = generated(folder, port, [] if from_zero else [replica.port])
        if from_zero:
            written = written.replace("127.0.0.1:1 check backup", f"127.0.0.1:{replica.port} check backup")
        environment = (
            dict(zip((KEY, FURTHER_KEYS), (keys[0], ",".join(keys[1:])), strict=True)) if keys else {}
        )
        variables = key_variables(environment)
        from_zero_names = ["football"] if from_zero else []
        text = edit(written, addresses, from_zero_names, keys=list(variables), limit=rate)
        for name, seconds in limits.items():
            text, count = re.subn(
                rf"timeout {name.replace('_', '-')} \d+s",
                f"timeout {name.replace('_', '-')} {seconds}s",
                text,
            )
            assert count
        file = folder / "haproxy.cfg"
        file.write_text(text)
        process = subprocess.Popen(
            [WRAPPER, "-db", "-f", file],
            env=environment_of(folder, addresses) | environment,
            stdout=subprocess.DEVNULL,
            stderr=stack.enter_context((folder / "errors").open("wb")),
        )
        try:
            proxy = Proxy(port, replica, file)
            answers_health = 503 if from_zero else 200
            wait_for(lambda: status(proxy, "/health") == answers_health, folder / "errors")
            replica.requests.clear()
            replica.identifiers.clear()
            yield proxy
        finally:
            process.kill()
            process.wait()


def status(proxy: Proxy, path: str) -> int | None:
    try:
        return httpx.get(proxy.url + path, timeout=30).status_code
    except httpx.TransportError:
        return None


def wait_for(condition: Callable[[], bool], errors: Path | None = None) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, errors.read_text() if errors else ""
        time.sleep(0.02)


def queued(proxy: Proxy) -> int:
    """Return the number of queued requests in HAProxy's statistics."""
    port = bound(proxy.configuration.read_text())[-1].rpartition(":")[2]
    text = httpx.get(f"http://127.0.0.1:{port}/stats;csv", timeout=30).text.removeprefix("# ")
    rows = csv.DictReader(text.splitlines())
    return sum(int(row["qcur"]) for row in rows if row["pxname"] == BACKEND and row["svname"] == "BACKEND")


def bound(configuration: str) -> list[str]:
    """Return the addresses that a configuration listens on."""
    return re.findall(r"^ *bind (.*)$", configuration, re.MULTILINE)
