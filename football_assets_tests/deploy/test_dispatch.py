"""The Cloud Function of deploy/gcp/dispatch: which objects start which workflow, and what GitHub is sent."""

import importlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from football_assets.registry.manifest import MANIFEST_FILE
from football_assets.registry.store import VERSIONS
from football_assets.runtime.home import project_root
from football_assets_tests.builders.json_server import run_json_server
from football_assets_tests.builders.ports import free_port

ROOT = project_root()
FOLDER = ROOT / "deploy" / "gcp" / "dispatch"
START_SECONDS = 60
REPOSITORY, TOKEN = "owner/name", "a-token-of-the-test"
MANIFEST = f"{VERSIONS}12/{MANIFEST_FILE}"
RESULTS = "raw/footballcsv/2015-16/eng.1.csv"


@pytest.fixture(scope="module")
def notification() -> Iterator[Any]:
    """The module of the function, imported from its folder as the platform does."""
    with pytest.MonkeyPatch.context() as environment:
        environment.syspath_prepend(str(FOLDER))
        yield importlib.import_module("notification")
        sys.modules.pop("notification")


@pytest.mark.parametrize(
    ("name", "kind", "payload"),
    [
        (RESULTS, "results-landed", {"object": RESULTS}),
        ("raw/a b/2015/E0.CSV", "results-landed", {"object": "raw/a b/2015/E0.CSV"}),
        (
            "raw/openfootball/2015-16/at.2.json",
            "results-landed",
            {"object": "raw/openfootball/2015-16/at.2.json"},
        ),
        (MANIFEST, "model-registered", {"version": "12"}),
    ],
)
def test_results_and_manifests_are_events(
    notification: Any, name: str, kind: str, payload: dict[str, str]
) -> None:
    event = notification.event_of(name, "7")

    assert event.kind == kind
    assert event.payload == payload | {"generation": "7"}


@pytest.mark.parametrize(
    "name",
    [
        "raw/footballcsv/2015-16/readme.txt",
        "tables/raw_matches/at.parquet",
        f"{VERSIONS}12/model.onnx",
        f"{VERSIONS}012/manifest.json",
        f"{VERSIONS}12/manifest.removed.json",
        "registry/aliases.json",
        "prediction_log/segments/2026-01-01/a.jsonl.gz",
        "other/raw/footballcsv/2015-16/eng.1.csv",
    ],
)
def test_other_objects_are_none(notification: Any, name: str) -> None:
    assert notification.event_of(name, "7") is None


@pytest.mark.parametrize("workflow", ["data", "model"])
def test_each_event_starts_the_workflow_that_reads_its_payload(notification: Any, workflow: str) -> None:
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text()
    triggers = yaml.load(text, Loader=yaml.BaseLoader)["on"]
    event = notification.event_of({"data": RESULTS, "model": MANIFEST}[workflow], "7")

    assert triggers["repository_dispatch"]["types"] == [event.kind]
    read = set(re.findall(r"client_payload\.(\w+)", text))
    assert read
    assert read <= event.payload.keys()
    assert read == triggers["workflow_dispatch"]["inputs"].keys()


def send_to(
    notification: Any,
    status: int,
    requests: list[tuple[str, str, str | None, Any]],
    headers: dict[str, str] | None = None,
    message: str = "",
) -> Callable[[], bool]:
    """Return a function that sends an event to a server which answers with a status, headers and a message."""

    def answer(method: str, path: str, headers: Message, body: Any) -> tuple[int, Any]:
        requests.append((method, path, headers["Authorization"], body))
        return status, {"message": message}

    def call() -> bool:
        event = notification.event_of(RESULTS, "7")
        with run_json_server(answer, headers) as address:
            return bool(notification.send(event, api=address, repository=REPOSITORY, token=TOKEN))

    return call


def test_github_is_sent_a_repository_dispatch(notification: Any) -> None:
    requests: list[tuple[str, str, str | None, Any]] = []

    assert send_to(notification, 204, requests)()
    assert requests == [
        (
            "POST",
            "/repos/owner/name/dispatches",
            f"Bearer {TOKEN}",
            {"event_type": "results-landed", "client_payload": {"object": RESULTS, "generation": "7"}},
        )
    ]


# Of an answer within GitHub's primary rate limit.
WITHIN_LIMIT = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999"}


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_what_no_attempt_changes_is_logged_without_the_token_and_not_sent_again(
    notification: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    message = "Resource not accessible by personal access token"

    assert not send_to(notification, status, [], WITHIN_LIMIT, message)()
    assert str(status) in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_an_error_so_that_the_event_is_delivered_again(notification: Any, status: int) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        send_to(notification, status, [])()


@pytest.mark.parametrize("status", [301, 307, 308])
def test_the_redirect_of_a_renamed_repository_is_logged_and_not_sent_again(
    notification: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    location = {"Location": "/repositories/1/dispatches"}
    requests: list[tuple[str, str, str | None, Any]] = []

    assert not send_to(notification, status, requests, location)()
    assert len(requests) == 1
    assert f"{REPOSITORY} with status {status}" in caplog.text
    assert "under this name" in caplog.text


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (WITHIN_LIMIT | {"retry-after": "60"}, ""),
        (WITHIN_LIMIT | {"x-ratelimit-remaining": "0"}, ""),
        (WITHIN_LIMIT, "You have exceeded a secondary rate limit. Please wait a few minutes."),
    ],
    ids=["retry-after", "no requests remain", "message"],
)
def test_a_rate_limit_with_status_403_is_an_error_so_that_the_event_is_delivered_again(
    notification: Any, headers: dict[str, str], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        send_to(notification, 403, [], headers, message)()
    assert caplog.text.count("GitHub rejected") == 0


@contextmanager
def run_function(api: str, folder: Path) -> Iterator[str]:
    """Run the function in the server that Cloud Functions runs it in; yields its address."""
    pytest.importorskip("functions_framework", reason="functions-framework is not installed")
    port = free_port()
    environment = {
        **os.environ,
        "GITHUB_API": api,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": f"{TOKEN}\n",  # as an editor ends a file
        "BUCKET_PREFIX": "prod/",
    }
    command = [
        *(
            sys.executable,
            "-m",
            "functions_framework",
            "--target",
            "dispatch",
            "--signature-type",
            "cloudevent",
        ),
        *("--source", str(FOLDER / "main.py"), "--host", "127.0.0.1", "--port", str(port)),
    ]
    with (
        (folder / "function.log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def cloud_event(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and body of the event that Eventarc delivers for an object."""
    headers = {
        "ce-id": "1",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-source": "//storage.googleapis.com/projects/_/buckets/football",
        "ce-subject": f"objects/{name}",
    }
    return headers, {"bucket": "football", "name": name, "generation": "1700000000000000", "size": "10"}


def test_the_function_in_its_server_sends_what_a_real_event_says(tmp_path: Path) -> None:
    sent: list[Any] = []
    statuses = [503, 204, 204]

    def answer(method: str, path: str, headers: Message, body: Any) -> tuple[int, Any]:
        sent.append((headers["Authorization"], body["event_type"], body["client_payload"]))
        return statuses.pop(0), {}

    with run_json_server(answer) as api, run_function(api, tmp_path) as address:

        def deliver(name: str) -> int:
            headers, body = cloud_event(name)
            return httpx.post(address, headers=headers, json=body, timeout=30).status_code

        assert deliver(f"prod/{RESULTS}") == 500, "Eventarc delivers it again"
        assert deliver(f"prod/{RESULTS}") == 200
        assert deliver(f"prod/{MANIFEST}") == 200
        assert deliver(f"prod/{VERSIONS}12/model.onnx") == 200
        assert deliver(RESULTS) == 200, "an object of another prefix"

    generation = {"generation": "1700000000000000"}
    results = (f"Bearer {TOKEN}", "results-landed", {"object": RESULTS} | generation)
    assert sent == [results, results, (f"Bearer {TOKEN}", "model-registered", {"version": "12"} | generation)]


def test_every_package_of_the_function_is_pinned_as_in_the_constraints_where_both_have_it() -> None:
    def pins(file: Path) -> dict[str, str]:
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert all(line.count("==") == 1 for line in lines)
        return {
            re.sub(r"[-_.]+", "-", name).lower(): version
            for name, version in (line.split("==") for line in lines)
        }

    function, project = pins(FOLDER / "requirements.txt"), pins(ROOT / "constraints.txt")

    assert {"functions-framework", "httpx"} <= function.keys()
    assert {name: function[name] for name in function.keys() & project.keys()} == {
        name: project[name] for name in function.keys() & project.keys()
    }
