"""Apply the promotion gate to a new version, and promote it if the gate accepts it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import polars as pl

from football_assets.errors import PreconditionFailed, RegistryError
from football_assets.registry.bundle import ProductionForecasts, production_forecasts
from football_assets.registry.config import GateConfig
from football_assets.registry.gate import GateDecision, judge, rejection
from football_assets.registry.store import Registry
from football_assets.storage.model_files import TEST_PREDICTIONS

_ATTEMPTS = 20


class PromotionOutcome(StrEnum):
    """The outcome of judging a candidate."""

    PROMOTED = "promoted"
    REJECTED = "rejected"
    UNCHANGED = "production already"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Verdict:
    """The gate's decision about a version and its outcome. `production` is the production version afterwards."""

    version: int
    outcome: PromotionOutcome
    decision: GateDecision
    judged_against: int | None
    production: int | None

    def summary(self) -> str:
        """Describe the outcome in one sentence."""
        match self.outcome:
            case PromotionOutcome.PROMOTED if self.judged_against is None:
                return f"Version {self.version} passed the gate and is the first production version."
            case PromotionOutcome.PROMOTED:
                return f"Version {self.version} passed the gate and replaces version {self.judged_against}."
            case PromotionOutcome.UNCHANGED:
                return f"Version {self.version} is in production already."
            case PromotionOutcome.WITHDRAWN:
                return (
                    f"Version {self.version} was rolled back before and is not promoted by the gate again: "
                    f"run `football models promote {self.version}` to do so."
                )
        kept = (
            "there is no production version"
            if self.production is None
            else f"version {self.production} stays"
        )
        return f"Version {self.version} was rejected by the gate; {kept}."


def judge_and_promote(
    registry: Registry, version: int, tensors_folder: Path, config: GateConfig, scratch: Path
) -> Verdict:
    """Make a version the candidate, judge it, and promote it if it passes.

    A candidate that is missing or corrupt, or not signed where signatures are verified, is rejected. If another
    version becomes production meanwhile, the candidate is judged again, against that version.

    Parameters
    ----------
    registry
        Holds the version.
    version
        The candidate's number.
    tensors_folder
        Folder of `sequence_tensors`, with the candidate's test matches.
    config
        The gate's tolerance and bootstrap.
    scratch
        Folder for copies of bundles.

    Raises
    ------
    RegistryError
        Other processes changed production during every attempt.
    SignaturePolicyError
        Signatures are verified, and this process cannot: nothing is decided.
    """
    try:
        registry.set_alias("candidate", version)
        candidate = registry.open(version)
        test = pl.read_parquet(candidate.load(scratch).read(TEST_PREDICTIONS))
    except RegistryError as error:
        return _reject_unusable(registry, version, str(error))
    for _ in range(_ATTEMPTS):
        production = registry.aliases().get("production")
        forecasts = _production_forecasts(registry, production, tensors_folder, test, scratch)
        decision = judge(test, forecasts.probabilities, config, not_comparable=forecasts.not_comparable)
        registry.record_decision(version, decision.to_dict() | {"judged_against": production})
        if production == version:
            return Verdict(version, PromotionOutcome.UNCHANGED, decision, production, production)
        if version in registry.withdrawn():
            return Verdict(version, PromotionOutcome.WITHDRAWN, decision, production, production)
        if not decision.accepted:
            return Verdict(version, PromotionOutcome.REJECTED, decision, production, production)
        try:
            registry.promote_over(candidate, production)
        except PreconditionFailed:
            continue
        return Verdict(version, PromotionOutcome.PROMOTED, decision, production, version)
    raise RegistryError(
        f"Version {version} could not be evaluated: production changed in every attempt. Try again later."
    )


def _reject_unusable(registry: Registry, version: int, reason: str) -> Verdict:
    """Reject a candidate whose bundle must not be loaded."""
    production = registry.aliases().get("production")
    decision = rejection(f"The candidate cannot be used: {reason}")
    registry.record_decision(version, decision.to_dict() | {"judged_against": production})
    outcome = PromotionOutcome.UNCHANGED if production == version else PromotionOutcome.REJECTED
    return Verdict(version, outcome, decision, production, production)


def _production_forecasts(
    registry: Registry, production: int | None, tensors_folder: Path, test: pl.DataFrame, scratch: Path
) -> ProductionForecasts:
    if production is None:
        return ProductionForecasts(None, "There is no production model to compare with yet.")
    try:
        return production_forecasts(registry.open(production).load(scratch), tensors_folder, test)
    except RegistryError as error:  # a broken production model must not keep a sound one out
        return ProductionForecasts(None, f"The production model could not be compared: {error}")
