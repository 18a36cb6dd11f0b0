"""Train on several workers of Ray Train: each runs the loop of `fit.py` on its part of every batch."""

import os
import socket
from collections.abc import Callable, Iterator
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
from football_assets.training.fit import Epoch, Fit, fit_forecaster
from football_assets.training.parallel.ray_cluster import ray_cluster
from football_assets.training.parallel.worker_inputs import WorkerInputs, inputs_for_workers
from football_assets.training.split import TimeSplit
from football_assets.training.workers import Group

if TYPE_CHECKING:
    from ray.train import TrainingFailedError
    from ray.util.queue import Queue

OnEpoch = Callable[[Epoch], None]
_POLL_SECONDS = 0.2
_PEER_TIMEOUT = timedelta(minutes=10)  # workers wait for each other while the first one validates


def fit_on_workers(
    tensors: SequenceTensors, split: TimeSplit, config: TrainingConfig, on_epoch: OnEpoch | None = None
) -> Fit:
    """Fit as `fit_forecaster` does, with `config.workers` workers that share every batch; one worker is this process.

    Several workers run on the Ray cluster that RAY_ADDRESS names, else on this machine. Batches, their order and the
    initial weights are those of one worker, and so is the loss curve, except for rounding and the masks of dropout.

    Raises
    ------
    FootballError
        A worker died, the cluster has too few GPUs, or training diverged.
    """
    if config.workers == 1:
        return fit_forecaster(tensors, split, config, on_epoch)
    with ray_cluster(config.workers) as folder:
        _check_gpus(config)
        return _fit(inputs_for_workers(tensors), split, config, on_epoch or _ignore, folder)


def _fit(
    inputs: WorkerInputs, split: TimeSplit, config: TrainingConfig, on_epoch: OnEpoch, folder: Path
) -> Fit:
    import ray
    from ray.train import RunConfig, ScalingConfig, TrainingFailedError
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer
    from ray.util.queue import Queue

    epochs = Queue(actor_options={"num_cpus": 0})
    resources = {"CPU": 1.0} | ({"GPU": config.gpus_per_worker} if config.gpus_per_worker else {})
    trainer = DataParallelTrainer(
        _train,
        train_loop_config={"task": ray.put(_Task(inputs, split, config)), "epochs": epochs},
        scaling_config=ScalingConfig(
            num_workers=config.workers, use_gpu=bool(config.gpus_per_worker), resources_per_worker=resources
        ),
        run_config=RunConfig(storage_path=str(folder)),
    )
    executor = ThreadPoolExecutor(max_workers=1)
    training = executor.submit(trainer.fit)
    executor.shutdown(wait=False)  # an interrupt here ends the cluster and with it the thread
    while not wait([training], timeout=_POLL_SECONDS).done:
        _report(epochs, on_epoch)
    try:
        fit: Fit = training.result().return_value
    except TrainingFailedError as error:
        raise explained(error) from error
    _report(epochs, on_epoch)
    return fit


@dataclass(frozen=True)
class _Task:
    """The arguments that every worker reads from Ray's object store."""

    inputs: WorkerInputs
    split: TimeSplit
    config: TrainingConfig


def _train(given: dict[str, Any]) -> Fit | None:
    """Train in a worker of Ray Train; the first worker returns the fit."""
    import ray

    rank, size = ray.train.get_context().get_world_rank(), ray.train.get_context().get_world_size()
    task: _Task = ray.get(given["task"])
    with _process_group(rank, size):
        epochs: Queue = given["epochs"]
        on_epoch = (lambda epoch: epochs.put(epoch.as_dict())) if rank == 0 else None
        fit = fit_forecaster(task.inputs.tensors(), task.split, task.config, on_epoch, Group())
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


def _report(epochs: "Queue", on_epoch: OnEpoch) -> None:
    while not epochs.empty():
        on_epoch(Epoch(**epochs.get()))


def explained(error: "TrainingFailedError") -> FootballError:
    """Explain which workers failed and why; workers that died come before those that lost their peers."""
    from ray.exceptions import RayError

    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    died = [
        str(rank)
        for rank, failure in sorted(failures.items())
        if isinstance(getattr(failure, "health_check_failure", failure), RayError)
    ]
    if died:
        return FootballError(
            f"Worker {', '.join(died)} of the training died: killed, or out of memory. Nothing was stored. "
            "Train again, with fewer workers if memory is short."
        )
    for failure in failures.values():
        if isinstance(failure, FootballError):
            return failure
    lines = [line for failure in failures.values() for line in str(failure).splitlines() if line.strip()]
    return FootballError(f"Training on several workers failed: {lines[0] if lines else error}")


def _check_gpus(config: TrainingConfig) -> None:
    import ray

    wanted, offered = config.workers * config.gpus_per_worker, ray.cluster_resources().get("GPU", 0)
    if wanted > offered:
        raise FootballError(
            f"{config.workers} workers with {config.gpus_per_worker:g} of a GPU each need {wanted:g} GPUs, and Ray has "
            f"{offered:g}: lower workers or gpus_per_worker; 0 trains on the CPU."
        )


def _ignore(epoch: Epoch) -> None:
    pass
