"""The division of a training among workers: every match has one owner, leagues stay together, and files are mapped."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import torch

from football_assets.sequences.shards import TensorShard, cut_shard
from football_assets.sequences.tensors import SequenceTensors, open_tensors
from football_assets.training.config import NetworkConfig
from football_assets.training.fit import fit_forecaster
from football_assets.training.parallel import distributed
from football_assets.training.parallel.distributed import fit_on_workers
from football_assets.training.parallel.worker_inputs import WorkerInputs, mapped_file
from football_assets.training.parallel.worker_shards import (
    CopiedShard,
    MappedShard,
    divide_matches,
    put_shards,
    split_for_workers,
)
from football_assets.training.split import split_by_time
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import SMALL, planted_tensors, write_planted
from football_assets_tests.builders.priced import PRICED, priced_tensors
from football_assets_tests.builders.ray_nodes import ray_nodes

if TYPE_CHECKING:
    from ray import ObjectRef

CPU, GPU = torch.device("cpu"), torch.device("cuda")
DEADLINE = 30  # seconds


def with_leagues(tensors: SequenceTensors, leagues: list[str]) -> SequenceTensors:
    return replace(tensors, keys=tensors.keys.with_columns(pl.Series("league_id", leagues)))


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_every_match_of_training_and_validation_has_one_owner_and_owners_have_equal_numbers(
    workers: int, planted: Fitted
) -> None:
    parts = divide_matches(planted.tensors, planted.split, workers)

    assert len(parts) == workers
    assert all((np.diff(part) > 0).all() for part in parts)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    owned = np.concatenate(parts)
    expected = np.concatenate([planted.split.train, planted.split.validation])
    assert sorted(owned.tolist()) == sorted(expected.tolist())
    assert not set(owned.tolist()) & set(planted.split.test.tolist())


def test_workers_have_neighbouring_leagues_and_share_one_at_most() -> None:
    leagues = ["eng.1", "aut.1", "esp.1", "eng.2", "aut.2", "esp.2"]
    tensors = with_leagues(planted_tensors(matches=600), leagues * 100)
    split = split_by_time(tensors, SMALL.split)

    parts = divide_matches(tensors, split, 3)

    names = tensors.keys["league_id"]
    first, second, third = (sorted(set(names.gather(part).to_list())) for part in parts)
    assert first[0] == "aut.1"
    assert first[-1] <= second[0]
    assert second[-1] <= third[0]
    assert third[-1] == "esp.2"
    assert max(len(first), len(second), len(third)) <= 3


def test_more_workers_than_matches_leave_some_without_any(planted: Fitted) -> None:
    few = replace(planted.split, train=planted.split.train[:2], validation=planted.split.validation[:1])

    parts = divide_matches(planted.tensors, few, 5)

    assert [len(part) for part in parts] == [1, 1, 1, 0, 0]


def test_workers_are_not_sent_the_rows_of_the_test(planted: Fitted) -> None:
    given = split_for_workers(planted.split)

    assert len(given.test) == 0
    assert given.train is planted.split.train
    assert given.validation is planted.split.validation
    assert len(planted.split.test) > 0


def test_mapped_files_stay_mapped_on_a_cpu_and_a_gpu_takes_the_workers_own_matches(tmp_path: Path) -> None:
    tensors = open_tensors(write_planted(tmp_path))
    files = {name: mapped_file(getattr(tensors, name)) for name in ("past", "context")}
    assert all(files.values())
    rows = np.array([4, 9, 700])
    inputs = WorkerInputs(
        {
            name: mapped_file(getattr(tensors, name)) or getattr(tensors, name)
            for name in ("past", "home_span", "away_span", "context", "outcome", "goals", "market")
        },
        tensors.keys.clear(),
        tensors.spec,
    )
    shard = MappedShard(rows, inputs)

    on_cpu, for_gpu = shard.open(CPU), shard.open(GPU)

    assert isinstance(on_cpu, SequenceTensors)
    assert isinstance(on_cpu.past, np.memmap)
    assert isinstance(for_gpu, TensorShard)
    assert for_gpu.rows.tolist() == [4, 9, 700]
    np.testing.assert_array_equal(for_gpu.tensors.context, tensors.context[rows])


def test_a_copied_shard_is_opened_as_it_is_for_any_device(planted: Fitted) -> None:
    cut = cut_shard(planted.tensors, np.array([1, 2]))

    shard = CopiedShard(cut)

    assert shard.open(CPU) is cut
    assert shard.open(GPU) is cut
    assert shard.rows is cut.rows


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[str]]:
    with ray_nodes(2) as found:
        yield found


def where(objects: "list[ObjectRef]") -> list[set[str]]:
    """The nodes that hold each of some objects, beside that of this process, once each is on another."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    deadline = time.monotonic() + DEADLINE
    while True:
        found = ray.experimental.get_object_locations(objects)
        held = [set(found[each]["node_ids"]) - {here} for each in objects]
        if all(held) or time.monotonic() > deadline:
            return held
        time.sleep(0.1)


def test_workers_on_two_machines_fetch_their_own_shards_alone_and_learn_what_one_learns(
    nodes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node of Ray stands for a machine: it has an object store of its own."""
    tensors = priced_tensors()
    split = split_by_time(tensors, PRICED.split)
    config = PRICED.model_copy(update={"network": NetworkConfig(hidden=8, trunk=8, dropout=0), "epochs": 2})
    put: list[ObjectRef] = []

    def kept(*given: Any) -> "list[ObjectRef]":
        put.extend(put_shards(*given))
        return put

    monkeypatch.setattr(distributed, "put_shards", kept)

    together = fit_on_workers(tensors, split, config.model_copy(update={"workers": 2}))
    alone = fit_forecaster(tensors, split, config)

    for ours, theirs in zip(together.epochs, alone.epochs, strict=True):
        assert ours.train_log_loss == pytest.approx(theirs.train_log_loss, abs=1e-5)
        assert ours.validation_log_loss == pytest.approx(theirs.validation_log_loss, abs=1e-5)
    first, second = where(put)
    assert [first, second] in ([{nodes[0]}, {nodes[1]}], [{nodes[1]}, {nodes[0]}])
