"""Fitting the network: read top to bottom, one training loop, all knobs in `TrainingConfig`.

The loop runs in one process or in each of several workers, which share every batch (`workers.py`, `distributed.py`).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from football_assets.errors import FootballError
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import TrainingConfig
from football_assets.training.inputs import BatchReader, MappedReader, batch_reader
from football_assets.training.network import MatchForecaster
from football_assets.training.parallel.workers import Alone, Workers
from football_assets.training.split import TimeSplit

_EVALUATION_BATCH = 4096
_NORMALISER_ROWS = 100_000
_SMALLEST_BATCH = 64
_THREADED_BATCH = 512
_STEPS_AN_EPOCH = 64  # at least, where the training period is short


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training matches gave; losses are mean log losses of the outcome, in nats."""

    epoch: int
    train_log_loss: float
    validation_log_loss: float
    validation_goals_loss: float
    learning_rate: float
    seconds: float

    def as_dict(self) -> dict[str, float]:
        """The epoch as a flat record."""
        return asdict(self)


@dataclass(frozen=True)
class Fit:
    """A fitted and calibrated network, and the epochs that led to it.

    The epochs and their validation losses are of the fit that validation stops. Where the configuration says `refit`,
    the network itself has learnt from validation too, so that no score of it there means anything; `refit_seconds` is
    what that took.
    """

    network: MatchForecaster
    epochs: list[Epoch]
    best_epoch: int
    device: str
    refit_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """What all passes took."""
        return sum(epoch.seconds for epoch in self.epochs) + self.refit_seconds


def fit_forecaster(
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    on_epoch: Callable[[Epoch], None] | None = None,
    workers: Workers | None = None,
) -> Fit:
    """Train on `split.train`, stop by and calibrate on `split.validation`; `split.test` is not touched.

    With `config.refit` the epochs and the calibration that this finds are then given to a second network, which
    learns from training and validation matches: those of validation are the latest, and the most like what is to come.

    Parameters
    ----------
    on_epoch
        Called after each epoch of the first fit: progress, experiment tracking.
    workers
        Those that this process trains with; None: it trains alone. A batch is that of the whole group, so that the
        number of workers changes the speed, not what is learnt; only the masks of dropout differ.

    Raises
    ------
    FootballError
        No epoch gave a finite validation log loss.
    """
    batch_size = matches_a_step(config, len(split.train))
    workers = workers or Alone()
    with _threads_for(batch_size // workers.size):
        reader = batch_reader(tensors, workers.device)
        fit = _fit(tensors, reader, split, config, batch_size, on_epoch, workers)
        return _refit(fit, tensors, reader, split, config, batch_size, workers) if config.refit else fit


def matches_a_step(config: TrainingConfig, matches: int) -> int:
    """Size of a batch where there are so many matches to train on."""
    return min(config.batch_size, max(_SMALLEST_BATCH, matches // _STEPS_AN_EPOCH))


def _fit(
    tensors: SequenceTensors,
    reader: BatchReader,
    split: TimeSplit,
    config: TrainingConfig,
    batch_size: int,
    on_epoch: Callable[[Epoch], None] | None,
    workers: Workers,
) -> Fit:
    network, averaged = _start(tensors, split.train, config, workers)
    epochs: list[Epoch] = []
    best, best_epoch, best_weights = np.inf, 0, network.state_dict()
    started = time.perf_counter()
    for number, (train_loss, learning_rate) in enumerate(
        _passes(network, averaged, reader, split.train, config, batch_size, workers), start=1
    ):
        validation_loss, validation_goals_loss = workers.from_first(
            partial(validate, averaged.module, reader, split.validation)
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
        if validation_loss < best - 1e-5:
            best, best_epoch = validation_loss, number
            best_weights = {
                name: tensor.detach().clone() for name, tensor in averaged.module.state_dict().items()
            }
        if number - best_epoch >= config.patience:
            break
    if best_epoch == 0:
        raise FootballError(
            f"Training diverged: the validation log loss was {validation_loss} after {number} epochs. "
            "Lower learning_rate."
        )
    network.load_state_dict(best_weights)
    logits, _, outcome, _ = _outputs_and_targets(network, reader, split.validation)
    calibrate(network, logits, outcome)
    return Fit(network.to("cpu").eval(), epochs, best_epoch, str(workers.device))


def _refit(
    fit: Fit,
    tensors: SequenceTensors,
    reader: BatchReader,
    split: TimeSplit,
    config: TrainingConfig,
    batch_size: int,
    workers: Workers,
) -> Fit:
    """The same training once more, on validation too: same seed, same schedule.

    It goes to the end of the schedule, where the learning rate is least, unless validation stopped the first fit: then
    up to the epoch that was best.
    """
    started = time.perf_counter()
    rows = np.concatenate([split.train, split.validation])
    network, averaged = _start(tensors, rows, config, workers)
    epochs = config.epochs if len(fit.epochs) == config.epochs else fit.best_epoch
    for _ in islice(_passes(network, averaged, reader, rows, config, batch_size, workers), epochs):
        pass
    network.load_state_dict(averaged.module.state_dict())
    network.calibration_scale.copy_(fit.network.calibration_scale)
    network.calibration_shift.copy_(fit.network.calibration_shift)
    return replace(fit, network=network.to("cpu").eval(), refit_seconds=time.perf_counter() - started)


def _start(
    tensors: SequenceTensors, rows: NDArray[np.int64], config: TrainingConfig, workers: Workers
) -> tuple[MatchForecaster, AveragedModel]:
    """A network with the seed's weights that knows means and deviations of some rows, and the mean of its weights."""
    torch.manual_seed(config.seed)
    network = MatchForecaster(tensors.spec, config.network).to(workers.device)
    if workers.rank:
        torch.manual_seed(config.seed + workers.rank)  # equal weights, but dropout masks of its own
    fit_normalisers(network, tensors, rows)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))
    averaged.module.lstm.flatten_parameters()  # a copy's are scattered, which costs a GPU a gathering at each call
    return network, averaged


def _passes(
    network: MatchForecaster,
    averaged: AveragedModel,
    reader: BatchReader,
    rows: NDArray[np.int64],
    config: TrainingConfig,
    batch_size: int,
    workers: Workers,
) -> Iterator[tuple[float, float]]:
    """Train, and yield after each of `config.epochs` passes its mean log loss and the learning rate it ended with."""
    order = np.random.default_rng(config.seed)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    steps = -(-len(rows) // batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=steps * config.epochs, pct_start=0.15
    )
    for _ in range(config.epochs):
        network.train()
        total = torch.zeros((), dtype=torch.float64, device=workers.device)
        for batch in batches(rows, batch_size, order):
            optimiser.zero_grad(set_to_none=True)
            own = workers.own(batch)
            if len(own):
                inputs, outcome, goals = reader.read(own)
                logits, log_rates = network.raw_outputs(*inputs)
                outcome_loss, goals_loss = losses(logits, log_rates, outcome, goals)
                (outcome_loss + config.goals_weight * goals_loss).backward()
                total += outcome_loss.detach().double() * len(own)
            workers.join_gradients(network, len(own) / len(batch))
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
        yield workers.total(total.item()) / len(rows), schedule.get_last_lr()[0]


@contextmanager
def _threads_for(batch_size: int) -> Iterator[None]:
    """One thread for small batches: several wait for each other longer than they work, on a busy machine tenfold."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads if batch_size >= _THREADED_BATCH else 1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@torch.no_grad()
def fit_normalisers(network: MatchForecaster, tensors: SequenceTensors, train: NDArray[np.int64]) -> None:
    """Learn means and deviations from (at most 100,000 evenly spaced) training matches; padding is left out."""
    rows = train[:: max(1, len(train) // _NORMALISER_ROWS)]
    batch = tensors.take(rows)
    network.normalise_context.fit(torch.from_numpy(batch.context))
    past = np.concatenate([batch.home_history, batch.away_history]).reshape(-1, len(tensors.spec.history))
    network.normalise_history.fit(torch.from_numpy(past[past[:, network.observed] > 0]))


def batches(rows: NDArray[np.int64], size: int, order: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Rows in random order, `size` at a time; each batch sorted, as mapped files are read fastest."""
    shuffled = order.permutation(rows)
    for start in range(0, len(shuffled), size):
        yield np.sort(shuffled[start : start + size])


def losses(logits: Tensor, log_rates: Tensor, outcome: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
    """Mean log loss of the outcome and mean Poisson loss of the goals."""
    return (
        functional.cross_entropy(logits, outcome),
        functional.poisson_nll_loss(log_rates, goals, log_input=True),
    )


def validate(network: MatchForecaster, reader: BatchReader, rows: NDArray[np.int64]) -> tuple[float, float]:
    """Both losses of some rows, without dropout."""
    logits, log_rates, outcome, goals = _outputs_and_targets(network, reader, rows)
    outcome_loss, goals_loss = losses(logits, log_rates, outcome, goals)
    return outcome_loss.item(), goals_loss.item()


def raw_outputs(
    network: MatchForecaster, reader: BatchReader, rows: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    """The network's outputs before calibration for some rows, on the CPU."""
    return _outputs_and_targets(network, reader, rows)[:2]


@torch.no_grad()
def _outputs_and_targets(
    network: MatchForecaster, reader: BatchReader, rows: NDArray[np.int64]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    network.eval()
    parts = []
    for start in range(0, len(rows), _EVALUATION_BATCH):
        inputs, outcome, goals = reader.read(rows[start : start + _EVALUATION_BATCH])
        parts.append((*network.raw_outputs(*inputs), outcome, goals))
    logits, log_rates, outcomes, goals = (torch.cat(part).cpu() for part in zip(*parts, strict=True))
    return logits, log_rates, outcomes, goals


@torch.no_grad()
def forecast(
    network: MatchForecaster, tensors: SequenceTensors, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Calibrated probabilities `[n, 3]` and expected goals `[n, 2]` of some rows."""
    if len(rows) == 0:
        return np.zeros((0, 3)), np.zeros((0, 2))
    logits, log_rates = raw_outputs(network, MappedReader(tensors, torch.device("cpu")), rows)
    probabilities = torch.softmax(network.calibrate(logits), dim=1)
    return probabilities.double().numpy(), log_rates.exp().double().numpy()


def calibrate(network: MatchForecaster, logits: Tensor, outcome: Tensor) -> None:
    """Fit temperature scaling on validation outputs [1]: one scale for all outcomes, no shift.

    References
    ----------
    [1] Guo et al., 2017, On calibration of modern neural networks.
    """
    log_scale = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_scale], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(logits * log_scale.exp(), outcome)
        loss.backward()
        return loss

    with torch.enable_grad():
        optimiser.step(closure)
    network.calibration_scale.fill_(log_scale.detach().exp().item())
    network.calibration_shift.zero_()
