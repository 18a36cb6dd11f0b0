"""The model registry on both kinds of bucket, with real processes and threads publishing and promoting at once."""

import json
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from football_assets.errors import PreconditionFailed, RegistryError
from football_assets.registry import store
from football_assets.registry.store import (
    ALIASES_OBJECT,
    VERSIONS,
    BundleFile,
    Registry,
    _content_digest,
)
from football_assets.storage.bucket import LocalBucket, open_bucket


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def small_bundle(folder: Path, text: str = "one") -> Path:
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"text": text}))
    (folder / "model.onnx").write_bytes(text.encode() * 1000)
    return folder


def published(registry: Registry, tmp_path: Path, count: int) -> list[int]:
    return [
        registry.publish(small_bundle(tmp_path / f"b{i}", f"content {i}"), {"i": i}) for i in range(count)
    ]


def test_versions_are_numbered_from_one_and_keep_their_files_and_metadata(
    registry: Registry, tmp_path: Path
) -> None:
    assert registry.versions() == []
    assert published(registry, tmp_path, 3) == [1, 2, 3]
    assert registry.versions() == [1, 2, 3]
    manifest = registry.manifest(2)
    assert manifest.metadata == {"i": 1}
    assert set(manifest.files) == {"metrics.json", "model.onnx"}
    folder = registry.fetch(2, tmp_path / "scratch")
    assert json.loads((folder / "metrics.json").read_text()) == {"text": "content 1"}
    assert (folder / "model.onnx").read_bytes() == b"content 1" * 1000


def test_the_same_files_published_again_are_the_same_version(registry: Registry, tmp_path: Path) -> None:
    first = registry.publish(small_bundle(tmp_path / "a"), {"run": "first"})
    other = registry.publish(small_bundle(tmp_path / "b", "other"), {})
    assert registry.publish(small_bundle(tmp_path / "c"), {"run": "second"}) == first
    assert registry.versions() == [first, other]
    assert registry.manifest(first).metadata == {"run": "first"}


def test_a_corrupt_version_is_not_reused_for_the_same_files(registry: Registry, tmp_path: Path) -> None:
    first = registry.publish(small_bundle(tmp_path / "a"), {})
    registry.bucket.write(f"{VERSIONS}{first}/model.onnx", b"rotten")
    assert registry.publish(small_bundle(tmp_path / "b"), {}) == 2
    assert registry.fetch(2, tmp_path / "scratch").is_dir()


def test_a_version_without_manifest_is_invisible_and_its_number_is_left_alone(
    registry: Registry, tmp_path: Path
) -> None:
    registry.bucket.write(f"{VERSIONS}1/claim.json", b"{}")  # a publisher that died after its first file
    registry.bucket.write(f"{VERSIONS}1/model.onnx", b"half")
    assert registry.versions() == []
    with pytest.raises(RegistryError, match="no model version 1"):
        registry.fetch(1, tmp_path / "scratch")
    with pytest.raises(RegistryError, match="no model version 1"):
        registry.set_alias("candidate", 1)
    assert registry.publish(small_bundle(tmp_path / "a"), {}) == 2
    assert registry.bucket.read(f"{VERSIONS}1/model.onnx") == b"half"


@pytest.mark.parametrize("name", ["model.pkl", "checkpoint.pt", "manifest.json", "claim.json", "a b.json"])
def test_a_file_that_does_not_belong_in_a_bundle_is_refused(
    registry: Registry, tmp_path: Path, name: str
) -> None:
    folder = small_bundle(tmp_path / "a")
    (folder / name).write_bytes(b"x")
    with pytest.raises(RegistryError, match="does not belong in a model bundle"):
        registry.publish(folder, {})
    assert registry.versions() == []


def test_an_empty_bundle_is_refused(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryError, match="is empty"):
        registry.publish(tmp_path / "empty", {})


def test_a_damaged_file_is_named_and_never_returned(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    registry.bucket.write(f"{VERSIONS}1/model.onnx", b"content 0" * 999 + b"content 9")
    with pytest.raises(RegistryError, match=r"versions/1/model\.onnx is corrupt"):
        registry.fetch(1, tmp_path / "scratch")
    registry.bucket.delete(f"{VERSIONS}1/model.onnx")
    with pytest.raises(RegistryError, match=r"versions/1/model\.onnx is missing"):
        registry.fetch(1, tmp_path / "scratch")
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def test_a_damaged_manifest_is_named(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    name = f"{VERSIONS}1/manifest.json"
    record = json.loads(registry.bucket.read(name))
    record["files"]["model.onnx"]["sha256"] = "0" * 64
    for damaged in (b"{", b"[]", json.dumps(record).encode()):
        registry.bucket.write(name, damaged)
        with pytest.raises(RegistryError, match=r"versions/1/manifest\.json is corrupt"):
            registry.fetch(1, tmp_path / "scratch")


def rewrite_manifest(registry: Registry, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest of version 1 and give it the digest that fits its files."""
    name = f"{VERSIONS}1/manifest.json"
    record = json.loads(registry.bucket.read(name))
    change(record)
    record["content"] = _content_digest(
        {file: BundleFile(**entry) for file, entry in record["files"].items()}
    )
    registry.bucket.write(name, json.dumps(record).encode())


@pytest.mark.parametrize("escape", ["../../../escaped.json", "/escaped.json", "a/b.json", "..", ""])
def test_a_manifest_cannot_write_outside_the_scratch_folder(
    registry: Registry, tmp_path: Path, escape: str
) -> None:
    published(registry, tmp_path, 1)

    def rename(record: dict[str, Any]) -> None:
        record["files"][escape] = record["files"].pop("metrics.json")

    rewrite_manifest(registry, rename)
    with pytest.raises(RegistryError, match="manifest.json is corrupt: its digests do not agree"):
        registry.fetch(1, tmp_path / "scratch")
    assert not (tmp_path / "escaped.json").exists()
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def test_a_manifest_of_another_version_is_refused(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    rewrite_manifest(registry, lambda record: record.update(version=2))
    with pytest.raises(RegistryError, match="manifest.json is corrupt"):
        registry.manifest(1)


def test_a_copy_that_another_process_left_damaged_meanwhile_is_named(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 1)
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        target.mkdir()
        (target / "model.onnx").write_bytes(b"half")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    with pytest.raises(RegistryError, match=r"1-\w{16}/\S+ is corrupt: delete .*1-\w{16} and try again"):
        registry.fetch(1, tmp_path / "scratch")


def test_aliases_that_always_change_are_given_up_with_a_sentence(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(registry, tmp_path, 1)
    attempts = []

    def overtaken(name: str, *_: object, **__: object) -> None:
        attempts.append(name)
        raise PreconditionFailed("another process has written it")

    monkeypatch.setattr(registry.bucket, "write", overtaken)
    monkeypatch.setattr(store.time, "sleep", lambda seconds: None)
    with pytest.raises(RegistryError, match=r"aliases\.json in .* changes all the time: try again later"):
        registry.promote(1)
    assert attempts == [ALIASES_OBJECT] * 100


def test_a_damaged_copy_in_the_scratch_folder_is_fetched_again(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    folder = registry.fetch(1, tmp_path / "scratch")
    (folder / "model.onnx").write_bytes(b"rotten")
    (folder / "metrics.json").unlink()
    again = registry.fetch(1, tmp_path / "scratch")
    assert (again / "model.onnx").read_bytes() == b"content 0" * 1000
    assert (again / "metrics.json").is_file()


def test_many_can_fetch_one_version_into_one_scratch_folder_at_once(
    registry: Registry, tmp_path: Path
) -> None:
    published(registry, tmp_path, 1)
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: registry.fetch(1, tmp_path / "scratch"), range(24)))
    assert len(set(folders)) == 1
    assert sorted(path.name for path in folders[0].iterdir()) == ["metrics.json", "model.onnx"]
    assert list(folders[0].parent.iterdir()) == [folders[0]]


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
    registry.promote_over(1, None)
    registry.promote(2)
    with pytest.raises(PreconditionFailed, match="production is 2 now"):
        registry.promote_over(3, 1)
    assert registry.promote_over(3, 2) == {"production": 3, "previous": 2}


def test_unknown_versions_and_aliases_are_refused_with_what_there_is(
    registry: Registry, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match="None was published yet"):
        registry.fetch("production", tmp_path)
    published(registry, tmp_path, 2)
    with pytest.raises(RegistryError, match="no model version 9.*Versions: 1, 2"):
        registry.promote(9)
    with pytest.raises(RegistryError, match="'champion' is no model version"):
        registry.resolve("champion")
    with pytest.raises(RegistryError, match="'champion' is no alias"):
        registry.set_alias("champion", 1)
    with pytest.raises(RegistryError, match="No model version is 'production'"):
        registry.resolve("production")
    assert registry.aliases() == {}


def test_a_damaged_alias_object_is_named(registry: Registry, tmp_path: Path) -> None:
    registry.bucket.write(ALIASES_OBJECT, b"<html>")
    with pytest.raises(RegistryError, match=r"aliases\.json .* is corrupt"):
        registry.aliases()


def test_the_last_decision_about_a_version_is_kept(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    assert registry.decision(1) is None
    registry.record_decision(1, {"accepted": False})
    registry.record_decision(1, {"accepted": True})
    assert registry.decision(1) == {"accepted": True}
    assert registry.versions() == [1]


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


def _publish_many(url: str, folder: Path, worker: int, count: int) -> list[int]:
    registry = Registry(open_bucket(url))
    folders = [small_bundle(folder / f"w{worker}-{i}", f"worker {worker} bundle {i}") for i in range(count)]
    return [registry.publish(folder, {"worker": worker, "i": i}) for i, folder in enumerate(folders)]


def test_processes_that_publish_at_once_get_versions_of_their_own_and_readers_see_whole_ones(
    registry: Registry, tmp_path: Path
) -> None:
    workers, count = 4, 5
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        jobs = pool.starmap_async(
            _publish_many, [(registry.bucket.url, tmp_path, worker, count) for worker in range(workers)]
        )
        seen: set[int] = set()
        while not jobs.ready():
            for version in set(registry.versions()) - seen:
                folder = registry.fetch(version, tmp_path / "reader")  # raises if any file is not whole
                origin = registry.manifest(version).metadata
                text = f"worker {origin['worker']} bundle {origin['i']}"
                assert (folder / "model.onnx").read_bytes() == text.encode() * 1000
                seen.add(version)
        results = jobs.get()
    assert sorted(version for result in results for version in result) == list(range(1, workers * count + 1))
    assert registry.versions() == list(range(1, workers * count + 1))
    for worker, result in enumerate(results):
        assert [registry.manifest(version).metadata["worker"] for version in result] == [worker] * count


def _promote_each(url: str, versions: list[int]) -> list[tuple[int | None, int]]:
    """Promote versions one after the other; returns what each was promoted over."""
    registry = Registry(open_bucket(url))
    steps: list[tuple[int | None, int]] = []
    for version in versions:
        while len(steps) <= versions.index(version):
            production = registry.aliases().get("production")
            try:
                registry.promote_over(version, production)
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
            registry.promote_over(version, 1)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(promoted, [2, 3, 4, 5, 6]))
    assert sum(outcomes) == 1
    winner = [2, 3, 4, 5, 6][outcomes.index(True)]
    assert registry.aliases() == {"production": winner, "previous": 1}
