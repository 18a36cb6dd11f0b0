"""The search for hyperparameters: random configurations under ASHA on Ray Tune [1], then a final over several seeds.

Validation decides everything; the test period is not read. One lucky seed does not win: the final trains the best
configurations and the default alike, with equal seeds that the search did not use.

References
----------
[1] Li et al., 2020, A system for massively parallel hyperparameter tuning.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from football_assets.errors import FootballError
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.best_config import TUNED
from football_assets.training.config import NetworkConfig, SweepConfig, TrainingConfig
from football_assets.training.fit import Epoch, fit_forecaster
from football_assets.training.parallel.ray_cluster import ray_cluster
from football_assets.training.parallel.worker_inputs import inputs_for_workers
from football_assets.training.split import TimeSplit

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.tune.experiment import Trial as TuneTrial

DEFAULT, BEFORE, DRAWN = "default", "best of the last sweep", "drawn"
_SEARCH_SHARE = 2 / 3  # of the time
_FINAL_SEEDS_FROM = 1000
_WIDTHS = (8, 16, 24, 32, 48, 64)
_BATCHES = (256, 512, 1024, 2048)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """A configuration of the search, where it comes from, and what its epochs gave."""

    number: int
    origin: str
    training: TrainingConfig
    epochs: list[Epoch] = field(default_factory=list)
    failure: str | None = None

    @property
    def best(self) -> float:
        """The least validation log loss; infinite if no epoch was reached."""
        return min((epoch.validation_log_loss for epoch in self.epochs), default=np.inf)

    @property
    def outcome(self) -> str:
        """What became of it."""
        if self.failure is not None:
            return f"failed: {self.failure}"
        if not self.epochs:
            return "not reached"
        best_epoch = 1 + int(np.argmin([epoch.validation_log_loss for epoch in self.epochs]))
        done = len(self.epochs)
        if done == self.training.epochs or done - best_epoch >= self.training.patience:
            return "finished"
        return f"stopped after epoch {done}"

    def line(self) -> str:
        """One sentence for a person."""
        score = f"validation log loss {self.best:.4f}" if self.epochs else "no epoch"
        return f"Trial {self.number} ({self.origin}) {self.outcome}: {score}; {describe(self.training)}"


@dataclass(frozen=True)
class Finalist:
    """A trial of the final: its least validation log loss by seed."""

    trial: Trial
    losses: dict[int, float]


@dataclass(frozen=True)
class Sweep:
    """All trials, the final, and its verdict: the winner, unless time ran out, and the reason."""

    trials: list[Trial]
    finalists: list[Finalist]
    winner: Finalist | None
    reason: str


def run_sweep(
    tensors: SequenceTensors,
    split: TimeSplit,
    config: SweepConfig,
    last_best: TrainingConfig | None = None,
    say: Say = lambda line: None,
) -> Sweep:
    """Search on all cores, or GPUs, of the Ray cluster that RAY_ADDRESS names, else of this machine.

    Parameters
    ----------
    last_best
        What the last sweep found: it has to win again.
    say
        Takes a line as each trial and each training of the final ends.

    Raises
    ------
    FootballError
        No trial gave a score.
    """
    started = time.monotonic()
    trials = draw_trials(config, last_best)
    with ray_cluster() as folder:
        import ray

        task = ray.put((inputs_for_workers(tensors), split))
        gpus = config.gpus_per_trial if ray.cluster_resources().get("GPU", 0) else 0
        resources = {"cpu": 1, "gpu": gpus}
        began = time.monotonic()  # starting Ray is not the search's time
        trials = _search(task, trials, config, resources, str(folder), say)
        left = 60 * config.minutes - (time.monotonic() - began)
        finalists = _final(task, choose_finalists(trials, config), config, resources, left, say)
    winner, reason = verdict(finalists)
    say(f"{reason[0].upper()}{reason[1:]}. {time.monotonic() - started:.0f} s in all.")
    return Sweep(trials, finalists, winner, reason)


def draw_trials(config: SweepConfig, last_best: TrainingConfig | None = None) -> list[Trial]:
    """The default, what the last sweep found, and as many drawn by the seed as there is room for."""
    default = config.default
    trials = [Trial(0, DEFAULT, default)]
    if last_best is not None:
        tuned = {name: getattr(last_best, name) for name in TUNED}
        trials.append(Trial(1, BEFORE, default.model_copy(update=tuned)))
    generator = np.random.default_rng(config.seed)
    while len(trials) < config.trials:
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


def describe(training: TrainingConfig) -> str:
    """The searched hyperparameters in short."""
    network = training.network
    return (
        f"hidden {network.hidden}, layers {network.layers}, trunk {network.trunk}, dropout {network.dropout:g}, "
        f"batch {training.batch_size}, learning rate {training.learning_rate:g}, weight decay "
        f"{training.weight_decay:g}, averaging {training.averaging:g}, goals weight {training.goals_weight:g}"
    )


def _search(
    task: "ObjectRef",
    trials: list[Trial],
    config: SweepConfig,
    resources: dict[str, float],
    folder: str,
    say: Say,
) -> list[Trial]:
    """Run the trials; those that look worse than others after as many epochs are stopped."""
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    followed = {trial.number: trial for trial in trials}

    class Follow(tune.Callback):  # type: ignore[misc]
        """Notes epochs as they are reported and says how trials end."""

        def __init__(self, followed: dict[int, Trial], say: Say) -> None:
            self.followed, self.say = followed, say

        def __getstate__(self) -> dict[str, Any]:
            return {}  # Tune saves its callbacks; nobody resumes this search, and a log cannot be saved

        def on_trial_result(
            self, iteration: int, trials: list["TuneTrial"], trial: "TuneTrial", result: dict, **info: Any
        ) -> None:
            known = self.followed[trial.config["number"]]
            if result["epoch"] > len(known.epochs):
                known.epochs.append(Epoch(**{name: result[name] for name in Epoch.__dataclass_fields__}))

        def on_trial_complete(
            self, iteration: int, trials: list["TuneTrial"], trial: "TuneTrial", **info: Any
        ) -> None:
            self.say(self.followed[trial.config["number"]].line())

        def on_trial_error(
            self, iteration: int, trials: list["TuneTrial"], trial: "TuneTrial", **info: Any
        ) -> None:
            number = trial.config["number"]
            self.followed[number] = replace(self.followed[number], failure=_cause(trial.get_error()))
            self.say(self.followed[number].line())

    configurations = {trial.number: trial.training for trial in trials}

    def attempt(given: dict[str, Any]) -> None:
        tensors, split = _fetch(task)
        fit_forecaster(
            tensors, split, configurations[given["number"]], lambda epoch: tune.report(epoch.as_dict())
        )

    tune.Tuner(
        tune.with_resources(attempt, resources),
        param_space={"number": tune.grid_search([trial.number for trial in trials])},
        tune_config=tune.TuneConfig(
            metric="validation_log_loss",
            mode="min",
            scheduler=ASHAScheduler(
                time_attr="epoch",
                max_t=config.epochs,
                grace_period=min(config.grace_epochs, config.epochs),
                reduction_factor=3,
            ),
            time_budget_s=60 * config.minutes * _SEARCH_SHARE,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(storage_path=folder, verbose=0, callbacks=[Follow(followed, say)]),
    ).fit()
    return list(followed.values())


def _fetch(task: "ObjectRef") -> tuple[SequenceTensors, TimeSplit]:
    import ray

    inputs, split = ray.get(task)
    return inputs.tensors(), split


def _cause(error: BaseException | None) -> str:
    """What a trial died of, in a line."""
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines() if cause is not None else []
    return lines[-1].strip() if lines else "it died"


def choose_finalists(trials: list[Trial], config: SweepConfig) -> list[Trial]:
    """The default, what the last sweep found, and the best of the others.

    Raises
    ------
    FootballError
        No trial gave a score.
    """
    scored = [trial for trial in trials if np.isfinite(trial.best)]
    if not scored:
        raise FootballError(
            f"No trial of the sweep gave a score; the first {trials[0].outcome}. Give it more minutes, or see why "
            "trials fail."
        )
    drawn = sorted((trial for trial in scored if trial.origin == DRAWN), key=lambda trial: trial.best)
    return [*(trial for trial in trials if trial.origin != DRAWN), *drawn[: config.finalists]]


def _final(
    task: "ObjectRef",
    contenders: list[Trial],
    config: SweepConfig,
    resources: dict[str, float],
    seconds: float,
    say: Say,
) -> list[Finalist]:
    """Train every contender to its end with each seed, seed after seed, as far as the time goes."""
    import ray

    @ray.remote(num_cpus=resources["cpu"], num_gpus=resources["gpu"], max_retries=0)
    def train(training: TrainingConfig) -> float:
        tensors, split = _fetch(task)
        fit = fit_forecaster(tensors, split, training)
        return fit.epochs[fit.best_epoch - 1].validation_log_loss

    finalists = {trial.number: Finalist(trial, {}) for trial in contenders}
    pending = {
        train.remote(trial.training.model_copy(update={"seed": seed})): (trial.number, seed)
        for seed in range(_FINAL_SEEDS_FROM, _FINAL_SEEDS_FROM + config.final_seeds)
        for trial in contenders
    }
    deadline = time.monotonic() + seconds
    while pending:
        done, _ = ray.wait(list(pending), num_returns=1, timeout=max(0.0, deadline - time.monotonic()))
        if not done:
            break
        number, seed = pending.pop(done[0])
        try:
            loss = ray.get(done[0])
        except ray.exceptions.RayError as error:
            say(f"Final: trial {number}, seed {seed} failed: {_cause(error)}")
            continue
        finalists[number].losses[seed] = loss
        say(f"Final: trial {number}, seed {seed}: validation log loss {loss:.4f}")
    for unfinished in pending:
        ray.cancel(unfinished, force=True)
    return list(finalists.values())


def verdict(finalists: list[Finalist]) -> tuple[Finalist | None, str]:
    """The winner and why; None where too little was trained to tell.

    A configuration beats the default if its mean validation log loss over the seeds is lower, by more than the
    standard error of the differences.
    """
    default, *others = finalists
    compared = []
    for other in others:
        seeds = sorted(default.losses.keys() & other.losses.keys())
        if len(seeds) >= 2:
            gains = np.array([default.losses[seed] - other.losses[seed] for seed in seeds])
            compared.append((gains.mean(), gains.std(ddof=1) / np.sqrt(len(seeds)), len(seeds), other))
    if not compared:
        return None, "no two seeds of the default and a rival were trained: the time was too short to tell"
    gain, error, seeds_compared, best = max(compared, key=lambda item: item[0])
    figures = f"{gain:+.4f} ± {error:.4f} in validation log loss over {seeds_compared} seeds"
    if gain > error:
        return best, f"trial {best.trial.number} beats the default: {figures}"
    return default, f"no trial beats the default: the best, trial {best.trial.number}, gains {figures}"


def trials_table(sweep: Sweep) -> pl.DataFrame:
    """One row a trial: what was tried and what it gave; the mean over the final's seeds where it was in the final."""
    finals = {item.trial.number: list(item.losses.values()) for item in sweep.finalists}
    schema = {"final_log_loss": pl.Float64, "validation_log_loss": pl.Float64}
    return pl.DataFrame(
        [
            {
                "trial": trial.number,
                "origin": trial.origin,
                "outcome": trial.outcome,
                "epochs": len(trial.epochs),
                "validation_log_loss": trial.best if trial.epochs else None,
                "final_log_loss": float(np.mean(finals[trial.number])) if finals.get(trial.number) else None,
                **trial.training.network.model_dump(),
                **{name: getattr(trial.training, name) for name in TUNED if name != "network"},
            }
            for trial in sweep.trials
        ],
        schema_overrides=schema,
    )
