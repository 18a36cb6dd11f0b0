"""Fit the network: one training loop, its hyperparameters in `TrainingConfig`.

The loop runs in one process or in each of several workers, which share every batch (`workers.py`,
`parallel/distributed.py`). `fit_forecaster` takes the network and the losses as arguments, so that an ablation trains
another network with the same loop.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from football_assets.errors import FootballError
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.calibration import calibrate, calibrate_blend, copy_calibration
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.hidden_inputs import HiddenOdds
from football_assets.training.inputs import Batch, BatchReader, batch_reader
from football_assets.training.losses import LossFunction, mean_losses, soft_labels
from football_assets.training.network import MatchForecaster, count_parameters
from football_assets.training.predictions import outputs_and_targets
from football_assets.training.split import TimeSplit
from football_assets.training.workers import Alone, Workers

_NORMALISER_ROWS = 100_000
_SMALLEST_BATCH = 64
_THREADED_BATCH = 512
_STEPS_PER_EPOCH = 64  # at least, where the training period is short
_LEAST_IMPROVEMENT = 1e-5  # of the validation log loss

NetworkFactory = Callable[[FeatureSpec, NetworkConfig], MatchForecaster]


@dataclass(frozen=True)
class Epoch:
    """Figures of one pass over the training matches; losses are mean log losses of the outcome, in nats.

    `train_log_loss` is against results as the one of validation is, also where training minimises the loss against soft
    labels. It is higher than that of the finished epoch: measured while weights change, with dropout and hidden odds.
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
    """A fitted and calibrated network, and the epochs that led to it.

    The epochs and their validation losses are those of the fit that validation stops. With `config.refit` the network
    itself has been trained on validation too, so its scores there mean nothing; `refit_seconds` is the time of that.
    """

    network: MatchForecaster
    epochs: list[Epoch]
    best_epoch: int
    device: str
    refit_seconds: float = 0.0

    @property
    def best(self) -> Epoch:
        """The epoch whose network is kept."""
        return self.epochs[self.best_epoch - 1]

    @property
    def seconds(self) -> float:
        """Time of all passes."""
        return sum(epoch.seconds for epoch in self.epochs) + self.refit_seconds

    @property
    def temperature(self) -> float:
        """Divisor of the logits in calibration."""
        return 1.0 / float(self.network.calibration_scale[0])


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


@dataclass(frozen=True)
class _Task:
    """What the first fit and the refit have in common."""

    tensors: SequenceTensors
    reader: BatchReader
    config: TrainingConfig
    batch_size: int
    workers: Workers
    network_factory: NetworkFactory
    losses: LossFunction


def fit_forecaster(
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    on_epoch: Callable[[Epoch], None] | None = None,
    workers: Workers | None = None,
    *,
    network_factory: NetworkFactory = MatchForecaster,
    losses: LossFunction = mean_losses,
) -> Fit:
    """Train on `split.train`, stop by and calibrate on `split.validation`; `split.test` is not read.

    With `config.refit` a second network is trained on training and validation matches, for as many epochs and with the
    same calibration: the validation matches are the latest, and the most like those to come.

    Parameters
    ----------
    tensors
        The matches.
    split
        Rows of training, validation and test matches.
    config
        Hyperparameters.
    on_epoch
        Called after each epoch of the first fit: progress, experiment tracking.
    workers
        The workers that this process trains with; None: it trains alone. Batches belong to the whole group: the number
        of workers changes the speed, not what is learnt, except for the masks of dropout.
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
    workers = workers or Alone()
    with _threads_for(batch_size // workers.size):
        reader = batch_reader(tensors, workers.device)
        task = _Task(tensors, reader, config, batch_size, workers, network_factory, losses)
        fit = _fit(task, split, on_epoch)
        return _refit(task, split, fit) if config.refit else fit


def matches_per_step(config: TrainingConfig, matches: int) -> int:
    """Return the batch size for a number of training matches."""
    return min(config.batch_size, max(_SMALLEST_BATCH, matches // _STEPS_PER_EPOCH))


def peak_learning_rate(config: TrainingConfig, batch_size: int) -> float:
    """Return the peak learning rate of a batch size: by the square root of its ratio to the configured one.

    Adam's steps have the same size whatever the batch, and those of a smaller batch are noisier.
    """
    return config.learning_rate * sqrt(batch_size / config.batch_size)


def _fit(task: _Task, split: TimeSplit, on_epoch: Callable[[Epoch], None] | None) -> Fit:
    """Train until validation stops, and keep the weights of the best epoch."""
    network, averaged = _start(task, split.train)
    epochs: list[Epoch] = []
    best, best_epoch, best_weights = np.inf, 0, network.state_dict()
    started = time.perf_counter()
    for number, (train_loss, learning_rate) in enumerate(
        _passes(task, network, averaged, split.train), start=1
    ):
        validation_loss, validation_goals_loss = task.workers.from_first(
            partial(validate, averaged.module, task.reader, split.validation, task.losses)
        )
        epoch = Epoch(
            epoch=number,
            train_log_loss=train_loss,
            validation_log_loss=validation_loss,
            validation_goals_loss=validation_goals_loss,
            learning_rate=learning_rate,
            seconds=time.perf_counter() - started,
        )
        started = time.perf_counter()
        epochs.append(epoch)
        if on_epoch is not None:
            on_epoch(epoch)
        if validation_loss < best - _LEAST_IMPROVEMENT:
            best, best_epoch = validation_loss, number
            best_weights = {
                name: tensor.detach().clone() for name, tensor in averaged.module.state_dict().items()
            }
        if number - best_epoch >= task.config.patience:
            break
    if best_epoch == 0:
        raise FootballError(
            f"Training diverged: the validation log loss was {validation_loss} after {number} epochs. "
            "Lower learning_rate."
        )
    network.load_state_dict(best_weights)
    logits, _, outcome, _ = outputs_and_targets(network, task.reader, split.validation)
    calibrate(network, logits, outcome)
    context = torch.from_numpy(np.asarray(task.tensors.context[split.validation]))
    calibrate_blend(network.to("cpu"), logits, context, outcome)
    return Fit(network.to("cpu").eval(), epochs, best_epoch, str(task.workers.device))


def _refit(task: _Task, split: TimeSplit, fit: Fit) -> Fit:
    """Train once more, on validation too, with the same seed and schedule.

    The refit runs to the end of the schedule, where the learning rate is least. If validation stopped the first fit, it
    runs up to the best epoch.
    """
    started = time.perf_counter()
    rows = np.concatenate([split.train, split.validation])
    network, averaged = _start(task, rows)
    epochs = task.config.epochs if len(fit.epochs) == task.config.epochs else fit.best_epoch
    for _ in islice(_passes(task, network, averaged, rows), epochs):
        continue
    network.load_state_dict(averaged.module.state_dict())
    copy_calibration(fit.network, network)
    return replace(fit, network=network.to("cpu").eval(), refit_seconds=time.perf_counter() - started)


def _start(task: _Task, rows: NDArray[np.int64]) -> tuple[MatchForecaster, AveragedModel]:
    """Build the network with the seed's weights and the normalisation of some rows, and the mean of its weights."""
    seed, workers = task.config.seed, task.workers
    torch.manual_seed(seed)
    network = task.network_factory(task.tensors.spec, task.config.network).to(workers.device)
    if workers.rank:
        torch.manual_seed(seed + workers.rank)  # equal weights, different masks of dropout
    fit_normalisers(network, task.tensors, rows)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(task.config.averaging))
    averaged.module.lstm.flatten_parameters()  # a copy's are not contiguous, which a GPU would repack at each call
    return network, averaged


def _passes(
    task: _Task, network: MatchForecaster, averaged: AveragedModel, rows: NDArray[np.int64]
) -> Iterator[tuple[float, float]]:
    """Train for `config.epochs` passes; yield the mean log loss and the last learning rate of each."""
    config, workers = task.config, task.workers
    order = np.random.default_rng(config.seed)
    peak = peak_learning_rate(config, task.batch_size)
    optimiser = torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=config.weight_decay, fused=True)
    steps = -(-len(rows) // task.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, peak, total_steps=steps * config.epochs, pct_start=0.15
    )
    last = int(rows.max()) + 1  # matches after the training period must not change the draws
    hidden = HiddenOdds(task.tensors.spec, config.hidden_odds, config.seed, last, workers.device)
    has_odds = bool(np.isfinite(task.tensors.market[rows]).any())
    odds_share = config.soft_labels if has_odds else 0.0
    for _ in range(config.epochs):
        network.train()
        hidden.draw()
        total = torch.zeros((), dtype=torch.float64, device=workers.device)
        for drawn in batches(rows, task.batch_size, order):
            optimiser.zero_grad(set_to_none=True)
            own = workers.own(drawn)
            if len(own):
                batch = task.reader.read(own)
                outputs = network.raw_outputs(*hidden.hide(batch.inputs, own))  # [n, 3], [n, 2]
                loss, log_loss = _losses(task, outputs, batch, odds_share)
                loss.backward()
                total += log_loss.detach().double() * len(own)
            workers.join_gradients(network, len(own) / len(drawn))
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
        yield workers.total(total.item()) / len(rows), schedule.get_last_lr()[0]


def _losses(
    task: _Task, outputs: tuple[Tensor, Tensor], batch: Batch, odds_share: float
) -> tuple[Tensor, Tensor]:
    """Compute the loss to minimise, and the outcome's mean loss against results, which is reported."""
    logits, log_rates = outputs
    outcome, goals = batch.outcome, batch.goals
    if odds_share:
        outcome, goals = soft_labels(outcome, goals, batch.market, odds_share)
    outcome_loss, goals_loss = task.losses(logits, log_rates, outcome, goals)
    loss = outcome_loss + task.config.goals_weight * goals_loss
    if odds_share:
        outcome_loss, _ = task.losses(logits.detach(), log_rates.detach(), batch.outcome, batch.goals)
    return loss, outcome_loss


@contextmanager
def _threads_for(batch_size: int) -> Iterator[None]:
    """Use one torch thread for small batches: on a busy machine several are up to ten times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads if batch_size >= _THREADED_BATCH else 1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fit_normalisers(network: MatchForecaster, tensors: SequenceTensors, train: NDArray[np.int64]) -> None:
    """Fit means and deviations on at most 100,000 evenly spaced training matches; padding is left out."""
    rows = train[:: max(1, len(train) // _NORMALISER_ROWS)]
    batch = tensors.take(rows)
    network.normalise_context.fit(torch.from_numpy(batch.context))
    past = np.concatenate([batch.home_history, batch.away_history]).reshape(-1, len(tensors.spec.history))
    network.normalise_history.fit(torch.from_numpy(past[past[:, network.observed] > 0]))


def batches(rows: NDArray[np.int64], size: int, order: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield the rows in random order, `size` at a time; a batch is sorted, because mapped files read faster so."""
    shuffled = order.permutation(rows)
    for start in range(0, len(shuffled), size):
        yield np.sort(shuffled[start : start + size])


def validate(
    network: MatchForecaster,
    reader: BatchReader,
    rows: NDArray[np.int64],
    losses: LossFunction = mean_losses,
) -> tuple[float, float]:
    """Compute both losses of some rows, without dropout."""
    outcome_loss, goals_loss = losses(*outputs_and_targets(network, reader, rows))
    return outcome_loss.item(), goals_loss.item()
