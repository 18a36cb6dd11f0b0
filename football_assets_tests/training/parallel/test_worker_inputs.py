"""Tensors on their way to workers: paths of whole mapped files, arrays otherwise, and no keys."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from football_assets.sequences.tensors import ARRAYS
from football_assets.training.parallel.worker_inputs import WorkerInputs, mapped_file
from football_assets_tests.builders.planted import planted_tensors


def test_the_file_of_an_array_is_known_only_if_the_array_maps_all_of_it(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "array.npy", array)
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")

    assert mapped_file(mapped) == tmp_path / "array.npy"
    assert mapped_file(mapped[1:]) is None
    assert mapped_file(array) is None


def test_a_worker_opens_files_and_arrays_alike_and_has_no_keys(tmp_path: Path) -> None:
    tensors = planted_tensors(matches=60)
    np.save(tmp_path / "context.npy", tensors.context)
    arrays = {name: np.asarray(getattr(tensors, name)) for name in ARRAYS}
    inputs = WorkerInputs({**arrays, "context": tmp_path / "context.npy"}, tensors.keys.clear(), tensors.spec)

    opened = pickle.loads(pickle.dumps(inputs)).tensors()

    assert isinstance(opened.context, np.memmap)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(opened, name), arrays[name])
    assert opened.spec == tensors.spec
    assert len(opened.keys) == 0
    with pytest.raises(ValueError, match="read-only"):
        opened.context[0] = 0
