"""The hyperparameters of training in one typed object, for the Dagster launchpad; stored with every model."""

from datetime import date
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

LEAST_YEARS = 4  # of training matches that `SplitConfig.train_start` leaves


class NetworkConfig(BaseModel):
    """Shape of the network."""

    model_config = ConfigDict(extra="forbid")

    hidden: int = Field(32, ge=1, description="Width of the LSTM's state.")
    layers: int = Field(1, ge=1, le=4, description="LSTM layers.")
    trunk: int = Field(64, ge=1, description="Width of the layer that joins both teams and the context.")
    dropout: float = Field(0.15, ge=0, lt=1, description="Share of activations dropped while training.")


class SplitConfig(BaseModel):
    """Consecutive periods: train, validation, test. Shares are of the played matches; a day is in one period."""

    model_config = ConfigDict(extra="forbid")

    validation_share: float = Field(
        0.15, gt=0, lt=1, description="Share of the played matches before the test period."
    )
    most_validation: int = Field(
        12_000,
        ge=1,
        description="Maximum number of validation matches, about a season of 38 leagues; overrides the share.",
    )
    test_share: float = Field(0.15, ge=0, lt=1, description="Share of the played matches at the end.")
    validation_start: date | None = Field(None, description="First day of validation; overrides the share.")
    test_start: date | None = Field(None, description="First day of the test period; overrides the share.")
    burn_in_days: int = Field(
        180,
        ge=0,
        description="Days at the start whose matches are history only, until ratings have converged.",
    )
    train_start: date | None = Field(
        date(2005, 7, 1),
        description="First day of the training matches. Earlier matches are history only, since football has changed "
        f"and few of them have odds. Not applied if validation starts less than {LEAST_YEARS} years later.",
    )


class TrainingConfig(BaseModel):
    """Hyperparameters of a training."""

    model_config = ConfigDict(extra="forbid")

    network: NetworkConfig = NetworkConfig()
    split: SplitConfig = SplitConfig()
    epochs: int = Field(7, ge=1, description="Maximum number of passes over the training matches.")
    patience: int = Field(4, ge=1, description="Epochs without a better validation log loss before stopping.")
    batch_size: int = Field(
        1024, ge=1, description="Largest batch size; smaller where the training period is short."
    )
    learning_rate: float = Field(
        1e-3,
        gt=0,
        description="Peak of the one-cycle schedule at `batch_size`; lower by the square root of the ratio where the "
        "training period is short and batches are smaller.",
    )
    weight_decay: float = Field(0.1, ge=0, description="AdamW's decoupled weight decay.")
    averaging: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="Decay of the exponential moving average of the weights, which is the network that is stored.",
    )
    goals_weight: float = Field(
        0.5, ge=0, description="Weight of the goals' Poisson loss beside the outcome's log loss."
    )
    soft_labels: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Weight of the probabilities that a match's odds imply in its training label; the rest is its "
        "result. 0: results only. Validation and test are always scored on results.",
    )
    hidden_odds: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Share of the training matches whose past odds are hidden in an epoch, so that the network also "
        "forecasts matches without odds.",
    )
    refit: bool = Field(
        False,
        description="After early stopping and calibration, train again from the start on training and validation "
        "matches. Doubles the training time, for a gain in one season of five.",
    )
    seed: int = Field(7, description="Seed of initial weights, dropout and batch order.")
    workers: int = Field(
        1,
        ge=1,
        le=512,
        description="Processes that share every batch, on Ray Train; 1: this process alone, without Ray.",
    )
    gpus_per_worker: float = Field(
        0,
        ge=0,
        le=1,
        description="GPUs per worker, a fraction of one; 0: the workers train on the CPU.",
    )
    max_failures: int = Field(
        3,
        ge=0,
        description="Times that a training on several workers resumes after one of them died, as on spot machines.",
    )


class LaunchedTraining(TrainingConfig):
    """Hyperparameters of a training, and whether to take those of the last sweep."""

    use_best_config: bool = Field(
        True,
        description="Use the hyperparameters of the last sweep, if they are better than the defaults and none is set "
        "here.",
    )

    def as_given(self) -> TrainingConfig:
        """Return the configuration without `use_best_config`."""
        return TrainingConfig.model_validate(self.model_dump(exclude={"use_best_config"}))


LEAST_TRIALS, MOST_TRIALS = 6, 24
LEAST_MINUTES, MOST_MINUTES = 0.75, 20.0
MATCHES_OF_A_TRIAL = 8_000  # one trial per this many played matches
MATCHES_OF_A_MINUTE = 10_000  # one minute per this many


class SweepBudget(NamedTuple):
    """Most configurations that a sweep tries, and its time in minutes."""

    trials: int
    minutes: float


class SweepConfig(BaseModel):
    """Budget and bounds of the hyperparameter search."""

    model_config = ConfigDict(extra="forbid")

    trials: int | None = Field(
        None,
        ge=2,
        le=10_000,
        description="Maximum number of configurations, including the default. Unset: by the size of the data, one per "
        f"{MATCHES_OF_A_TRIAL:,} played matches, from {LEAST_TRIALS} to {MOST_TRIALS}.",
    )
    minutes: float | None = Field(
        None,
        gt=0,
        description="Total time in minutes, without the start of Ray: two thirds for the search, the rest for the "
        f"final. Unset: by the size of the data, one minute per {MATCHES_OF_A_MINUTE:,} played matches, from "
        f"{LEAST_MINUTES:g} to {MOST_MINUTES:g}.",
    )
    grace_epochs: int = Field(
        2, ge=1, description="Epochs after which a trial may be stopped at the earliest."
    )
    finalists: int = Field(
        2, ge=1, description="Best configurations that are compared with the default in the final."
    )
    final_seeds: int = Field(3, ge=2, description="Trainings of each configuration in the final.")
    gpus_per_trial: float = Field(
        0.25,
        gt=0,
        le=1,
        description="GPUs per trial, a fraction of one, if there is a GPU; else each trial has a CPU core.",
    )
    seed: int = Field(7, description="Seed of the sampled configurations.")
    split: SplitConfig = SplitConfig()
    epochs: int = Field(7, ge=1, description="Most passes over the training matches, in every training.")
    patience: int = Field(4, ge=1, description="Epochs without a better validation log loss before stopping.")

    @property
    def default(self) -> TrainingConfig:
        """Configuration to beat."""
        return TrainingConfig(split=self.split, epochs=self.epochs, patience=self.patience)

    def budget(self, matches: int) -> SweepBudget:
        """Return the trials and minutes of a sweep over a number of played matches; explicit values are kept."""
        trials = min(max(matches // MATCHES_OF_A_TRIAL, LEAST_TRIALS), MOST_TRIALS)
        minutes = min(max(matches / MATCHES_OF_A_MINUTE, LEAST_MINUTES), MOST_MINUTES)
        return SweepBudget(
            trials if self.trials is None else self.trials, minutes if self.minutes is None else self.minutes
        )
