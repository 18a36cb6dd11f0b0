"""A service on the demo's model, clients of its API in this process and of `football serve`, and the API on a port."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from football_assets.registry.store import ALIASES_OBJECT
from football_assets.storage.bucket import Bucket
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.demo import copy_bucket
from football_assets_tests.builders.metric_processes import Replica
from football_assets_tests.builders.running import KEY, NEED_A_MODEL, Client, ServingLog
from football_assets_tests.end_to_end.serving import Server, run_server, wait_until
from serve.api import build_api
from serve.backend import Backend
from serve.logs import logger
from serve.metrics import ServingMetrics
from serve.middleware import Limits
from serve.prediction_log import PredictionLog
from serve.service import ForecastService, ModelChoice

MakeClient = Callable[..., Client]
START_SECONDS = 60


def make_service(bucket: Bucket, scratch: Path) -> ForecastService:
    service = ForecastService(bucket, scratch, ServingMetrics())
    service.load(ModelChoice())
    service.refresh()
    return service


@pytest.fixture(scope="session")
def shared_service(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForecastService]:
    """A service for tests that do not change its bucket."""
    folder = tmp_path_factory.mktemp("serve")
    service = make_service(copy_bucket(demo_home, folder / "bucket"), folder / "scratch")
    yield service
    service.close()


@dataclass
class RealServer:
    """A `football serve` that requires `KEY`, with its answers before it had a model, by method and path."""

    server: Server
    unready: dict[tuple[str, str], httpx.Response]


@pytest.fixture(scope="package")
def real_server(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Started without a version in production, which follows once every request that needs one has been answered."""
    home = tmp_path_factory.mktemp("real_server") / "home"
    bucket = copy_bucket(demo_home, home / "bucket")
    aliases = bucket.read(ALIASES_OBJECT)
    bucket.delete(ALIASES_OBJECT)
    with run_server(home, replicas=1, environment={"FOOTBALL_API_KEY": KEY}) as server:
        client = Client(url=server.url, key=KEY)
        unready = {
            (method, path): client.request(method, path, json=body) for method, path, body in NEED_A_MODEL
        }
        bucket.write(ALIASES_OBJECT, aliases)
        wait_until(lambda: client.get("/ready").status_code == 200, "the model is loaded")
        client.close()
        yield RealServer(server, unready)


@pytest.fixture(scope="package", params=["double", pytest.param("server", marks=pytest.mark.ray)])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of the application in this process, which requires no key, or of `football serve`, with its key."""
    if request.param == "server":
        client = Client(url=request.getfixturevalue("real_server").server.url, key=KEY)
    else:
        service = request.getfixturevalue("shared_service")
        client = Client(build_api(service, Backend(service), limits=Limits(), keys=()))
    yield client
    client.close()


@pytest.fixture(scope="package", params=["double", pytest.param("server", marks=pytest.mark.ray)])
def guarded(request: pytest.FixtureRequest) -> Iterator[Client]:
    """The same clients, without the key that both servers require."""
    if request.param == "server":
        client = Client(url=request.getfixturevalue("real_server").server.url)
    else:
        service = request.getfixturevalue("shared_service")
        client = Client(build_api(service, Backend(service), limits=Limits(), keys=[KEY]))
    yield client
    client.close()


@pytest.fixture
def serving_log() -> Iterator[ServingLog]:
    """What the application logs in this process. Ray Serve's logger passes nothing on to pytest's handlers."""
    handler = ServingLog()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


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
        keys: Sequence[str] = (),
    ) -> Client:
        app = build_api(service, Backend(service), limits=limits or Limits(), keys=keys)
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
    app = build_api(service, Backend(service), limits=Limits(), keys=())
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


@pytest.fixture
def metrics_folder(tmp_path: Path) -> Path:
    """The folder that serving processes share for their metrics."""
    return tmp_path / "metrics"


@pytest.fixture
def start_replica(metrics_folder: Path) -> Iterator[Callable[[], Replica]]:
    """Starts processes that keep metrics in the folder."""
    replicas: list[Replica] = []

    def start() -> Replica:
        replicas.append(Replica(metrics_folder))
        return replicas[-1]

    yield start
    for replica in replicas:
        replica.kill()


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    """An empty bucket."""
    return LocalBucket(tmp_path / "bucket")


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The folder of the open segments of a prediction log."""
    return tmp_path / "scratch" / "prediction_log"


@pytest.fixture
def log(bucket: LocalBucket, spool: Path) -> Iterator[PredictionLog]:
    """A prediction log on the empty bucket."""
    log = PredictionLog(bucket, spool)
    yield log
    log.close()
