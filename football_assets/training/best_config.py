"""Store the best configuration of a sweep in the bucket, and choose the configuration of the next training."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from football_assets.sequences.spec import FeatureSpec
from football_assets.storage.bucket import Bucket
from football_assets.training.config import LaunchedTraining, TrainingConfig

BEST = "sweeps/best.json"
# What a sweep varies. A training takes all of these from the sweep or none.
TUNED = ("network", "batch_size", "learning_rate", "weight_decay", "averaging", "goals_weight")


class BestConfig(BaseModel):
    """The result of a sweep: its best configuration, the configuration to beat, and the data."""

    model_config = ConfigDict(extra="forbid")

    training: TrainingConfig
    wins: bool
    reason: str
    validation_log_loss: list[float]  # one per seed of the final
    default_validation_log_loss: list[float]
    feature_spec: str  # digest
    tensors: str  # digest
    validation_start: date
    validation_end: date
    found: datetime
    run_id: str


@dataclass(frozen=True)
class ConfigChoice:
    """The configuration of a training, its source (`given` or `sweep`), and the reason."""

    training: TrainingConfig
    source: str
    reason: str

    def line(self) -> str:
        """One sentence for a person."""
        whose = "of the sweep" if self.source == "sweep" else "as launched"
        return f"Hyperparameters {whose}: {self.reason}."


def spec_digest(spec: FeatureSpec) -> str:
    """Digest a feature specification: another one needs another network."""
    return hashlib.blake2b(spec.model_dump_json().encode(), digest_size=12).hexdigest()


def save_best(bucket: Bucket, best: BestConfig) -> None:
    """Store a sweep's result in place of the one before."""
    bucket.write(BEST, best.model_dump_json(indent=1).encode())


def load_best(bucket: Bucket) -> BestConfig | None:
    """Load the last sweep's result; None if there is none, or another release of this project wrote it."""
    if bucket.stat(BEST) is None:
        return None
    try:
        return BestConfig.model_validate_json(bucket.read(BEST))
    except ValidationError:
        return None


def choose_config(
    launched: LaunchedTraining, best: BestConfig | None, spec: FeatureSpec, test_start: date
) -> ConfigChoice:
    """Choose the launched configuration, with the sweep's hyperparameters in place of the defaults if they are better.

    Parameters
    ----------
    spec
        Inputs of the network.
    test_start
        First day of the test period: a configuration that was chosen by results of that day or later would bias the
        test scores.
    """
    given = launched.as_given()
    reason = _objection(launched, best, spec, test_start)
    if best is None or reason is not None:
        return ConfigChoice(given, "given", reason or "")
    tuned = {name: getattr(best.training, name) for name in TUNED}
    return ConfigChoice(given.model_copy(update=tuned), "sweep", f"run {best.run_id} found it: {best.reason}")


def _objection(
    launched: LaunchedTraining, best: BestConfig | None, spec: FeatureSpec, test_start: date
) -> str | None:
    if not launched.use_best_config:
        return "use_best_config is off"
    if best is None:
        return "there is no result of a sweep"
    defaults = TrainingConfig()
    own = [name for name in TUNED if getattr(launched, name) != getattr(defaults, name)]
    if own:
        return f"{', '.join(own)} {'is' if len(own) == 1 else 'are'} given"
    if not best.wins:
        return f"the sweep of run {best.run_id} kept the defaults: {best.reason}"
    if best.feature_spec != spec_digest(spec):
        return f"the sweep of run {best.run_id} was on other features"
    if best.validation_end >= test_start:
        return f"the sweep of run {best.run_id} saw results until {best.validation_end}, which are in the test period"
    return None
