"""A task: what is passed to another process is what it trains, and what it stores is taken over as a whole."""

import json
from pathlib import Path

import torch

from football_assets.storage.artifacts import publish
from football_assets.storage.local import LocalBucket
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets.training.fit import Epoch, fit_forecaster
from football_assets.training.remote import remove_task, take_fit, task_of, train_task
from football_assets.training.split import split_by_time
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries


def test_a_task_trains_the_tensors_of_its_digest_and_leaves_nothing_once_it_is_removed(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    config = TrainingConfig(
        network=NetworkConfig(hidden=8, trunk=8), split=SplitConfig(test_share=0.25), epochs=1
    )
    for name in ("tensors", "result"):
        (tmp_path / name).mkdir()
    tensors = countries.tensors(TRUTH, tmp_path / "tensors")
    bucket = LocalBucket(tmp_path / "bucket")
    digest = publish(bucket, "sequence_tensors", tmp_path / "tensors")
    task = json.loads(json.dumps(task_of(str(tmp_path / "bucket"), digest, config, "jobs/one")))
    seen: list[Epoch] = []

    train_task(task, seen.append)
    fit = take_fit(bucket, "jobs/one", tmp_path / "result")
    remove_task(bucket, "jobs/one")

    here = fit_forecaster(tensors, split_by_time(tensors, config.split), config)
    expected = here.network.state_dict()
    for name, tensor in fit.network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
    assert fit.epochs == seen
    assert (fit.best_epoch, fit.device) == (here.best_epoch, here.device)
    assert not list(bucket.list("jobs/"))
