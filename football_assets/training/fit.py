"""Fit the network: one training loop, its hyperparameters in `TrainingConfig`.

The loop runs in one process or in each of several workers, which share every batch (`workers.py`,
`parallel/distributed.py`). `fit_forecaster` takes the network and the losses as arguments, so that an ablation trains
another network with the same loop.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from football_assets.errors import FootballError
from football_assets.training.calibration import calibrate, calibrate_blend, copy_calibration
from football_assets.training.checkpoints import Checkpoints, NoCheckpoints, TrainingCheckpoint, named
from football_assets.training.config import TrainingConfig
from football_assets.training.inputs import TrainingTensors, batch_reader
from football_assets.training.losses import LossFunction, mean_losses
from football_assets.training.network import MatchForecaster, count_parameters
from football_assets.training.passes import FitTask, NetworkFactory, Passes, matches_per_step
from football_assets.training.predictions import outputs_and_targets, read_joined
from football_assets.training.split import TimeSplit
from football_assets.training.workers import Alone, Workers

_THREADED_BATCH = 512
_LEAST_IMPROVEMENT = 1e-5  # of the validation log loss
_FIT, _REFIT = "fit", "refit"  # the stages of a training


@dataclass(frozen=True)
class Epoch:
    """Figures of one pass over the training matches; losses are mean log losses of the outcome, in nats.

    `train_log_loss` is computed against results, like the validation loss, even if training minimises the loss against
    soft labels. It is higher than the loss after the epoch, since it is measured while weights change, with dropout and
    hidden odds.
    """

    epoch: int
    train_log_loss: float
    validation_log_loss: float
    validation_goals_loss: float
    learning_rate: float
    seconds: float

    def as_dict(self) -> dict[str, float]:
        """Return the epoch as a flat record."""
        return asdict(self)


@dataclass(frozen=True)
class Fit:
    """A fitted and calibrated network, with the epochs of its training.

    The epochs and their validation losses are those of the fit that validation stops. With `config.refit` the network
    itself has also been trained on the validation matches, so its scores there are not meaningful; `refit_seconds` is
    the time of the refit.
    """

    network: MatchForecaster
    epochs: list[Epoch]
    best_epoch: int
    device: str
    refit_seconds: float = 0.0

    @property
    def best(self) -> Epoch:
        """The best epoch, whose weights the first fit keeps."""
        return self.epochs[self.best_epoch - 1]

    @property
    def seconds(self) -> float:
        """Time of all epochs, in seconds."""
        return sum(epoch.seconds for epoch in self.epochs) + self.refit_seconds

    @property
    def temperature(self) -> float:
        """Divisor of the logits in calibration."""
        return 1.0 / float(self.network.calibration_scale[0])


OnEpoch = Callable[[Epoch], None]


def describe_fit(fit: Fit, split: TimeSplit, config: TrainingConfig) -> dict[str, Any]:
    """Describe a fit for `training.json`: configuration, periods, numbers of matches, epochs, and the network."""
    return {
        "config": config.model_dump(mode="json"),
        "split": split.as_dict(),
        "matches": {
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
        },
        "epochs": [epoch.as_dict() for epoch in fit.epochs],
        "best_epoch": fit.best_epoch,
        "temperature": fit.temperature,
        "device": fit.device,
        "parameters": count_parameters(fit.network),
    }


def fit_forecaster(
    tensors: TrainingTensors,
    split: TimeSplit,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    workers: Workers | None = None,
    *,
    checkpoints: Checkpoints | None = None,
    network_factory: NetworkFactory = MatchForecaster,
    losses: LossFunction = mean_losses,
) -> Fit:
    """Train on `split.train`, stop by and calibrate on `split.validation`; `split.test` is not read.

    With `config.refit` a second network is trained on training and validation matches, for as many epochs and with the
    same calibration: the validation matches are the most recent, and therefore the most similar to future ones.

    Parameters
    ----------
    tensors
        The matches, or a shard of those that this worker owns.
    split
        Rows of training, validation and test matches, in all tensors.
    config
        Hyperparameters.
    on_epoch
        Called after each epoch of the first fit, for progress and experiment tracking. A resumed training calls it with
        the earlier epochs too.
    workers
        The workers that this process trains with; None: it trains alone. The workers share each batch, so their number
        changes the speed and not the result, except for the masks of dropout.
    checkpoints
        Storage of the state after each epoch of both fits. An interrupted training resumes from it, with the result of
        an uninterrupted one. None: the state is not stored.
    network_factory
        Builds the network of the tensors' specification and `config.network`.
    losses
        The losses of training and validation; goals count with `config.goals_weight`. In training the outcomes are
        probabilities `[n, 3]` if a training match has odds and `config.soft_labels` is not 0, else classes `[n]`.

    Raises
    ------
    FootballError
        No epoch had a finite validation log loss.
    """
    batch_size = matches_per_step(config, len(split.train))
    workers, checkpoints = workers or Alone(), checkpoints or NoCheckpoints()
    with _threads_for(batch_size // workers.size):
        reader = batch_reader(tensors, workers.device)
        task = FitTask(
            tensors.spec, reader, config, batch_size, workers, network_factory, losses, checkpoints
        )
        return _fit(task, split, on_epoch)


def _fit(task: FitTask, split: TimeSplit, on_epoch: OnEpoch | None) -> Fit:
    """Train until validation stops, and keep the weights of the best epoch."""
    passes = Passes(task, split.train)
    course = _Course(passes.network.state_dict())
    checkpoint = task.checkpoints.latest()
    if checkpoint is not None:
        course.restore(checkpoint, on_epoch)
        if checkpoint.record["stage"] == _FIT:
            passes.restore(checkpoint)
            task.checkpoints.restore_random_state()
    while not course.is_over(task.config):
        started = time.perf_counter()
        train_loss, learning_rate = passes.run()
        validation_loss, validation_goals_loss = validate(task, passes.averaged.module, split.validation)
        epoch = Epoch(
            epoch=passes.done,
            train_log_loss=train_loss,
            validation_log_loss=validation_loss,
            validation_goals_loss=validation_goals_loss,
            learning_rate=learning_rate,
            seconds=time.perf_counter() - started,
        )
        course.add(epoch, passes.averaged.module)
        if on_epoch is not None:
            on_epoch(epoch)
        task.checkpoints.store(lambda: course.state(_FIT, passes))
    network = course.best_network(passes.network)
    _calibrate(task, network, split.validation)
    fit = Fit(network.to("cpu").eval(), course.epochs, course.best_epoch, str(task.workers.device))
    return _refit(task, split, fit, course, checkpoint) if task.config.refit else fit


def _refit(
    task: FitTask, split: TimeSplit, fit: Fit, course: "_Course", checkpoint: TrainingCheckpoint | None
) -> Fit:
    """Train once more, on validation too, with the same seed and schedule.

    The refit runs to the end of the schedule, where the learning rate is least. If validation stopped the first fit, it
    runs up to the best epoch.
    """
    started = time.perf_counter()
    passes = Passes(task, np.concatenate([split.train, split.validation]))
    if checkpoint is not None and checkpoint.record["stage"] == _REFIT:
        passes.restore(checkpoint)
        task.checkpoints.restore_random_state()
    epochs = task.config.epochs if len(fit.epochs) == task.config.epochs else fit.best_epoch
    while passes.done < epochs:
        passes.run()
        task.checkpoints.store(lambda: course.state(_REFIT, passes))
    network = passes.network
    network.load_state_dict(passes.averaged.module.state_dict())
    copy_calibration(fit.network, network)
    return replace(fit, network=network.to("cpu").eval(), refit_seconds=time.perf_counter() - started)


class _Course:
    """The epochs of the first fit so far, and the averaged weights after the best of them."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.epochs: list[Epoch] = []
        self.best_epoch = 0
        self._best, self._weights = np.inf, weights

    def add(self, epoch: Epoch, network: nn.Module) -> None:
        """Append an epoch and copy its weights if it is the best."""
        self.epochs.append(epoch)
        if epoch.validation_log_loss < self._best - _LEAST_IMPROVEMENT:
            self._best, self.best_epoch = epoch.validation_log_loss, epoch.epoch
            self._weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def is_over(self, config: TrainingConfig) -> bool:
        """Return whether all epochs are done, or `config.patience` epochs in a row were not better than the best."""
        done = len(self.epochs)
        return done == config.epochs or done - self.best_epoch >= config.patience

    def best_network(self, network: MatchForecaster) -> MatchForecaster:
        """Load the weights of the best epoch into a network."""
        if self.best_epoch == 0:
            last = self.epochs[-1]
            raise FootballError(
                f"Training diverged: the validation log loss was {last.validation_log_loss} after {last.epoch} epochs. "
                "Lower learning_rate."
            )
        network.load_state_dict(self._weights)
        return network

    def state(self, stage: str, passes: Passes) -> TrainingCheckpoint:
        """Return the whole state of the training in one of its two stages."""
        state = passes.state()
        own = {
            "stage": stage,
            "epochs": [epoch.as_dict() for epoch in self.epochs],
            "best_epoch": self.best_epoch,
        }
        return TrainingCheckpoint(state.tensors | named("best", self._weights), state.record | own)

    def restore(self, checkpoint: TrainingCheckpoint, on_epoch: OnEpoch | None) -> None:
        """Restore a state that `state` returned, and report its epochs again."""
        record = checkpoint.record
        self.epochs = [Epoch(**epoch) for epoch in record["epochs"]]
        self.best_epoch, self._weights = record["best_epoch"], checkpoint.part("best")
        if self.best_epoch:
            self._best = self.epochs[self.best_epoch - 1].validation_log_loss
        if on_epoch is not None:
            for epoch in self.epochs:
                on_epoch(epoch)


@contextmanager
def _threads_for(batch_size: int) -> Iterator[None]:
    """Use one torch thread for small batches: on a busy machine several are up to ten times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads if batch_size >= _THREADED_BATCH else 1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def validate(task: FitTask, network: MatchForecaster, rows: NDArray[np.int64]) -> tuple[float, float]:
    """Compute both losses of some rows, without dropout."""
    outputs = outputs_and_targets(network, task.reader, rows, task.workers)
    outcome_loss, goals_loss = task.losses(*outputs)
    return task.workers.from_first((outcome_loss.item(), goals_loss.item()))


def _calibrate(task: FitTask, network: MatchForecaster, rows: NDArray[np.int64]) -> None:
    """Calibrate a network and its blend with odds on some rows."""
    logits, _, outcome, _ = outputs_and_targets(network, task.reader, rows, task.workers)
    calibrate(network, logits, outcome)
    context = read_joined(
        task.reader, rows, lambda batch: batch.inputs[-1], len(task.spec.context), task.workers
    )
    calibrate_blend(network.to("cpu"), logits, context.float(), outcome)
