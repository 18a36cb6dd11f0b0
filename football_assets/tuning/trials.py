"""The configurations of a sweep: the default, the best of the last sweep, and random ones."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from football_assets.training.best_config import TUNED
from football_assets.training.config import NetworkConfig, SweepConfig, TrainingConfig
from football_assets.training.fit import Epoch

DEFAULT, BEFORE, DRAWN = "default", "best of the last sweep", "drawn"
_WIDTHS = (8, 16, 24, 32, 48, 64)
_BATCHES = (256, 512, 1024, 2048)


@dataclass(frozen=True)
class Trial:
    """A configuration of the search with its origin, its epochs so far, and the cause of its failure."""

    number: int
    origin: str
    training: TrainingConfig
    epochs: list[Epoch] = field(default_factory=list)
    failure: str | None = None

    @property
    def best(self) -> float:
        """Least validation log loss; infinite before the first epoch."""
        return min((epoch.validation_log_loss for epoch in self.epochs), default=np.inf)

    @property
    def outcome(self) -> str:
        """State in words: failed, not reached, finished, or stopped by the scheduler."""
        if self.failure is not None:
            return f"failed: {self.failure}"
        if not self.epochs:
            return "not reached"
        best_epoch = 1 + int(np.argmin([epoch.validation_log_loss for epoch in self.epochs]))
        done = len(self.epochs)
        if done == self.training.epochs or done - best_epoch >= self.training.patience:
            return "finished"
        return f"stopped after epoch {done}"

    @property
    def name(self) -> str:
        """Number and origin, as figures and tables show them."""
        return f"trial {self.number}, {self.origin}"

    def line(self) -> str:
        """Return one line for the log."""
        score = f"validation log loss {self.best:.4f}" if self.epochs else "no epoch"
        return f"Trial {self.number} ({self.origin}) {self.outcome}: {score}; {describe_hyperparameters(self.training)}"


def draw_trials(
    config: SweepConfig, last_best: TrainingConfig | None = None, matches: int = 0
) -> list[Trial]:
    """Return the default, the best configuration of the last sweep, and configurations sampled with the seed.

    `matches`, the number of played ones, decides how many where the configuration does not.
    """
    default = config.default
    trials = [Trial(0, DEFAULT, default)]
    if last_best is not None:
        tuned = {name: getattr(last_best, name) for name in TUNED}
        trials.append(Trial(1, BEFORE, default.model_copy(update=tuned)))
    generator = np.random.default_rng(config.seed)
    while len(trials) < config.budget(matches).trials:
        trials.append(Trial(len(trials), DRAWN, default.model_copy(update=_draw(generator))))
    return trials


def _draw(generator: np.random.Generator) -> dict[str, Any]:
    def between(low: float, high: float) -> float:
        return float(f"{generator.uniform(low, high):.3g}")

    def magnitude(low: float, high: float) -> float:
        return float(f"{np.exp(generator.uniform(np.log(low), np.log(high))):.3g}")

    return {
        "network": NetworkConfig(
            hidden=int(generator.choice(_WIDTHS)),
            layers=int(generator.choice((1, 1, 2))),
            trunk=int(generator.choice(_WIDTHS)),
            dropout=between(0.05, 0.5),
        ),
        "batch_size": int(generator.choice(_BATCHES)),
        "learning_rate": magnitude(3e-4, 1e-2),
        "weight_decay": magnitude(1e-3, 1.0),
        "averaging": round(1 - magnitude(2e-3, 1e-1), 5),
        "goals_weight": between(0.1, 1.0),
    }


def describe_hyperparameters(training: TrainingConfig) -> str:
    """Return the searched hyperparameters in one line."""
    network = training.network
    return (
        f"hidden {network.hidden}, layers {network.layers}, trunk {network.trunk}, dropout {network.dropout:g}, "
        f"batch {training.batch_size}, learning rate {training.learning_rate:g}, weight decay "
        f"{training.weight_decay:g}, averaging {training.averaging:g}, goals weight {training.goals_weight:g}"
    )
