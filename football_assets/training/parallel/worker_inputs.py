"""Pass all tensors to workers of Ray: as paths of memory-mapped files on one machine, else as arrays.

All workers of a machine map the same pages of a file. To other machines the arrays go through Ray's object store, which
holds one copy per machine for all its workers. The trials of the sweep use them, since each trial trains on all
matches. `worker_shards.py` divides the matches of one training.
"""

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.runtime.ray_private import autoscaled_resources
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tensors import ARRAYS, SequenceTensors


@dataclass(frozen=True)
class WorkerInputs:
    """The tensors of a training, without the keys of the matches."""

    arrays: dict[str, NDArray[Any] | Path]  # by the names of `SequenceTensors`
    no_keys: pl.DataFrame
    spec: FeatureSpec

    def tensors(self) -> SequenceTensors:
        """Open the tensors in a worker; their `keys` are empty."""
        arrays = {
            name: np.load(array, mmap_mode="r", allow_pickle=False) if isinstance(array, Path) else array
            for name, array in self.arrays.items()
        }
        return SequenceTensors(**arrays, keys=self.no_keys, spec=self.spec)


def inputs_for_workers(tensors: SequenceTensors) -> WorkerInputs:
    """Prepare tensors for the workers of the Ray cluster that this process is connected to."""
    arrays: dict[str, NDArray[Any] | Path] = {}
    are_files_shared = is_one_machine()
    for name in ARRAYS:
        array = getattr(tensors, name)
        arrays[name] = (mapped_file(array) if are_files_shared else None) or np.asarray(array)
    return WorkerInputs(arrays, tensors.keys.clear(), tensors.spec)


def mapped_file(array: NDArray[Any]) -> Path | None:
    """Return the .npy file that an array maps as a whole; None for a part of a file or an array in memory."""
    base: object = array.base
    if isinstance(array, np.memmap) and isinstance(base, mmap.mmap):
        return Path(str(array.filename))
    return None


def is_one_machine() -> bool:
    """Return whether all nodes of the cluster that this process is connected to run on this machine, and always will.

    A `ray://` client may run on any machine, so it counts as another machine. An autoscaler adds machines when the
    workers start, so a cluster with one does not count as one machine.
    """
    import ray
    from ray.util.client import ray as client

    if client.is_connected() or autoscaled_resources():
        return False
    here = ray.get_runtime_context().get_node_id()
    return all(node["NodeID"] == here for node in ray.nodes() if node["Alive"])
