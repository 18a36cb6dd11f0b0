"""What the asset checks of a candidate say of the gate's decision."""

from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckResult, AssetCheckSeverity

from football_assets.errors import RegistryError
from football_assets.orchestration.resources import BucketResource
from football_assets.registry import checks
from football_assets.registry.checks import candidate_beats_the_class_prior, candidate_passes_the_gate
from football_assets.registry.config import CLASS_PRIOR
from football_assets.registry.store import Registry

FIGURES = {
    "matches": 100,
    "candidate_log_loss": 0.9,
    "reference_log_loss": 1.1,
    "difference": -0.2,
    "lower": -0.3,
    "upper": -0.1,
}


@pytest.fixture
def bucket(tmp_path: Path) -> BucketResource:
    return BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))


@pytest.fixture
def registry(bucket: BucketResource, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry whose candidate is version 7."""

    class OfVersion7(Registry):
        def resolve(self, reference: int | str) -> int:
            return {"candidate": 7}[str(reference)]

    monkeypatch.setattr(checks, "Registry", OfVersion7)
    return OfVersion7(bucket.open())


def decided(*comparisons: dict[str, Any]) -> dict[str, Any]:
    return {"accepted": False, "reasons": ["Too few.", "Too late."], "comparisons": list(comparisons)}


def test_a_version_that_was_never_judged_is_an_error_that_says_what_to_do(
    registry: Registry, bucket: BucketResource
) -> None:
    with pytest.raises(RegistryError) as error:
        candidate_passes_the_gate(bucket)
    assert str(error.value) == "Version 7 was never judged: materialise 'registered_model'."


def test_a_refusal_warns_with_the_reasons_of_the_gate(registry: Registry, bucket: BucketResource) -> None:
    registry.record_decision(7, decided())
    found = candidate_passes_the_gate(bucket)
    assert isinstance(found, AssetCheckResult)
    assert (found.passed, found.severity) == (False, AssetCheckSeverity.WARN)
    assert found.metadata["version"].value == 7
    assert found.metadata["reasons"].value == "- Too few.\n- Too late."


def test_the_comparison_with_the_class_prior_is_reported(registry: Registry, bucket: BucketResource) -> None:
    registry.record_decision(7, decided())
    missing = candidate_beats_the_class_prior(bucket)
    assert isinstance(missing, AssetCheckResult)
    assert (missing.passed, missing.description) == (False, "Too few. Too late.")
    other = {"reference": "production", "passed": False} | dict.fromkeys(FIGURES, 0)
    registry.record_decision(7, decided(other, {"reference": CLASS_PRIOR, "passed": True} | FIGURES))
    found = candidate_beats_the_class_prior(bucket)
    assert isinstance(found, AssetCheckResult)
    assert found.passed
    assert {name: value.value for name, value in found.metadata.items()} == {"version": 7} | FIGURES
