"""The training half of `compression.py`: the loop of `trained_lstm` with the network compiled, in bfloat16, narrower.

All variants train in one process and alternate epoch by epoch, so that other load on the machine affects all equally.
"""

import os
import shutil
import statistics
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from football_assets.domain.scoring_rules import score
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import NetworkConfig, TrainingConfig
from football_assets.training.fit import Epoch, Fit, fit_forecaster
from football_assets.training.network import MatchForecaster, count_parameters
from football_assets.training.passes import NetworkFactory
from football_assets.training.predictions import forecast
from football_assets.training.split import TimeSplit

EAGER = "eager, float32"
NARROW = "half the width, float32"
FINE_TUNING_EPOCHS = 2
FINE_TUNING_RATE = 1 / 4  # of the learning rate of training

Outputs = tuple[Tensor, Tensor]


class Compiled(MatchForecaster):
    """Steps of training go through torch.compile, which leaves the LSTM's own kernel as it is."""

    def raw_outputs(self, home_history: Tensor, away_history: Tensor, context: Tensor) -> Outputs:
        if not self.training:
            return super().raw_outputs(home_history, away_history, context)
        outputs: Outputs = _compiled()(self, home_history, away_history, context)
        return outputs


class Bfloat16(MatchForecaster):
    """Steps of training under bfloat16 autocast; weights and losses stay float32."""

    def raw_outputs(self, home_history: Tensor, away_history: Tensor, context: Tensor) -> Outputs:
        with torch.autocast(context.device.type, torch.bfloat16, enabled=self.training):
            logits, log_rates = super().raw_outputs(home_history, away_history, context)
        return logits.float(), log_rates.float()


class Float32Lstm(nn.LSTM):
    """An LSTM that autocast leaves alone."""

    def forward(self, rows: Tensor) -> Any:
        with torch.autocast(rows.device.type, enabled=False):
            return super().forward(rows.float())


class Bfloat16ButLstm(Bfloat16):
    """The same with the LSTM in float32, since oneDNN has it in bfloat16 for processors with AVX-512 alone."""

    def __init__(self, spec: FeatureSpec, config: NetworkConfig) -> None:
        super().__init__(spec, config)
        self.lstm.__class__ = Float32Lstm


@cache
def _compiled() -> Callable[..., Any]:
    compiled: Callable[..., Any] = torch.compile(MatchForecaster.raw_outputs)
    return compiled


VARIANTS: dict[str, NetworkFactory] = {
    EAGER: MatchForecaster,
    "torch.compile": Compiled,
    "bfloat16 autocast": Bfloat16,
    "bfloat16 autocast, LSTM in float32": Bfloat16ButLstm,
    NARROW: MatchForecaster,
}


@dataclass(frozen=True)
class Training:
    """A variant of training beside eager float32; losses in nats. Where it cannot run, `failure` says why.

    `ratio` is the median over epochs of its seconds divided by eager's of the same epoch, the first left out:
    that is where compilation happens.
    """

    variant: str
    failure: str = ""
    parameters: int = 0
    first_epoch: float = 0  # seconds
    epoch: float = 0  # seconds, median of the others
    ratio: float = 0
    validation_log_loss: float = 0
    test_log_loss: float = 0
    ece: float = 0


def train_side_by_side(
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    report: Callable[[str], None],
) -> tuple[list[Training], dict[str, Fit]]:
    """Train every variant with the same seed, batches and number of epochs.

    Returns
    -------
    tuple
        A row a variant, and the fits of those that ran, by name.
    """
    config = config.model_copy(update={"patience": config.epochs})
    narrow = config.model_copy(
        update={"network": config.network.model_copy(update={"hidden": config.network.hidden // 2})}
    )
    failures = {name: reason for name in VARIANTS if (reason := cannot_run(name))}

    def task(name: str, factory: NetworkFactory) -> Callable[[HandOver], Fit]:
        def train(hand_over: HandOver) -> Fit:
            def end_turn(epoch: Epoch) -> None:
                report(f"{name}: epoch {epoch.epoch}, {epoch.seconds:.2f} s")
                hand_over()

            own_config = narrow if name == NARROW else config
            return fit_forecaster(tensors, split, own_config, end_turn, network_factory=factory)

        return train

    ended = in_turns(
        {name: task(name, factory) for name, factory in VARIANTS.items() if name not in failures}
    )
    fits = {name: end for name, end in ended.items() if isinstance(end, Fit)}
    failures |= {name: first_line(end) for name, end in ended.items() if isinstance(end, Exception)}
    if EAGER not in fits:
        raise SystemExit(f"Training failed: {failures[EAGER]}")
    rows = [
        Training(name, failure=failures[name])
        if name in failures
        else trained(name, fits[name], fits[EAGER], tensors, split)
        for name in VARIANTS
    ]
    return rows, fits


def trained(name: str, fit: Fit, eager: Fit, tensors: SequenceTensors, split: TimeSplit) -> Training:
    """The row of a variant that ran; its weights are judged in float32."""
    seconds, beside = ([epoch.seconds for epoch in each.epochs] for each in (fit, eager))
    probabilities, _ = forecast(fit.network, tensors, split.test)
    scores = score(probabilities, tensors.outcome[split.test])
    return Training(
        variant=name,
        parameters=count_parameters(fit.network),
        first_epoch=seconds[0],
        epoch=statistics.median(seconds[1:]),
        ratio=statistics.median(own / other for own, other in zip(seconds[1:], beside[1:], strict=True)),
        validation_log_loss=fit.best.validation_log_loss,
        test_log_loss=scores.log_loss,
        ece=scores.ece,
    )


def cannot_run(name: str) -> str:
    """Why a variant need not be tried; nothing where it may run."""
    compiler = os.environ.get("CXX", "g++")
    if "torch.compile" in name and shutil.which(compiler) is None:
        return f"there is no C++ compiler ({compiler}), which torch.compile needs on a CPU"
    return ""


def first_line(error: Exception) -> str:
    """An error in a table's cell."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split(". Run workload")[0].replace("|", "/")[:160]


HandOver = Callable[[], None]


class _Runner(threading.Thread):
    """A task in a thread that runs only when it has its turn, with torch's random numbers as it left them."""

    def __init__(self, task: Callable[[HandOver], object]) -> None:
        super().__init__(daemon=True)
        self.ended: object = None
        self.has_ended = False
        self._task = task
        self._go, self._stop = threading.Semaphore(0), threading.Semaphore(0)

    def take_turn(self) -> None:
        """Let the task run until it yields its turn or ends."""
        self._go.release()
        self._stop.acquire()

    def run(self) -> None:
        self._go.acquire()
        try:
            self.ended = self._task(self._hand_over)
        except Exception as error:
            self.ended = error
        finally:
            self.has_ended = True
            self._stop.release()

    def _hand_over(self) -> None:
        state = torch.get_rng_state()
        self._stop.release()
        self._go.acquire()
        torch.set_rng_state(state)


def in_turns(tasks: Mapping[str, Callable[[HandOver], object]]) -> dict[str, object]:
    """Run tasks of which one works at a time, until it calls its argument; each one's result or error."""
    runners = {name: _Runner(task) for name, task in tasks.items()}
    for runner in runners.values():
        runner.start()
    while waiting := [runner for runner in runners.values() if not runner.has_ended]:
        for runner in waiting:
            runner.take_turn()
    return {name: runner.ended for name, runner in runners.items()}


def smallest_weights(weight: Tensor, share: float) -> Tensor:
    """Which of a matrix's weights stay when the share of smallest magnitude goes: 1 or 0, of its shape."""
    mask: Tensor = prune.L1Unstructured(amount=share).compute_mask(weight, torch.ones_like(weight))
    return mask


@torch.no_grad()
def pruned(network: MatchForecaster, share: float) -> MatchForecaster:
    """A copy without the smallest weights of each matrix; biases stay. Gradients of what went are zero."""
    copy = MatchForecaster(network.spec, network.config)
    copy.load_state_dict(network.state_dict())
    for weight in matrices(copy):
        mask = smallest_weights(weight, share)
        weight.mul_(mask)
        weight.register_hook(lambda gradient, mask=mask: gradient * mask)
    return copy.eval()


def matrices(network: nn.Module) -> list[Tensor]:
    """Return the weights that pruning considers."""
    return [parameter for parameter in network.parameters() if parameter.dim() > 1]


def share_of_zeros(network: nn.Module) -> float:
    """Share of zeros among the weights of all matrices."""
    weights = matrices(network)
    return sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)


def fine_tuned(
    network: MatchForecaster,
    share: float,
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
) -> MatchForecaster:
    """Prune, train what is left for two epochs, and calibrate again."""
    short = config.model_copy(
        update={
            "epochs": FINE_TUNING_EPOCHS,
            "patience": FINE_TUNING_EPOCHS,
            "learning_rate": config.learning_rate * FINE_TUNING_RATE,
        }
    )
    tuned = fit_forecaster(
        tensors, split, short, network_factory=lambda _, __: pruned(network, share)
    ).network
    if share_of_zeros(tuned) < share_of_zeros(pruned(network, share)):
        raise SystemExit("Weights that were pruned came back in training.")
    return tuned
