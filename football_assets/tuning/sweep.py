"""The hyperparameter sweep: a search over random configurations, then a final over several seeds.

Validation decides; the test period is not read. The final trains the best configurations and the default with equal
seeds that the search did not use, so one lucky seed does not decide.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from football_assets.errors import FootballError
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.best_config import TUNED, BestConfig, spec_digest
from football_assets.training.config import SweepConfig, TrainingConfig
from football_assets.training.fit import fit_forecaster
from football_assets.training.parallel.ray_cluster import offered_gpus, ray_cluster
from football_assets.training.parallel.worker_inputs import inputs_for_workers
from football_assets.training.split import TimeSplit
from football_assets.tuning.search import Say, failure_cause, fetch_inputs, run_search
from football_assets.tuning.trials import DRAWN, Trial, draw_trials

if TYPE_CHECKING:
    from ray import ObjectRef

_FINAL_SEEDS_FROM = 1000


@dataclass(frozen=True)
class Finalist:
    """A trial of the final with its least validation log loss by seed."""

    trial: Trial
    losses: dict[int, float]


@dataclass(frozen=True)
class Sweep:
    """All trials, the finalists, the winner (None if too few seeds were trained) and the reason."""

    trials: list[Trial]
    finalists: list[Finalist]
    winner: Finalist | None
    reason: str

    def curves(self) -> tuple[dict[str, list[float]], str, str | None]:
        """Return the validation log losses of each trial by epoch, and the names of the default and the winner."""
        losses = {trial.name: [epoch.validation_log_loss for epoch in trial.epochs] for trial in self.trials}
        return losses, self.trials[0].name, self.winner.trial.name if self.winner else None


def run_sweep(
    tensors: SequenceTensors,
    split: TimeSplit,
    config: SweepConfig,
    last_best: TrainingConfig | None = None,
    say: Say = lambda line: None,
) -> Sweep:
    """Search on all cores or GPUs of the Ray cluster that RAY_ADDRESS names, otherwise of this machine.

    Parameters
    ----------
    last_best
        Winner of the last sweep. It is a trial and a finalist of this one.
    say
        Called with a line as each trial and each training of the final ends.

    Raises
    ------
    FootballError
        No trial gave a score, and one failed.
    """
    started = time.monotonic()
    matches = int(tensors.played.sum())
    budget = config.budget(matches)
    say(f"At most {budget.trials} trials and {budget.minutes:g} minutes for {matches:,} played matches")
    trials = draw_trials(config, last_best, matches)
    with ray_cluster() as folder:
        import ray

        task = ray.put((inputs_for_workers(tensors), split))
        gpus = config.gpus_per_trial if offered_gpus() else 0
        resources = {"cpu": 1, "gpu": gpus}
        began = time.monotonic()  # the start of Ray does not count
        trials = run_search(task, trials, config, budget.minutes, resources, str(folder), say)
        left = 60 * budget.minutes - (time.monotonic() - began)
        finalists = _final(task, choose_finalists(trials, config), config, resources, left, say)
    winner, reason = verdict(finalists)
    say(f"{reason[0].upper()}{reason[1:]}. {time.monotonic() - started:.0f} s in all.")
    return Sweep(trials, finalists, winner, reason)


def choose_finalists(trials: list[Trial], config: SweepConfig) -> list[Trial]:
    """Select the default, the winner of the last sweep, and the best of the sampled trials.

    Where the time is over before a trial has ended, as on a busy machine, no sampled trial is a finalist.

    Raises
    ------
    FootballError
        No trial gave a score, and one failed.
    """
    scored = [trial for trial in trials if np.isfinite(trial.best)]
    failed = [trial for trial in trials if trial.failure is not None]
    if failed and not scored:
        raise FootballError(f"No trial of the sweep returned a score: {failed[0].name}, {failed[0].outcome}.")
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
    """Train every contender with each seed, one seed after another, until all are trained or the time is over."""
    import ray

    @ray.remote(num_cpus=resources["cpu"], num_gpus=resources["gpu"], max_retries=0)
    def train(training: TrainingConfig) -> float:
        tensors, split = fetch_inputs(task)
        fit = fit_forecaster(tensors, split, training)
        return fit.best.validation_log_loss

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
            say(f"Final: trial {number}, seed {seed} failed: {failure_cause(error)}")
            continue
        finalists[number].losses[seed] = loss
        say(f"Final: trial {number}, seed {seed}: validation log loss {loss:.4f}")
    for unfinished in pending:
        ray.cancel(unfinished, force=True)
    return list(finalists.values())


def verdict(finalists: list[Finalist]) -> tuple[Finalist | None, str]:
    """Select the winner and give the reason; the winner is None where fewer than two seeds were trained.

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
        return (
            None,
            "the default and another trial have fewer than two seeds in common: the time was too short",
        )
    gain, error, seeds_compared, best = max(compared, key=lambda item: item[0])
    figures = f"{gain:+.4f} ± {error:.4f} in validation log loss over {seeds_compared} seeds"
    if gain > error:
        return best, f"trial {best.trial.number} beats the default: {figures}"
    return default, f"no trial beats the default: the best, trial {best.trial.number}, gains {figures}"


def best_config(
    sweep: Sweep, spec: FeatureSpec, tensors_digest: str, split: TimeSplit, run_id: str
) -> BestConfig | None:
    """Return the record of the winner for the next training; None where no trial won."""
    winner, default = sweep.winner, sweep.finalists[0]
    if winner is None:
        return None
    return BestConfig(
        training=winner.trial.training,
        wins=winner is not default,
        reason=sweep.reason,
        validation_log_loss=[loss for _, loss in sorted(winner.losses.items())],
        default_validation_log_loss=[loss for _, loss in sorted(default.losses.items())],
        feature_spec=spec_digest(spec),
        tensors=tensors_digest,
        validation_start=split.validation_start,
        validation_end=split.validation_end,
        found=datetime.now(UTC),
        run_id=run_id,
    )


def final_table(sweep: Sweep) -> pl.DataFrame:
    """Tabulate the final, one row per trial and seed."""
    return pl.DataFrame(
        [
            {"trial": item.trial.name, "seed": seed, "validation log loss": f"{loss:.4f}"}
            for item in sweep.finalists
            for seed, loss in item.losses.items()
        ],
        schema=["trial", "seed", "validation log loss"],
    )


def trials_table(sweep: Sweep) -> pl.DataFrame:
    """Tabulate the trials, one row each: hyperparameters, outcome and scores; `final_log_loss`: mean over seeds."""
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
