"""A candidate's way through the gate, on a real registry: promoted, refused, withdrawn, or judged again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from football_assets.model_files import TEST_PREDICTIONS
from football_assets.registry.config import PRODUCTION, GateConfig
from football_assets.registry.promotion import Outcome, Verdict, consider
from football_assets.registry.store import VERSIONS, Registry
from football_assets_tests.registry.graph import SimulatedFolders

CHANCES = ("p_home", "p_draw", "p_away")


@pytest.fixture
def judged(registry: Registry, folders: SimulatedFolders, tmp_path: Path) -> Callable[..., Verdict]:
    def run(version: int, config: GateConfig | None = None) -> Verdict:
        return consider(
            registry, version, folders.sequence_tensors, config or GateConfig(), tmp_path / "scratch"
        )

    return run


@pytest.fixture
def publish(registry: Registry, bundle: Path, tmp_path: Path) -> Callable[..., int]:
    """Publish the simulated bundle with other test forecasts: `share` of the class prior mixed in."""

    def run(share: float = 0.0) -> int:
        folder = Path(shutil.copytree(bundle, tmp_path / f"share-{share}", dirs_exist_ok=True))
        test = pl.read_parquet(bundle / TEST_PREDICTIONS)
        mixed = [
            (pl.col(name) * (1 - share) + pl.col(f"class_prior_{name}") * share).alias(name)
            for name in CHANCES
        ]
        test.with_columns(mixed).write_parquet(folder / TEST_PREDICTIONS)
        return registry.publish(folder, {})

    return run


def test_the_first_good_version_becomes_production(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    verdict = judged(publish())
    assert verdict.outcome is Outcome.PROMOTED
    assert registry.aliases() == {"production": 1, "candidate": 1}
    assert "first production version" in verdict.summary()
    assert "There is no production model to compare with yet." in verdict.decision.reasons
    decision = registry.decision(1)
    assert decision is not None
    assert decision["accepted"]
    assert decision["judged_against"] is None


def test_a_version_that_says_the_class_prior_is_refused_and_stays_candidate(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    verdict = judged(publish(share=1.0))
    assert verdict.outcome is Outcome.REFUSED
    assert registry.aliases() == {"candidate": 1}
    assert "there is no production version" in verdict.summary()
    assert registry.decision(1)["refusals"] == verdict.decision.refusals != []  # type: ignore[index]


def test_a_version_worse_than_production_is_refused_and_production_stays(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    judged(publish())
    verdict = judged(publish(share=0.5))
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.judged_against == verdict.production == 1
    assert registry.aliases() == {"production": 1, "candidate": 2}
    assert PRODUCTION in verdict.decision.refusals[-1]
    assert "version 1 stays" in verdict.summary()


def test_a_version_level_with_production_replaces_it(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    judged(publish())
    verdict = judged(publish(share=1e-9))
    assert verdict.outcome is Outcome.PROMOTED
    assert registry.aliases() == {"production": 2, "candidate": 2, "previous": 1}
    assert "replaces version 1" in verdict.summary()
    assert [item.reference for item in verdict.decision.comparisons][-1] == PRODUCTION


def test_the_version_in_production_is_left_there_whatever_the_gate_says(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    version = publish(share=1.0)
    registry.promote(version)  # by a person
    verdict = judged(version)
    assert verdict.outcome is Outcome.UNCHANGED
    assert not verdict.decision.accepted
    assert registry.aliases() == {"production": 1, "candidate": 1}
    assert "in production already" in verdict.summary()


def test_a_version_that_was_rolled_back_is_not_promoted_again_by_itself(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    judged(publish())
    judged(publish(share=1e-9))
    registry.rollback()
    verdict = judged(2)
    assert verdict.decision.accepted
    assert verdict.outcome is Outcome.WITHDRAWN
    assert registry.aliases()["production"] == 1
    assert "football models promote 2" in verdict.summary()


def test_a_corrupt_production_model_does_not_keep_a_sound_one_out(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict], tmp_path: Path
) -> None:
    judged(publish())
    shutil.rmtree(tmp_path / "scratch")
    registry.bucket.write(f"{VERSIONS}1/model.onnx", b"rotten")
    verdict = judged(publish(share=1e-9))
    assert verdict.outcome is Outcome.PROMOTED
    assert "could not be compared" in verdict.decision.reasons[-1]
    assert "model.onnx is corrupt" in verdict.decision.reasons[-1]


def test_a_candidate_is_judged_again_when_production_changes_meanwhile(
    publish: Callable[..., int], folders: SimulatedFolders, tmp_path: Path, registry: Registry
) -> None:
    good, worse = publish(), publish(share=0.1)

    class Racing(Registry):
        """Another process promotes a better version between the verdict and the promotion."""

        def promote_over(self, version: int, production: int | None) -> dict[str, int]:
            if production is None:
                self.promote(good)
            return super().promote_over(version, production)

    racing = Racing(registry.bucket)
    verdict = consider(racing, worse, folders.sequence_tensors, GateConfig(), tmp_path / "scratch")
    assert verdict.judged_against == good
    assert verdict.outcome is Outcome.REFUSED
    assert registry.aliases() == {"production": good, "candidate": worse}
