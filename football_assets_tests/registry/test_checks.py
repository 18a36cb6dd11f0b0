"""The asset checks of the candidate and of the registered versions."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckResult, AssetCheckSeverity

from football_assets.errors import RegistryError
from football_assets.orchestration.resources import BucketResource
from football_assets.registry import checks
from football_assets.registry.checks import (
    candidate_beats_the_class_prior,
    candidate_passes_the_gate,
    registered_versions_are_whole,
)
from football_assets.registry.config import CLASS_PRIOR
from football_assets.registry.gate import rejection
from football_assets.registry.store import VERSIONS, Registry
from football_assets.storage.model_files import METRICS

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
    return rejection("").to_dict() | {"reasons": ["Too few.", "Too late."], "comparisons": list(comparisons)}


@pytest.mark.parametrize("check", [candidate_passes_the_gate, candidate_beats_the_class_prior])
def test_a_decision_without_a_field_is_named_as_corrupt(
    registry: Registry, bucket: BucketResource, check: Callable[[BucketResource], object]
) -> None:
    registry.bucket.write("registry/decisions/7.json", b'{"accepted": true}')
    with pytest.raises(
        RegistryError, match=r"decisions/7\.json in .* is corrupt \(reasons: Field required\)"
    ):
        check(bucket)


def test_a_version_that_was_never_judged_is_an_error_that_says_what_to_do(
    registry: Registry, bucket: BucketResource
) -> None:
    with pytest.raises(RegistryError) as error:
        candidate_passes_the_gate(bucket)
    assert str(error.value) == "Version 7 has no decision of the gate: materialize 'registered_model'."


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


@pytest.fixture
def two_versions(bucket: BucketResource, bundle: Path, tmp_path: Path) -> BucketResource:
    """A registry with versions 1 and 2, of which 1 is production."""
    registry = Registry(bucket.open())
    registry.promote(registry.publish(bundle, {}))
    second = Path(shutil.copytree(bundle, tmp_path / "second"))
    metrics = json.loads((second / METRICS).read_text())
    (second / METRICS).write_text(json.dumps(metrics | {"note": "the second"}))
    registry.publish(second, {})
    return bucket


def test_whole_versions_pass_and_the_check_says_which_it_has_looked_at(two_versions: BucketResource) -> None:
    check = registered_versions_are_whole(two_versions)

    assert isinstance(check, AssetCheckResult)
    assert check.passed
    assert check.metadata["versions"].value == [1, 2]


@pytest.mark.parametrize(
    ("version", "severity"), [(1, AssetCheckSeverity.ERROR), (2, AssetCheckSeverity.WARN)]
)
def test_a_broken_version_is_an_error_where_it_is_in_production_and_else_a_warning(
    two_versions: BucketResource, version: int, severity: AssetCheckSeverity
) -> None:
    two_versions.open().write(f"{VERSIONS}{version}/model.onnx", b"rotten")

    check = registered_versions_are_whole(two_versions)

    assert isinstance(check, AssetCheckResult)
    assert not check.passed
    assert check.severity is severity
    assert f"{VERSIONS}{version}/model.onnx is corrupt" in str(check.description)
