"""Asset checks of the registry: complete bundles, and the gate's decision about the candidate."""

from pathlib import Path
from typing import Any

from dagster import AssetCheckResult, AssetCheckSeverity, MetadataValue, asset_check

from football_assets.errors import FootballError, RegistryError
from football_assets.orchestration.resources import BucketResource
from football_assets.registry.config import CLASS_PRIOR
from football_assets.registry.registry_state import CHECKED, read_registry
from football_assets.registry.store import Registry


@asset_check(
    asset="registered_model",
    blocking=True,
    description="All files of the candidate are in the registry, match their digests, and load.",
)
def candidate_bundle_is_whole(bucket: BucketResource) -> AssetCheckResult:
    """Fetch the candidate as serving does."""
    from football_assets.registry.bundle import check_bundle

    registry = Registry(bucket.open())
    try:
        version = registry.open("candidate")
        check_bundle(version.load(Path(bucket.scratch)))
    except FootballError as error:
        return AssetCheckResult(passed=False, description=str(error))
    return AssetCheckResult(
        passed=True, metadata={"version": version.number, "files": len(version.manifest.files)}
    )


@asset_check(
    asset="registered_model",
    description="On the test period the candidate is significantly better than the class prior.",
)
def candidate_beats_the_class_prior(bucket: BucketResource) -> AssetCheckResult:
    """Report the gate's comparison with the class prior."""
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
    description="The promotion gate accepts the candidate. If it rejects it, the production version stays.",
)
def candidate_passes_the_gate(bucket: BucketResource) -> AssetCheckResult:
    """Report the gate's reasons. A rejected candidate is a warning, since production does not change."""
    version, decision = _decision(bucket)
    return AssetCheckResult(
        passed=decision["accepted"],
        severity=AssetCheckSeverity.WARN,
        metadata={
            "version": version,
            "reasons": MetadataValue.md("\n".join(f"- {reason}" for reason in decision["reasons"])),
        },
    )


@asset_check(
    asset="onnx_model",
    description="The newest version and every version with an alias have all their files, and their models predict. "
    "A broken production version is an error, any other a warning.",
)
def registered_versions_are_whole(bucket: BucketResource) -> AssetCheckResult:
    """Fetch and load each version as serving does."""
    from football_assets.registry.bundle import check_bundle

    registry = Registry(bucket.open())
    state = read_registry(registry)
    problems = {}
    for version in state.versions_in_view:
        try:
            check_bundle(registry.open(version).load(Path(bucket.scratch)))
        except FootballError as error:
            problems[version] = str(error)
    return AssetCheckResult(
        passed=not problems,
        severity=AssetCheckSeverity.ERROR if state.production in problems else AssetCheckSeverity.WARN,
        description=" ".join(problems.values()) or None,
        metadata={CHECKED: MetadataValue.json(sorted(state.versions_in_view))},
    )


def _decision(bucket: BucketResource) -> tuple[int, dict[str, Any]]:
    registry = Registry(bucket.open())
    version = registry.resolve("candidate")
    decision = registry.decision(version)
    if decision is None:
        raise RegistryError(f"Version {version} has no decision of the gate: materialize 'registered_model'.")
    return version, decision


checks = [
    candidate_bundle_is_whole,
    candidate_beats_the_class_prior,
    candidate_passes_the_gate,
    registered_versions_are_whole,
]
