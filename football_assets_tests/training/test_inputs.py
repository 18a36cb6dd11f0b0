"""Batches for training: the same bits from mapped files and from a device's memory, which takes them only with room."""

import numpy as np
import pytest
import torch

from football_assets.sequences.tensors import SequenceTensors
from football_assets.training import inputs
from football_assets.training.fit import fit_forecaster
from football_assets.training.inputs import Batch, MappedReader, ResidentReader, batch_reader
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
