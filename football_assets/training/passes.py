"""Passes over the training matches: the optimisation loop, and its state between two passes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from football_assets.sequences.spec import FeatureSpec
from football_assets.training.checkpoints import Checkpoints, TrainingCheckpoint, named
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.hidden_inputs import HiddenOdds
from football_assets.training.inputs import Batch, BatchReader
from football_assets.training.losses import LossFunction, soft_labels
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import in_parts
from football_assets.training.workers import Workers

_NORMALISER_ROWS = 100_000
_SMALLEST_BATCH = 64
_STEPS_PER_EPOCH = 64  # at least, where the training period is short

NetworkFactory = Callable[[FeatureSpec, NetworkConfig], MatchForecaster]


@dataclass(frozen=True)
class FitTask:
    """What the first fit and the refit have in common."""

    spec: FeatureSpec
    reader: BatchReader
    config: TrainingConfig
    batch_size: int
    workers: Workers
    network_factory: NetworkFactory
    losses: LossFunction
    checkpoints: Checkpoints


class Passes:
    """A network in training and everything that its next pass depends on.

    Parameters
    ----------
    task
        Data, hyperparameters and workers.
    rows
        Rows of the training matches, each of which belongs to one worker.
    """

    def __init__(self, task: FitTask, rows: NDArray[np.int64]) -> None:
        config, workers = task.config, task.workers
        self._task, self._rows = task, rows
        self.network, self.averaged = _start(task, rows)
        peak = peak_learning_rate(config, task.batch_size)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=peak, weight_decay=config.weight_decay, fused=True
        )
        steps = -(-len(rows) // task.batch_size)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, peak, total_steps=steps * config.epochs, pct_start=0.15
        )
        self._order = np.random.default_rng(config.seed)
        last = int(rows.max()) + 1  # matches after the training period must not change the draws
        self._hidden = HiddenOdds(task.spec, config.hidden_odds, config.seed, last, workers.device)
        own = rows[workers.owns(rows)]
        owned, with_odds = workers.total(torch.tensor([len(own), task.reader.has_odds(own)])).tolist()
        if owned != len(rows):
            raise ValueError(
                f"The workers own {owned:.0f} of {len(rows)} training matches: divide all of them."
            )
        self._odds_share = config.soft_labels if with_odds else 0.0
        self.done = 0  # passes

    def run(self) -> tuple[float, float]:
        """Train for one pass; return its mean log loss and its last learning rate."""
        task, network, workers = self._task, self.network, self._task.workers
        network.train()
        self._hidden.draw()
        total = torch.zeros((), dtype=torch.float64, device=workers.device)
        for drawn in batches(self._rows, task.batch_size, self._order):
            self._optimiser.zero_grad(set_to_none=True)
            own = drawn[workers.owns(drawn)]
            if len(own):
                batch = task.reader.read(own)
                outputs = network.raw_outputs(*self._hidden.hide(batch.inputs, own))  # [n, 3], [n, 2]
                loss, log_loss = _losses(task, outputs, batch, self._odds_share)
                loss.backward()
                total += log_loss.detach().double() * len(own)
            workers.join_gradients(network, len(own) / len(drawn))
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            self._optimiser.step()
            self._schedule.step()
            self.averaged.update_parameters(network)
        self.done += 1
        return workers.total(total).item() / len(self._rows), self._schedule.get_last_lr()[0]

    def state(self) -> TrainingCheckpoint:
        """Return the state after the last pass; the tensors are those that the next pass changes."""
        optimiser = self._optimiser.state_dict()
        moments = {
            f"{parameter}.{name}": value
            for parameter, values in optimiser["state"].items()
            for name, value in values.items()
        }
        tensors = {
            **named("network", self.network.state_dict()),
            **named("averaged", self.averaged.state_dict()),
            **named("optimiser", moments),
        }
        record = {
            "done": self.done,
            "optimiser": optimiser["param_groups"],
            "schedule": self._schedule.state_dict(),
            "order": self._order.bit_generator.state,
            "hidden": self._hidden.state,
        }
        return TrainingCheckpoint(tensors, record)

    def restore(self, checkpoint: TrainingCheckpoint) -> None:
        """Restore a state that `state` returned."""
        record = checkpoint.record
        self.network.load_state_dict(checkpoint.part("network"))
        self.averaged.load_state_dict(checkpoint.part("averaged"))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in checkpoint.part("optimiser").items():
            parameter, _, key = name.partition(".")
            moments.setdefault(int(parameter), {})[key] = value
        groups = [{**group, "betas": tuple(group["betas"])} for group in record["optimiser"]]
        self._optimiser.load_state_dict({"state": moments, "param_groups": groups})
        self._schedule.load_state_dict(record["schedule"])
        self._order.bit_generator.state = record["order"]
        self._hidden.state = record["hidden"]
        self.done = record["done"]


def matches_per_step(config: TrainingConfig, matches: int) -> int:
    """Return the batch size for a number of training matches."""
    return min(config.batch_size, max(_SMALLEST_BATCH, matches // _STEPS_PER_EPOCH))


def peak_learning_rate(config: TrainingConfig, batch_size: int) -> float:
    """Scale the configured peak learning rate by the square root of the ratio of the batch sizes.

    The size of Adam's steps does not depend on the batch size, and the steps of a smaller batch are noisier.
    """
    return config.learning_rate * sqrt(batch_size / config.batch_size)


def fit_normalisers(
    network: MatchForecaster, reader: BatchReader, train: NDArray[np.int64], workers: Workers
) -> None:
    """Fit means and deviations on at most 100,000 evenly spaced training matches; padding is left out.

    Each worker reads the sampled matches that it owns, in parts.
    """
    rows = train[:: max(1, len(train) // _NORMALISER_ROWS)]
    for part in in_parts(rows[workers.owns(rows)]):
        home, away, context = reader.read(part).inputs
        network.normalise_context.observe(context)
        for history in (home, away):
            network.normalise_history.observe(history[history[..., network.observed] > 0])  # [n, features]
    network.normalise_context.fit(workers.total)
    network.normalise_history.fit(workers.total)


def batches(rows: NDArray[np.int64], size: int, order: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield the rows in random order, `size` at a time; a batch is sorted, to read mapped files faster."""
    shuffled = order.permutation(rows)
    for start in range(0, len(shuffled), size):
        yield np.sort(shuffled[start : start + size])


def _start(task: FitTask, rows: NDArray[np.int64]) -> tuple[MatchForecaster, AveragedModel]:
    """Build the network, initialised by the seed and normalised on some rows, and the average of its weights."""
    seed, workers = task.config.seed, task.workers
    torch.manual_seed(seed)
    network = task.network_factory(task.spec, task.config.network).to(workers.device)
    if workers.rank:
        torch.manual_seed(seed + workers.rank)  # equal weights, different masks of dropout
    fit_normalisers(network, task.reader, rows, workers)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(task.config.averaging))
    averaged.module.lstm.flatten_parameters()  # a copy's are not contiguous, which a GPU would repack at each call
    return network, averaged


def _losses(
    task: FitTask, outputs: tuple[Tensor, Tensor], batch: Batch, odds_share: float
) -> tuple[Tensor, Tensor]:
    """Compute the loss to minimise, and the mean log loss against results, which is reported."""
    logits, log_rates = outputs
    outcome, goals = batch.outcome, batch.goals
    if odds_share:
        outcome, goals = soft_labels(outcome, goals, batch.market, odds_share)
    outcome_loss, goals_loss = task.losses(logits, log_rates, outcome, goals)
    loss = outcome_loss + task.config.goals_weight * goals_loss
    if odds_share:
        outcome_loss, _ = task.losses(logits.detach(), log_rates.detach(), batch.outcome, batch.goals)
    return loss, outcome_loss
