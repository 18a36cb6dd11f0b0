"""Fixtures and settings of all tests: one thread for numerical libraries, simulated countries, and the demo's home."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.ast_parsing import parse_without_collection
from football_assets_tests.builders.demo import copy_bucket, make_demo
from football_assets_tests.builders.gcs_server import Front, GcsServer, run_front, run_gcs_server
from football_assets_tests.builders.sharing import shared_folder
from football_assets_tests.builders.webhook_server import Receiver, run_receiver
from football_assets_tests.builders.worlds import SimulatedCountries, simulated_countries
from football_assets_tests.collection import parameter_id
from football_assets_tests.markers import markers_of

pytest_plugins = ["football_assets_tests.builders.fits"]

ast.parse = parse_without_collection()  # type: ignore[assignment]

# A busy machine exceeds any deadline of an example, and tests do not measure time.
settings.register_profile("without_deadline", deadline=None)
settings.load_profile("without_deadline")

# For small matrices, threads wait for each other longer than they compute. Child processes inherit the variables.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# `make test` passes its options on by these variables. A test that runs make or pytest gives options of its own.
for variable in ("GNUMAKEFLAGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTEST_ADDOPTS"):
    os.environ.pop(variable, None)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Give a parameter the same name in every worker."""
    return parameter_id(val, argname)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its markers."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(folder):
            test = f"{item.path.relative_to(folder).as_posix()}::{item.nodeid.partition('::')[2]}"
            for marker in markers_of(test, getattr(item, "fixturenames", ())):
                item.add_marker(marker)


@pytest.fixture(scope="session")
def countries(tmp_path_factory: pytest.TempPathFactory) -> SimulatedCountries:
    """Simulated countries with their feature tables, shared by all workers and read-only.

    TESTS_COUNTRIES_FOLDER names a folder that keeps them between test sessions; it is not rebuilt when the code
    changes.
    """
    with shared_folder(tmp_path_factory, "countries", "TESTS_COUNTRIES_FOLDER") as folder:
        return simulated_countries(folder)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after `football demo`, shared by all workers and read-only. `demo.json` is beside it.

    TESTS_DEMO_FOLDER names a folder that keeps it between test sessions; it is not rebuilt when the code changes.
    """
    with shared_folder(tmp_path_factory, "demo", "TESTS_DEMO_FOLDER") as folder:
        return make_demo(folder / "demo")


@pytest.fixture
def demo_bucket(demo_home: Path, tmp_path: Path) -> LocalBucket:
    """A copy of the demo's bucket that the test may change."""
    return copy_bucket(demo_home, tmp_path / "demo_bucket")


@pytest.fixture(scope="session")
def gcs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GcsServer]:
    """A server of the Google Cloud Storage API, which this process and those it starts use as the real one."""
    with (
        run_gcs_server(tmp_path_factory.mktemp("gcs")) as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture
def gcs_url(gcs_server: GcsServer) -> str:
    """URL of a part of an otherwise empty bucket in Google Cloud Storage."""
    return f"gs://{gcs_server.make_bucket()}/deep/part"


@pytest.fixture
def versioned_gcs_url(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a part of an empty bucket whose server keeps the versions of its objects, in memory."""
    with run_gcs_server(tmp_path_factory.mktemp("versions"), in_memory=True) as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield f"gs://{server.make_bucket(versioned=True)}/deep/part"


@pytest.fixture
def gcs_front(gcs_server: GcsServer) -> Iterator[Front]:
    """Proxies the server and fails as the test says. It checks conditions of deletions, as the real one does."""
    with run_front(gcs_server) as front:
        yield front


@pytest.fixture(params=["folder", "gcs"])
def bucket_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty bucket of either kind."""
    if request.param == "folder":
        return str(tmp_path / "bucket")
    url: str = request.getfixturevalue("gcs_url")
    return url


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook."""
    with run_receiver() as receiver:
        yield receiver
