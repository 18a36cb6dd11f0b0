"""Batches for training: the same bits from mapped files and from a device's memory, which takes them only with room."""

import numpy as np
import pytest
import torch

from football_assets.sequences.shards import cut_shard
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training import inputs
from football_assets.training.fit import fit_forecaster
from football_assets.training.inputs import Batch, MappedReader, ResidentReader, ShardReader, batch_reader
from football_assets.training.workers import Alone
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.planted import SMALL
from football_assets_tests.builders.priced import priced_tensors

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def assert_same(left: Batch, right: Batch) -> None:
    for ours, theirs in zip((*left[0], *left[1:]), (*right[0], *right[1:]), strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.numpy().tobytes() == theirs.numpy().tobytes()


def test_both_readers_read_the_same_bits(tensors: SequenceTensors) -> None:
    length = tensors.spec.history_length
    known = tensors.home_span[:, 1] - tensors.home_span[:, 0]
    assert (known == 0).any()
    assert ((known > 0) & (known < length)).any()
    assert (known > length).any()
    resident, mapped = ResidentReader(tensors, CPU), MappedReader(tensors, CPU)

    rows = np.random.default_rng(0).permutation(len(tensors))
    for part in (rows, rows[:1], rows[:0]):
        assert_same(resident.read(part), mapped.read(part))


def test_both_readers_read_the_same_odds_and_labels() -> None:
    tensors = priced_tensors(matches=100)
    rows = np.array([70, 3, 44])

    mapped = MappedReader(tensors, CPU).read(rows)

    assert_same(ResidentReader(tensors, CPU).read(rows), mapped)
    np.testing.assert_array_equal(mapped.market.numpy(), tensors.market[rows])
    assert mapped.market.shape == (3, 5)


@pytest.mark.parametrize("read_by", [MappedReader, ResidentReader])
def test_a_shard_is_read_by_the_rows_of_all_tensors(
    read_by: type[MappedReader | ResidentReader], tensors: SequenceTensors
) -> None:
    own = np.flatnonzero(np.random.default_rng(1).random(len(tensors)) < 0.4)
    shard = cut_shard(tensors, own)
    reader = ShardReader(shard, read_by(shard.tensors, CPU))

    rows = np.random.default_rng(2).permutation(own)
    for part in (rows, rows[:1], rows[:0]):
        assert_same(reader.read(part), MappedReader(tensors, CPU).read(part))
    with pytest.raises(IndexError, match="not in the shard"):
        reader.read(np.setdiff1d(np.arange(len(tensors)), own)[:3])


def test_the_reader_of_a_shard_is_chosen_as_that_of_all_tensors(tensors: SequenceTensors) -> None:
    shard = cut_shard(tensors, np.arange(5, 20))

    reader = batch_reader(shard, CPU)

    assert isinstance(reader, ShardReader)
    assert_same(reader.read(np.array([7])), MappedReader(tensors, CPU).read(np.array([7])))


def test_every_reader_knows_whether_one_of_some_matches_has_odds() -> None:
    tensors = priced_tensors(matches=100)
    priced = np.isfinite(tensors.market[:, 0])
    assert priced.any()
    assert not priced.all()
    shard = cut_shard(tensors, np.arange(100))
    for reader in (
        MappedReader(tensors, CPU),
        ResidentReader(tensors, CPU),
        ShardReader(shard, MappedReader(shard.tensors, CPU)),
    ):
        assert reader.has_odds(np.arange(100))
        assert reader.has_odds(np.flatnonzero(priced)[-1:])
        assert not reader.has_odds(np.flatnonzero(~priced))
        assert not reader.has_odds(np.array([], dtype=np.int64))


def test_a_cpu_reads_the_mapped_files(planted: Fitted) -> None:
    assert isinstance(batch_reader(planted.tensors, CPU), MappedReader)


@pytest.mark.parametrize(("room", "expected"), [(2.1, "resident"), (1.9, "mapped")])
def test_a_gpu_holds_the_tensors_where_they_take_half_of_its_free_memory_at_most(
    room: float, expected: str, planted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Resident:
        def __init__(self, tensors: SequenceTensors, device: torch.device) -> None:
            assert tensors is planted.tensors
            assert device == GPU
            made.append("resident")

    size = sum(getattr(planted.tensors, name).nbytes for name in inputs.ARRAYS)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(size * room), size * 10))
    monkeypatch.setattr(inputs, "ResidentReader", Resident)

    reader = batch_reader(planted.tensors, GPU)

    assert (made or ["mapped"]) == [expected]
    assert isinstance(reader, MappedReader if expected == "mapped" else Resident)


class OnCpu(Alone):
    def __init__(self) -> None:
        self.device = CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_learns_what_a_cpu_learns(planted: Fitted) -> None:
    on_gpu, on_cpu = (
        fit_forecaster(planted.tensors, planted.split, SMALL, workers=workers()) for workers in (Alone, OnCpu)
    )

    assert (on_gpu.device, on_cpu.device) == ("cuda", "cpu")
    last_on_gpu, last_on_cpu = (fit.epochs[-1].validation_log_loss for fit in (on_gpu, on_cpu))
    assert last_on_gpu == pytest.approx(last_on_cpu, abs=0.01)  # masks of dropout differ
