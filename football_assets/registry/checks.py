"""Asset checks of `registered_model`: is the candidate whole, and what did the gate say?"""

from pathlib import Path
from typing import Any

from dagster import AssetCheckResult, AssetCheckSeverity, MetadataValue, asset_check

from football_assets.errors import FootballError, RegistryError
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.config import CLASS_PRIOR
from football_assets.registry.store import Registry


@asset_check(
    asset="registered_model",
    blocking=True,
    description="The candidate's files are all in the registry, agree with their digests, and load.",
)
def candidate_bundle_is_whole(bucket: BucketResource) -> AssetCheckResult:
    """Fetches the version as serving does."""
    from football_assets.registry.bundle import check_bundle

    registry = Registry(bucket.open())
    try:
        version = registry.resolve("candidate")
        check_bundle(registry.fetch(version, Path(bucket.scratch)))
    except FootballError as error:
        return AssetCheckResult(passed=False, description=str(error))
    return AssetCheckResult(
        passed=True, metadata={"version": version, "files": len(registry.manifest(version).files)}
    )


@asset_check(
    asset="registered_model",
    description="On the test period the candidate is certainly better than the class prior.",
)
def candidate_beats_the_class_prior(bucket: BucketResource) -> AssetCheckResult:
    """The least that a model must do."""
    version, decision = _decision(bucket)
    comparison = next((item for item in decision["comparisons"] if item["reference"] == CLASS_PRIOR), None)
    if comparison is None:
        return AssetCheckResult(passed=False, description=" ".join(decision["reasons"]))
    names = ("matches", "candidate_log_loss", "reference_log_loss", "difference", "lower", "upper")
    return AssetCheckResult(
        passed=comparison["passed"],
        metadata={"version": version, **{name: comparison[name] for name in names}},
    )


@asset_check(
    asset="registered_model",
    description="The promotion gate accepts the candidate. If not, production stays what it was.",
)
def candidate_passes_the_gate(bucket: BucketResource) -> AssetCheckResult:
    """A refusal is the gate at work, so it warns."""
    version, decision = _decision(bucket)
    return AssetCheckResult(
        passed=decision["accepted"],
        severity=AssetCheckSeverity.WARN,
        metadata={
            "version": version,
            "reasons": MetadataValue.md("\n".join(f"- {reason}" for reason in decision["reasons"])),
        },
    )


def _decision(bucket: BucketResource) -> tuple[int, dict[str, Any]]:
    registry = Registry(bucket.open())
    version = registry.resolve("candidate")
    decision = registry.decision(version)
    if decision is None:
        raise RegistryError(f"Version {version} was never judged: materialise 'registered_model'.")
    return version, decision


checks = [candidate_bundle_is_whole, candidate_beats_the_class_prior, candidate_passes_the_gate]
