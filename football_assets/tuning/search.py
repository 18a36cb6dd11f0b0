"""The search of a sweep: its trials on Ray Tune, of which ASHA [1] stops the worse ones early.

References
----------
[1] Li et al., 2020, A system for massively parallel hyperparameter tuning.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import SweepConfig
from football_assets.training.fit import Epoch, fit_forecaster
from football_assets.training.split import TimeSplit
from football_assets.tuning.trials import Trial

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.tune import Callback
    from ray.tune.experiment import Trial as TuneTrial

_SEARCH_SHARE = 2 / 3  # of the time

Say = Callable[[str], None]


def run_search(
    task: "ObjectRef",
    trials: list[Trial],
    config: SweepConfig,
    minutes: float,
    resources: dict[str, float],
    folder: str,
    say: Say,
) -> list[Trial]:
    """Train the trials on Ray Tune and return them with their epochs, or with the cause of their failure.

    ASHA stops a trial that is worse than others after as many epochs.

    Parameters
    ----------
    task
        Reference to the inputs of workers and the split in Ray's object store.
    minutes
        Time of the whole sweep, of which the search takes two thirds.
    resources
        CPUs and GPUs of a trial.
    folder
        Where Ray Tune stores its state.
    say
        Called with a line as each trial ends.
    """
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    followed = {trial.number: trial for trial in trials}
    configurations = {trial.number: trial.training for trial in trials}

    def train_trial(sampled: dict[str, Any]) -> None:
        tensors, split = fetch_inputs(task)
        fit_forecaster(
            tensors, split, configurations[sampled["number"]], lambda epoch: tune.report(epoch.as_dict())
        )

    tune.Tuner(
        tune.with_resources(train_trial, resources),
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
            time_budget_s=60 * minutes * _SEARCH_SHARE,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=folder, verbose=0, callbacks=[progress_callback(followed, say)]
        ),
    ).fit()
    return list(followed.values())


def progress_callback(followed: dict[int, Trial], say: Say) -> "Callback":
    """Return a callback of Ray Tune that stores epochs and failures in the trials and reports each trial's end."""
    from ray import tune

    class FollowTrials(tune.Callback):  # type: ignore[misc]
        def __init__(self, followed: dict[int, Trial], say: Say) -> None:
            self.followed, self.say = followed, say

        def __getstate__(self) -> dict[str, Any]:
            return {}  # Tune pickles class and callback; this search is never resumed, and a log cannot be pickled

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
            self.followed[number] = replace(self.followed[number], failure=failure_cause(trial.get_error()))
            self.say(self.followed[number].line())

    return FollowTrials(followed, say)


def fetch_inputs(task: "ObjectRef") -> tuple[SequenceTensors, TimeSplit]:
    """Return the tensors and the split from Ray's object store."""
    import ray

    inputs, split = ray.get(task)
    return inputs.tensors(), split


def failure_cause(error: BaseException | None) -> str:
    """Return the last line of the innermost error of a trial."""
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines() if cause is not None else []
    return lines[-1].strip() if lines else "it died"
