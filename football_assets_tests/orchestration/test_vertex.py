"""Custom jobs of Vertex AI: what is sent, what ends a job, and what a person reads when Google says no."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from dagster import (
    AssetExecutionContext,
    MaterializeResult,
    PipesEnvContextInjector,
    PipesTempFileMessageReader,
    asset,
    materialize,
)

from football_assets.errors import FootballError
from football_assets.orchestration.vertex import (
    PipesVertexClient,
    VertexJob,
    authorised_session,
    read_job,
    vertex_client,
)
from football_assets.runtime.home import project_root
from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.vertex_server import VertexServer, run_vertex_server

FILE = project_root() / "deploy" / "training" / "vertex.yaml"


@pytest.fixture
def server() -> Iterator[VertexServer]:
    with run_vertex_server() as running:
        yield running


def job(server: VertexServer, code: str) -> VertexJob:
    """A job whose container runs some Python."""
    container = {"imageUri": "image", "command": ["python", "-c", code]}
    pools = [{"replicaCount": 1, "containerSpec": container}]
    return VertexJob(project="p", region="r", endpoint=server.address, jobSpec={"workerPoolSpecs": pools})


def run(ran: VertexJob) -> None:
    @asset
    def trained(context: AssetExecutionContext) -> MaterializeResult:
        client = PipesVertexClient(
            requests.Session(), PipesEnvContextInjector(), PipesTempFileMessageReader(), poll_seconds=0.1
        )
        return client.run(context=context, job=ran, extras={"answer": 42}).get_materialize_result()

    materialize([trained])


def test_the_file_of_the_project_is_a_job_without_telemetry_on_a_spot_machine_with_a_gpu() -> None:
    found = read_job(FILE)

    assert found.jobs_url == (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4/customJobs"
    )
    assert found.job_spec["scheduling"]["strategy"] == "SPOT"
    (pool,) = found.job_spec["workerPoolSpecs"]
    assert pool["machineSpec"]["acceleratorType"] == "NVIDIA_L4"
    assert {item["name"]: item["value"] for item in pool["containerSpec"]["env"]} == NO_TELEMETRY


@pytest.mark.parametrize("text", ["project: p\n", "[]", "{", "project: p\nregion: r\njobSpec: {}\n"])
def test_a_file_that_is_no_job_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.yaml").write_text(text)

    with pytest.raises(
        FootballError,
        match="FOOTBALL_VERTEX_JOB: .*job.yaml is not a job specification: .* Copy deploy/training",
    ):
        read_job(tmp_path / "job.yaml")


def test_variables_are_added_to_the_container_and_the_file_stays_as_it_was() -> None:
    found = read_job(FILE)
    before = yaml.safe_dump(found.job_spec)

    body: dict[str, Any] = found.request("name", {"a": "b"}, {"DAGSTER_PIPES_CONTEXT": "x"})

    (pool,) = body["jobSpec"]["workerPoolSpecs"]
    assert pool["containerSpec"]["env"][-1] == {"name": "DAGSTER_PIPES_CONTEXT", "value": "x"}
    assert yaml.safe_dump(found.job_spec) == before


def test_a_job_runs_to_its_end_through_an_outage_of_the_api(server: VertexServer) -> None:
    code = "from dagster_pipes import *\nwith open_dagster_pipes() as p: assert p.get_extra('answer') == 42"
    ran = job(server, code)
    server.first = [("GET", 503, {"error": {"message": "The service is unavailable."}})]

    run(ran)

    assert server.process is not None
    assert server.process.poll() == 0
    methods = [method for method, *_ in server.requests]
    assert methods[0] == "POST"
    assert set(methods[1:]) == {"GET"}


def test_a_job_that_fails_is_told_with_its_state(server: VertexServer) -> None:
    with pytest.raises(FootballError, match="ended as JOB_STATE_FAILED: see its log"):
        run(job(server, "raise SystemExit(3)"))


def test_a_job_that_google_rejects_is_told_with_googles_reason_and_sent_once(server: VertexServer) -> None:
    server.first = [("POST", 403, {"error": {"message": "Permission 'aiplatform.customJobs.create' denied"}})]

    with pytest.raises(FootballError, match="answered 403: Permission 'aiplatform.customJobs.create' denied"):
        run(job(server, "pass"))

    assert len(server.requests) == 1


def test_a_step_that_is_interrupted_cancels_its_job(
    server: VertexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: PipesVertexClient, url: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PipesVertexClient, "_wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(job(server, "import time; time.sleep(600)"))

    assert server.requests[-1][:2] == ("POST", "/v1/projects/p/locations/r/customJobs/77:cancel")


def test_a_local_bucket_and_missing_credentials_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FootballError, match=f"does not reach the bucket {tmp_path}: set FOOTBALL_BUCKET"):
        vertex_client(requests.Session(), LocalBucket(tmp_path), "prefix", 1.0)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(FootballError, match="needs Google credentials: run `gcloud auth"):
        authorised_session()
