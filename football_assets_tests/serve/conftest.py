"""A service on the demo's model, a client of its API, and the API on a real port."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn

from football_assets.bucket import Bucket, LocalBucket
from football_assets_tests.demo import copy_bucket
from football_assets_tests.serve.running import Client
from serve.api import build_api
from serve.backend import Backend
from serve.metrics import ServingMetrics
from serve.middleware import Limits
from serve.service import ForecastService, ModelChoice

MakeClient = Callable[..., Client]
START_SECONDS = 60


def make_service(bucket: Bucket, scratch: Path) -> ForecastService:
    service = ForecastService(bucket, scratch, ServingMetrics())
    service.use(ModelChoice())
    service.refresh()
    return service


@pytest.fixture(scope="session")
def shared_service(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForecastService]:
    """For tests that ask and change nothing in the bucket."""
    folder = tmp_path_factory.mktemp("serve")
    service = make_service(copy_bucket(demo_home, folder / "bucket"), folder / "scratch")
    yield service
    service.close()


@pytest.fixture(scope="session")
def client(shared_service: ForecastService) -> Iterator[Client]:
    """A client of the shared service, without a key."""
    client = Client(build_api(shared_service, Backend(shared_service), limits=Limits(), api_key=None))
    yield client
    client.close()


@pytest.fixture
def service(demo_bucket: LocalBucket, tmp_path: Path) -> Iterator[ForecastService]:
    """A service of the test's own, on a bucket of its own."""
    service = make_service(demo_bucket, tmp_path / "scratch")
    yield service
    service.close()


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Makes clients of a service, with limits or a key of the test's choice."""
    clients: list[Client] = []

    def make(
        service: ForecastService,
        limits: Limits | None = None,
        api_key: str | None = None,
    ) -> Client:
        app = build_api(service, Backend(service), limits=limits or Limits(), api_key=api_key)
        clients.append(Client(app))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def server_url(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the API, served over TCP on a free port of this host."""
    folder = tmp_path_factory.mktemp("server")
    service = make_service(copy_bucket(demo_home, folder / "bucket"), folder / "scratch")
    app = build_api(service, Backend(service), limits=Limits(), api_key=None)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server has ended"
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
    service.close()
