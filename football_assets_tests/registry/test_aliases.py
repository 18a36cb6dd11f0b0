"""Aliases on both kinds of bucket, with processes and threads that move them at once."""

import json
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from football_assets.errors import PreconditionFailed, RegistryError
from football_assets.registry.store import (
    ALIASES_OBJECT,
    Registry,
)
from football_assets.storage.local import LocalBucket
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.model_versions import published


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def test_aliases_that_always_change_are_given_up_with_a_sentence(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 1)
    attempts = []

    def overtaken(name: str, *_: object, **__: object) -> None:
        attempts.append(name)
        raise PreconditionFailed("another process has written it")

    monkeypatch.setattr(registry.bucket, "write", overtaken)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(RegistryError, match=r"aliases\.json in .* could not be updated: .* Try again later"):
        registry.promote(1)
    assert attempts == [ALIASES_OBJECT] * 100


def test_promotion_remembers_the_previous_version(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 3)
    assert registry.aliases() == {}
    assert registry.promote(1) == {"production": 1}
    assert registry.promote(3) == {"production": 3, "previous": 1}
    assert registry.promote(3) == {"production": 3, "previous": 1}  # promoting production changes nothing
    registry.set_alias("candidate", 2)
    assert registry.aliases() == {"production": 3, "candidate": 2, "previous": 1}
    assert registry.resolve("production") == 3
    assert registry.resolve("2") == registry.resolve(2) == 2


def test_rollback_restores_the_previous_version_once_and_withdraws_the_other(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 2)
    with pytest.raises(RegistryError, match="no previous production version"):
        registry.rollback()
    registry.promote(1)
    registry.promote(2)
    assert registry.rollback() == {"production": 1}
    assert registry.withdrawn() == [2]
    with pytest.raises(RegistryError, match="no previous production version"):
        registry.rollback()
    assert registry.aliases() == {"production": 1}
    assert registry.promote(2) == {"production": 2, "previous": 1}
    assert registry.withdrawn() == []


def test_a_verdict_against_a_production_model_that_was_replaced_does_not_promote(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 3)
    registry.promote_over(registry.open(1), None)
    registry.promote(2)
    with pytest.raises(PreconditionFailed, match="production is 2 now"):
        registry.promote_over(registry.open(3), 1)
    assert registry.promote_over(registry.open(3), 2) == {"production": 3, "previous": 2}


def test_a_damaged_alias_object_is_named(registry: Registry, tmp_path: Path) -> None:
    for damaged in (b"<html>", b"[" * 100_000):
        registry.bucket.write(ALIASES_OBJECT, damaged)
        with pytest.raises(RegistryError, match=r"aliases\.json .* is corrupt"):
            registry.aliases()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.integers(1, 3), st.just("rollback")), max_size=12))
def test_aliases_follow_any_sequence_of_promotions_and_rollbacks(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int | str]
) -> None:
    root = tmp_path_factory.mktemp("home")
    registry = Registry(LocalBucket(root / "bucket"))
    published(registry, root, 3)
    production: int | str | None = None
    previous: int | str | None = None
    withdrawn: set[int | str | None] = set()
    for step in steps:
        if step == "rollback":
            if previous is None:
                with pytest.raises(RegistryError):
                    registry.rollback()
                continue
            withdrawn = withdrawn - {previous} | {production}
            production, previous = previous, None
            registry.rollback()
        else:
            if step != production:
                production, previous = step, production
            withdrawn -= {step}
            registry.promote(int(step))
        expected = {"production": production, "previous": previous}
        assert registry.aliases() == {
            name: version for name, version in expected.items() if version is not None
        }
        assert set(registry.withdrawn()) == withdrawn
        assert production not in registry.withdrawn()


def _promote_each(url: str, versions: list[int]) -> list[tuple[int | None, int]]:
    """Promote versions one after the other; returns what each was promoted over."""
    registry = Registry(open_bucket(url))
    steps: list[tuple[int | None, int]] = []
    for version in versions:
        while len(steps) <= versions.index(version):
            production = registry.aliases().get("production")
            try:
                registry.promote_over(registry.open(version), production)
            except PreconditionFailed:
                continue
            steps.append((production, version))
    return steps


def test_promotions_of_several_processes_follow_one_another(registry: Registry, tmp_path: Path) -> None:
    versions = published(registry, tmp_path, 10)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.starmap(
            _promote_each, [(registry.bucket.url, versions[:5]), (registry.bucket.url, versions[5:])]
        )
    over = dict(step for steps in results for step in steps)

    order: list[int] = []
    while (following := over.get(order[-1] if order else None)) is not None:
        order.append(following)

    assert sorted(order) == versions
    assert registry.aliases() == {"production": order[-1], "previous": order[-2]}


def test_threads_that_move_aliases_at_once_lose_no_change(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(registry.promote, [1, 2, 3, 4]))
    aliases = registry.aliases()
    assert aliases["production"] != aliases["previous"]
    with ThreadPoolExecutor(4) as pool:
        changes = [("candidate", version) for version in (1, 2, 3, 4)]
        list(pool.map(lambda change: registry.set_alias(*change), changes))
    assert {**registry.aliases(), "candidate": 0} == {**aliases, "candidate": 0}


def test_of_many_verdicts_against_one_production_model_one_promotes(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 6)
    registry.promote(1)

    def promoted(version: int) -> bool:
        try:
            registry.promote_over(registry.open(version), 1)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(promoted, [2, 3, 4, 5, 6]))
    assert sum(outcomes) == 1
    winner = [2, 3, 4, 5, 6][outcomes.index(True)]
    assert registry.aliases() == {"production": winner, "previous": 1}


@pytest.mark.parametrize(
    "value", ["../../elsewhere", "/1", "gs://other/1", "..\\1", "1", 0, -1, True, 1.5, [1], {"version": 1}]
)
@pytest.mark.parametrize("alias", ["production", "candidate", "previous", "withdrawn"])
def test_an_alias_that_is_no_number_is_corrupt(
    registry: Registry, tmp_path: Path, alias: str, value: object
) -> None:
    published(registry, tmp_path, 1)
    given = [value] if alias == "withdrawn" else value
    registry.bucket.write(ALIASES_OBJECT, json.dumps({alias: given}).encode())

    for use in (
        registry.aliases,
        lambda: registry.open("production").load(tmp_path / "scratch"),
        lambda: registry.promote(1),
        registry.rollback,
    ):
        with pytest.raises(
            RegistryError, match=r"aliases\.json in .* is corrupt \(.* is no version number\)"
        ):
            use()
