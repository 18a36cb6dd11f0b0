"""A training in a job of Vertex AI gives the network of a training here; its process runs, only Google is simulated."""

from pathlib import Path

import pytest
import torch
import yaml
from dagster import AssetExecutionContext, DagsterRun, MaterializeResult, asset, materialize
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials

from football_assets.orchestration.resources import BucketResource
from football_assets.runtime.home import project_root
from football_assets.sequences.tensors import SequenceTensors
from football_assets.storage.artifacts import publish
from football_assets.training import places
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets.training.fit import Epoch, Fit, fit_forecaster
from football_assets.training.split import split_by_time
from football_assets_tests.builders.vertex_server import run_vertex_server
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries

CONFIG = TrainingConfig(
    network=NetworkConfig(hidden=8, trunk=8), split=SplitConfig(test_share=0.25), epochs=2, refit=True
)


def test_a_job_of_vertex_trains_what_a_training_here_trains(
    countries: SimulatedCountries, gcs_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tensors"
    folder.mkdir()
    tensors: SequenceTensors = countries.tensors(TRUTH, folder)
    split = split_by_time(tensors, CONFIG.split)
    bucket = BucketResource(url=gcs_url, scratch=str(tmp_path / "scratch"))
    inputs = {"tensors": publish(bucket.open(), "sequence_tensors", folder)}
    before = [item.name for item in bucket.open().list()]
    seen: list[Epoch] = []
    fits: list[Fit] = []

    @asset
    def trained(context: AssetExecutionContext) -> MaterializeResult:
        fit = places.fit_where_configured(context, bucket, tensors, split, CONFIG, inputs, seen.append)
        fits.append(fit)
        return MaterializeResult()

    with run_vertex_server() as server:
        given = yaml.safe_load((project_root() / "deploy" / "training" / "vertex.yaml").read_text())
        (tmp_path / "vertex.yaml").write_text(yaml.safe_dump(given | {"endpoint": server.address}))
        monkeypatch.setenv("FOOTBALL_VERTEX_JOB", str(tmp_path / "vertex.yaml"))
        monkeypatch.setattr(places, "authorised_session", lambda: AuthorizedSession(Credentials("a-token")))
        monkeypatch.setattr(places, "POLL_SECONDS", 0.5)
        result = materialize([trained])

    run: DagsterRun = result.dagster_run
    method, path, authorisation, body = server.requests[0]
    assert (method, path) == ("POST", "/v1/projects/my-project/locations/europe-west4/customJobs")
    assert authorisation == "Bearer a-token"
    assert body["displayName"] == f"football-{run.run_id[:8]}"
    assert body["labels"] == {"football-run": run.run_id}
    assert body["jobSpec"]["scheduling"] == given["jobSpec"]["scheduling"]
    container = body["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]
    assert (
        container["env"][: len(given["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["env"])]
        == (given["jobSpec"]["workerPoolSpecs"][0]["containerSpec"]["env"])
    )
    assert {item["name"] for item in container["env"]} >= {"DAGSTER_PIPES_CONTEXT", "DAGSTER_PIPES_MESSAGES"}
    assert server.requests[-1][:2] == ("GET", f"{path}/77")
    (fit,) = fits
    here = fit_forecaster(tensors, split, CONFIG)
    expected = here.network.state_dict()
    for name, tensor in fit.network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    assert [epoch.validation_log_loss for epoch in seen] == [e.validation_log_loss for e in here.epochs]
    assert fit.best_epoch == here.best_epoch
    assert fit.refit_seconds > 0
    assert [item.name for item in bucket.open().list()] == before  # nothing of the job is left
