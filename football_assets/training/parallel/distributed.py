"""Train on several workers of Ray Train: each runs the loop of `fit.py` on the matches of every batch that it owns."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from football_assets.errors import FootballError
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Epoch, Fit, OnEpoch, fit_forecaster
from football_assets.training.parallel.checkpoint_storage import CheckpointStorage, RayCheckpoints
from football_assets.training.parallel.ray_cluster import offered_gpus, ray_cluster
from football_assets.training.parallel.worker_inputs import is_one_machine
from football_assets.training.parallel.worker_shards import WorkerShard, put_shards, split_for_workers
from football_assets.training.split import TimeSplit
from football_assets.training.workers import Group

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.train import RunConfig, TrainingFailedError
    from ray.util.queue import Queue

_POLL_SECONDS = 0.2
_PEER_TIMEOUT = timedelta(minutes=10)  # workers wait for the slowest of them at every batch


def fit_on_workers(
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    storage: CheckpointStorage | None = None,
) -> Fit:
    """Fit as `fit_forecaster` does, with `config.workers` workers that share every batch; one worker is this process.

    Several workers run on the Ray cluster that RAY_ADDRESS names, else on this machine. Batches, their order and the
    initial weights are those of one worker, and so is the loss curve, except for rounding and the masks of dropout.

    If a worker dies, up to `config.max_failures` times, all of them resume from the last epoch in `storage`, with the
    result of a training without interruption.

    Parameters
    ----------
    storage
        Where several workers store checkpoints, which are removed when the training has ended. With None, or a local
        folder while the workers run on several machines, no checkpoints are stored, and a training that loses a worker
        restarts.

    Raises
    ------
    FootballError
        Workers died more often than `config.max_failures`, the cluster has too few GPUs, or training diverged.
    """
    if config.workers == 1:
        return fit_forecaster(tensors, split, config, on_epoch)
    with ray_cluster(config.workers) as folder:
        _check_gpus(config)
        if storage is not None and not (storage.is_remote or is_one_machine()):
            storage = None
        shards = put_shards(tensors, split, config.workers)
        ended = _fit(shards, split, config, _Report(on_epoch), folder, storage)
    if storage is not None:
        storage.remove()
    if isinstance(ended, FootballError):
        raise ended
    return ended


def _fit(
    shards: "list[ObjectRef]",
    split: TimeSplit,
    config: TrainingConfig,
    report: "_Report",
    folder: Path,
    storage: CheckpointStorage | None,
) -> Fit | FootballError:
    """Run the workers; return the fit, or the error with which training ended."""
    import ray
    from ray.train import ScalingConfig, TrainingFailedError
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
    from ray.util.queue import Queue

    epochs = Queue(actor_options={"num_cpus": 0})
    resources = {"CPU": 1.0} | ({"GPU": config.gpus_per_worker} if config.gpus_per_worker else {})
    trainer = DataParallelTrainer(
        _train,
        train_loop_config={
            "task": ray.put(_Task(split_for_workers(split), config, storage is not None)),
            "shards": shards,
            "epochs": epochs,
        },
        scaling_config=ScalingConfig(
            num_workers=config.workers, use_gpu=bool(config.gpus_per_worker), resources_per_worker=resources
        ),
        run_config=_run_config(config, folder, storage),
    )
    executor = ThreadPoolExecutor(max_workers=1)
    training = executor.submit(trainer.fit)
    executor.shutdown(wait=False)  # an interrupt here ends the cluster and with it the thread
    while not wait([training], timeout=_POLL_SECONDS).done:
        report.drain(epochs)
    try:
        result: Fit | FootballError = training.result().return_value
    except TrainingFailedError as error:
        raise explained(error, resumes=storage is not None) from error
    report.drain(epochs)
    return result


def _run_config(config: TrainingConfig, folder: Path, storage: CheckpointStorage | None) -> "RunConfig":
    from ray.train import CheckpointConfig, FailureConfig, RunConfig

    failures = FailureConfig(max_failures=config.max_failures)
    if storage is None:
        return RunConfig(storage_path=str(folder), failure_config=failures)
    return RunConfig(
        name=storage.name,  # a run of the same name resumes
        storage_path=storage.path,
        storage_filesystem=storage.filesystem(),
        failure_config=failures,
        checkpoint_config=CheckpointConfig(num_to_keep=1),
    )


@dataclass(frozen=True)
class _Task:
    """The arguments that every worker reads from Ray's object store."""

    split: TimeSplit
    config: TrainingConfig
    stores: bool  # whether checkpoints are stored


def _train(given: dict[str, Any]) -> Fit | FootballError | None:
    """Train in a worker of Ray Train; the first worker returns the fit, or an error that a retry would not avoid."""
    import ray

    rank, size = ray.train.get_context().get_world_rank(), ray.train.get_context().get_world_size()
    task: _Task = ray.get(given["task"])
    shard: WorkerShard = ray.get(given["shards"][rank])
    with _process_group(rank, size):
        epochs: Queue = given["epochs"]
        on_epoch = (lambda epoch: epochs.put(epoch.as_dict())) if rank == 0 else None
        checkpoints = RayCheckpoints(rank) if task.stores else None
        try:
            group = Group(shard.rows)
            tensors = shard.open(group.device)
            fit = fit_forecaster(tensors, task.split, task.config, on_epoch, group, checkpoints=checkpoints)
        except FootballError as error:
            return error if rank == 0 else None
    return fit if rank == 0 else None


@contextmanager
def _process_group(rank: int, size: int) -> Iterator[None]:
    """Create torch's process group on the addresses by which Ray knows the workers' machines.

    By default torch's store listens on every address of the machine.
    """
    from ray.train.collective import broadcast_from_rank_zero
    from ray.util import get_node_ip_address
    from torch import distributed

    address = get_node_ip_address()
    os.environ["GLOO_SOCKET_IFNAME"] = _interface_of(address)
    listener = socket.create_server((address, 0)) if rank == 0 else None
    host, port = broadcast_from_rank_zero(listener.getsockname()[:2] if listener else None)
    store = distributed.TCPStore(
        host, port, size, rank == 0, master_listen_fd=listener.detach() if listener else None
    )
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=_PEER_TIMEOUT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def _interface_of(address: str) -> str:
    """Return the name of the network interface that has an address."""
    for name, entries in psutil.net_if_addrs().items():
        if any(entry.address == address for entry in entries):
            return name
    raise FootballError(f"No network interface of this machine has the address {address} that Ray gave it.")


class _Report:
    """Reports each epoch once, even if a training that resumes sends it again."""

    def __init__(self, on_epoch: OnEpoch | None) -> None:
        self._on_epoch, self._last = on_epoch, 0

    def drain(self, epochs: "Queue") -> None:
        """Report the epochs that have arrived."""
        while not epochs.empty():
            epoch = Epoch(**epochs.get())
            if epoch.epoch > self._last:
                self._last = epoch.epoch
                if self._on_epoch is not None:
                    self._on_epoch(epoch)


def explained(error: "TrainingFailedError", resumes: bool = False) -> FootballError:
    """Build an error that names the failed workers and the reasons, first those of workers that died.

    Parameters
    ----------
    resumes
        Whether the last epoch is stored, so that the message says that another run resumes from it.
    """
    from ray.exceptions import RayError

    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    died = [
        str(rank)
        for rank, failure in sorted(failures.items())
        if isinstance(getattr(failure, "health_check_failure", failure), RayError)
    ]
    if died:
        return FootballError(
            f"Worker {', '.join(died)} of the training died: killed, or out of memory. "
            + (
                "Train again to resume from the last epoch; "
                if resumes
                else "Nothing was stored. Train again; "
            )
            + "use fewer workers if memory is short, and a higher max_failures on spot machines."
        )
    for failure in failures.values():
        if isinstance(failure, FootballError):
            return failure
    lines = [line for failure in failures.values() for line in str(failure).splitlines() if line.strip()]
    return FootballError(f"Training on several workers failed: {lines[0] if lines else error}")


def _check_gpus(config: TrainingConfig) -> None:
    if not config.gpus_per_worker:
        return
    wanted, offered = config.workers * config.gpus_per_worker, offered_gpus()
    if wanted > offered:
        raise FootballError(
            f"{config.workers} workers with {config.gpus_per_worker:g} of a GPU each need {wanted:g} GPUs, and Ray has "
            f"{offered:g}: lower workers or gpus_per_worker; 0 trains on the CPU."
        )
