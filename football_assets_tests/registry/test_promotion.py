"""A candidate's way through the gate, on a real registry: promoted, rejected, withdrawn, or judged again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from football_assets.errors import PreconditionFailed, RegistryError
from football_assets.registry import promotion
from football_assets.registry.bundle import ProductionForecasts
from football_assets.registry.config import PRODUCTION, GateConfig
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.promotion import PromotionOutcome, Verdict, judge_and_promote
from football_assets.registry.store import VERSIONS, Registry
from football_assets.registry.stored_version import StoredVersion
from football_assets.storage.local import LocalBucket
from football_assets.storage.model_files import TEST_PREDICTIONS
from football_assets_tests.builders.altered_versions import copy_version
from football_assets_tests.builders.registry_graph import SimulatedFolders

CHANCES = ("p_home", "p_draw", "p_away")


@pytest.fixture
def judged(registry: Registry, folders: SimulatedFolders, tmp_path: Path) -> Callable[..., Verdict]:
    def run(version: int, config: GateConfig | None = None) -> Verdict:
        return judge_and_promote(
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
    assert verdict.outcome is PromotionOutcome.PROMOTED
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
    assert verdict.outcome is PromotionOutcome.REJECTED
    assert registry.aliases() == {"candidate": 1}
    assert "there is no production version" in verdict.summary()
    assert registry.decision(1)["refusals"] == verdict.decision.refusals != []  # type: ignore[index]


def test_a_version_worse_than_production_is_refused_and_production_stays(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    judged(publish())
    verdict = judged(publish(share=0.5))
    assert verdict.outcome is PromotionOutcome.REJECTED
    assert verdict.judged_against == verdict.production == 1
    assert registry.aliases() == {"production": 1, "candidate": 2}
    assert PRODUCTION in verdict.decision.refusals[-1]
    assert "version 1 stays" in verdict.summary()


def test_a_version_level_with_production_replaces_it(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    judged(publish())
    verdict = judged(publish(share=1e-9))
    assert verdict.outcome is PromotionOutcome.PROMOTED
    assert registry.aliases() == {"production": 2, "candidate": 2, "previous": 1}
    assert "replaces version 1" in verdict.summary()
    assert [item.reference for item in verdict.decision.comparisons][-1] == PRODUCTION


def test_the_version_in_production_is_left_there_whatever_the_gate_says(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict]
) -> None:
    version = publish(share=1.0)
    registry.promote(version)  # by a person
    verdict = judged(version)
    assert verdict.outcome is PromotionOutcome.UNCHANGED
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
    assert verdict.outcome is PromotionOutcome.WITHDRAWN
    assert registry.aliases()["production"] == 1
    assert "football models promote 2" in verdict.summary()


def test_a_corrupt_production_model_does_not_keep_a_sound_one_out(
    registry: Registry, publish: Callable[..., int], judged: Callable[..., Verdict], tmp_path: Path
) -> None:
    judged(publish())
    shutil.rmtree(tmp_path / "scratch")
    registry.bucket.write(f"{VERSIONS}1/model.onnx", b"rotten")
    verdict = judged(publish(share=1e-9))
    assert verdict.outcome is PromotionOutcome.PROMOTED
    assert "could not be compared" in verdict.decision.reasons[-1]
    assert "model.onnx is corrupt" in verdict.decision.reasons[-1]


def test_a_candidate_is_judged_again_when_production_changes_meanwhile(
    publish: Callable[..., int], folders: SimulatedFolders, tmp_path: Path, registry: Registry
) -> None:
    good, worse = publish(), publish(share=0.15)

    class Racing(Registry):
        """Another process promotes a better version between the verdict and the promotion."""

        def promote_over(self, judged: StoredVersion, production: int | None) -> dict[str, int]:
            if production is None:
                self.promote(good)
            return super().promote_over(judged, production)

    racing = Racing(registry.bucket)
    verdict = judge_and_promote(racing, worse, folders.sequence_tensors, GateConfig(), tmp_path / "scratch")
    assert verdict.judged_against == good
    assert verdict.outcome is PromotionOutcome.REJECTED
    assert registry.aliases() == {"production": good, "candidate": worse}


def test_a_candidate_that_is_exchanged_after_it_was_evaluated_is_not_promoted(
    publish: Callable[..., int], folders: SimulatedFolders, tmp_path: Path, registry: Registry
) -> None:
    good, other = publish(), publish(share=1.0)

    class Exchanging(Registry):
        """Another process exchanges the files of the version between the verdict and the promotion."""

        def promote_over(self, judged: StoredVersion, production: int | None) -> dict[str, int]:
            copy_version(self.bucket, other, good)
            return super().promote_over(judged, production)

    exchanging = Exchanging(registry.bucket)
    with pytest.raises(RegistryError, match=f"Version {good} in .* has changed since it was evaluated"):
        judge_and_promote(exchanging, good, folders.sequence_tensors, GateConfig(), tmp_path / "scratch")
    assert registry.aliases() == {"candidate": good}


class ScriptedRegistry(Registry):
    """A registry whose production changes as the test says; it holds no bundle but a table of test forecasts."""

    def __init__(self, folder: Path, productions: list[int | None], withdrawn: tuple[int, ...] = ()) -> None:
        super().__init__(LocalBucket(folder / "bucket"))
        self.folder = folder
        self.productions = productions
        self.gone = withdrawn
        self.calls: list[tuple[Any, ...]] = []
        (folder / "bundle").mkdir(exist_ok=True)
        pl.DataFrame({"match_id": ["m"]}).write_parquet(folder / "bundle" / TEST_PREDICTIONS)

    def set_alias(self, alias: str, version: int) -> None:
        self.calls.append(("alias", alias, version))

    def open(self, reference: int | str) -> Any:
        def load(scratch: Path) -> ModelBundle:
            self.calls.append(("load", reference, scratch.name))
            if reference == 99:
                raise RegistryError("rotten")
            return ModelBundle.of_folder(self.folder / "bundle")

        return SimpleNamespace(number=reference, load=load)

    def aliases(self) -> dict[str, int]:
        production = self.productions[0]
        return {"candidate": 5} if production is None else {"candidate": 5, "production": production}

    def withdrawn(self) -> list[int]:
        return [*self.gone]

    def record_decision(self, version: int, decision: dict[str, Any]) -> None:
        self.calls.append(("decision", version, decision))

    def promote_over(self, judged: StoredVersion, production: int | None) -> dict[str, int]:
        if len(self.productions) > 1:
            self.productions.pop(0)
            raise PreconditionFailed("another version became production")
        self.calls.append(("promote", judged.number, production))
        return {}


@pytest.fixture
def decide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[Verdict, list[Any]]]:
    """Consider version 5 by a gate that accepts it or not; returns the verdict and what the gate was given."""

    def run(registry: ScriptedRegistry, is_accepted: bool) -> tuple[Verdict, list[Any]]:
        given: list[Any] = []

        def judge(
            test: pl.DataFrame, probabilities: object, config: object, *, not_comparable: object
        ) -> Any:
            given.append((test["match_id"].to_list(), probabilities, config, not_comparable))
            return SimpleNamespace(accepted=is_accepted, to_dict=lambda: {"accepted": is_accepted})

        def forecasts(bundle: ModelBundle, tensors: Path, test: pl.DataFrame) -> ProductionForecasts:
            return ProductionForecasts((bundle.place, tensors, test["match_id"].to_list()), None)  # type: ignore[arg-type]

        monkeypatch.setattr(promotion, "judge", judge)
        monkeypatch.setattr(promotion, "production_forecasts", forecasts)
        verdict = judge_and_promote(registry, 5, tmp_path / "tensors", CONFIG, tmp_path / "scratch")
        return verdict, given

    return run


CONFIG = GateConfig()
Decide = Callable[[ScriptedRegistry, bool], tuple[Verdict, list[Any]]]


def test_a_first_version_is_judged_alone_and_promoted(tmp_path: Path, decide: Decide) -> None:
    registry = ScriptedRegistry(tmp_path, [None])
    verdict, given = decide(registry, True)
    assert given == [(["m"], None, CONFIG, "There is no production model to compare with yet.")]
    assert registry.calls == [
        ("alias", "candidate", 5),
        ("load", 5, "scratch"),
        ("decision", 5, {"accepted": True, "judged_against": None}),
        ("promote", 5, None),
    ]
    assert (verdict.version, verdict.outcome, verdict.judged_against, verdict.production) == (
        5,
        PromotionOutcome.PROMOTED,
        None,
        5,
    )
    assert verdict.decision.accepted
    assert verdict.summary() == "Version 5 passed the gate and is the first production version."


@pytest.mark.parametrize(
    ("production", "withdrawn", "is_accepted", "outcome", "now", "summary"),
    [
        (3, (), True, PromotionOutcome.PROMOTED, 5, "Version 5 passed the gate and replaces version 3."),
        (3, (), False, PromotionOutcome.REJECTED, 3, "Version 5 was rejected by the gate; version 3 stays."),
        (
            None,
            (),
            False,
            PromotionOutcome.REJECTED,
            None,
            "Version 5 was rejected by the gate; there is no production version.",
        ),
        (5, (5,), False, PromotionOutcome.UNCHANGED, 5, "Version 5 is in production already."),
        (
            3,
            (5,),
            True,
            PromotionOutcome.WITHDRAWN,
            3,
            "Version 5 was rolled back before and is not promoted by the gate again: "
            "run `football models promote 5` to do so.",
        ),
    ],
)
def test_verdicts_say_what_became_of_the_version(
    tmp_path: Path,
    decide: Decide,
    production: int | None,
    withdrawn: tuple[int, ...],
    is_accepted: bool,
    outcome: PromotionOutcome,
    now: int | None,
    summary: str,
) -> None:
    registry = ScriptedRegistry(tmp_path, [production], withdrawn)
    verdict, given = decide(registry, is_accepted)
    assert (verdict.version, verdict.outcome, verdict.judged_against) == (5, outcome, production)
    assert (verdict.production, verdict.summary()) == (now, summary)
    assert verdict.decision.accepted is is_accepted
    assert (("promote", 5, production) in registry.calls) is (outcome is PromotionOutcome.PROMOTED)
    if production is not None:
        assert given == [(["m"], (str(tmp_path / "bundle"), tmp_path / "tensors", ["m"]), CONFIG, None)]
        assert ("load", production, "scratch") in registry.calls


def test_a_production_that_cannot_be_read_is_not_compared_with(tmp_path: Path, decide: Decide) -> None:
    registry = ScriptedRegistry(tmp_path, [99])
    verdict, given = decide(registry, True)
    assert given == [(["m"], None, CONFIG, "The production model could not be compared: rotten")]
    assert verdict.outcome is PromotionOutcome.PROMOTED


def test_a_production_that_changes_all_the_time_is_an_error(tmp_path: Path, decide: Decide) -> None:
    some = ScriptedRegistry(tmp_path, [None, *range(11, 30)])
    assert decide(some, True)[0].judged_against == 29
    assert [call[2]["judged_against"] for call in some.calls if call[0] == "decision"] == [
        None,
        *range(11, 30),
    ]
    with pytest.raises(RegistryError) as error:
        decide(ScriptedRegistry(tmp_path, [None, *range(11, 31)]), True)
    assert str(error.value) == (
        "Version 5 could not be evaluated: production changed in every attempt. Try again later."
    )
