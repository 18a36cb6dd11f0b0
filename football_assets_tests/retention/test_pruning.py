"""Whatever lies in a bucket, a pruning removes what is old and unneeded, and nothing that anything needs."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.deployment.served_versions import ServedVersions
from football_assets.errors import RegistryError
from football_assets.registry.store import ALIASES_OBJECT, Registry
from football_assets.retention import pruning
from football_assets.retention.policy import RetentionPolicy
from football_assets.retention.pruning import KEPT_FOR_EVER, RunHistory, World, prune
from football_assets.retention.removal import PrunedKind
from football_assets.storage.artifacts import fetch
from football_assets.storage.bucket import ObjectInfo
from football_assets.storage.local import LocalBucket
from football_assets.storage.log_segments import SEGMENTS
from football_assets.storage.tables import table_object
from football_assets_tests.builders.retention_worlds import (
    NOW,
    abandon_artifact,
    add_artifact,
    add_report,
    add_segment,
    add_table,
    add_version,
    age,
    days_ago,
    set_aliases,
    write_aged,
)

NUMBERS = st.integers(1, 7)
AGES = st.sampled_from([0, 5, 60, 120, 500])


@dataclass
class Plan:
    """A random world: versions with their ages, and what refers to them."""

    ages: list[int]
    incomplete: set[int]
    aliases: dict[str, int]
    withdrawn: set[int]
    served: set[int]
    sealed: set[int]
    tables: dict[int, set[int]]
    segments: dict[int, set[int]]
    reports: dict[int, int]
    artifacts: list[int]
    abandoned: list[int]
    policy: RetentionPolicy = field(default_factory=RetentionPolicy)


plans = st.builds(
    Plan,
    ages=st.lists(AGES, min_size=1, max_size=7),
    incomplete=st.sets(NUMBERS, max_size=2),
    aliases=st.dictionaries(st.sampled_from(["production", "candidate", "previous"]), NUMBERS),
    withdrawn=st.sets(NUMBERS, max_size=2),
    served=st.sets(NUMBERS, max_size=2),
    sealed=st.sets(NUMBERS, max_size=2),
    tables=st.dictionaries(AGES, st.sets(NUMBERS, min_size=1, max_size=2), max_size=3),
    segments=st.dictionaries(AGES, st.sets(NUMBERS, min_size=1, max_size=2), max_size=3),
    reports=st.dictionaries(AGES, NUMBERS, max_size=3),
    artifacts=st.lists(AGES, max_size=5),
    abandoned=st.lists(AGES, max_size=2),
    policy=st.builds(
        RetentionPolicy,
        log_days=st.sampled_from([None, 91, 400]),
        versions=st.sampled_from([None, 1, 2]),
        version_days=st.sampled_from([1, 91]),
        artifact_days=st.sampled_from([None, 7]),
        report_days=st.sampled_from([None, 91]),
    ),
)


def build(plan: Plan, folder: Path) -> World:
    bucket = LocalBucket(folder / "bucket")
    for number, days in enumerate(plan.ages, start=1):
        add_version(bucket, number, days, complete=number not in plan.incomplete)
    complete = {number for number in range(1, len(plan.ages) + 1) if number not in plan.incomplete}
    plan.aliases = {alias: number for alias, number in plan.aliases.items() if number in complete}
    set_aliases(bucket, **plan.aliases, withdrawn=sorted(plan.withdrawn))
    for days, versions in plan.tables.items():
        add_table(bucket, days, sorted(versions), "table.jsonl")
    for days, versions in plan.segments.items():
        add_segment(bucket, days, sorted(versions))
    for days, version in plan.reports.items():
        add_report(bucket, days, version)
    for number, days in enumerate(plan.artifacts):
        add_artifact(bucket, folder / "source", "tensors", f"content {number}", days)
    for number, days in enumerate(plan.abandoned):
        abandon_artifact(bucket, "tensors", f"abandoned{number}", days)
    if plan.sealed:
        names = [{"forecasts": [{"model_version": version}]} for version in sorted(plan.sealed)]
        write_aged(bucket, "sealed/2020.json", orjson.dumps(names), 900)
    write_aged(bucket, "raw/openfootball/2015-16/eng.1.json", b"{}", 900)
    served = ServedVersions(frozenset(plan.served))
    return World(bucket, folder / "scratch", lambda: served, clock=lambda _: NOW)


@settings(max_examples=60, deadline=None)
@given(plan=plans)
def test_nothing_that_is_needed_is_removed_and_what_is_not_needed_goes(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan
) -> None:
    world = build(plan, tmp_path_factory.mktemp("world"))
    bucket, registry, policy = world.bucket, Registry(world.bucket), plan.policy
    before = {item.name: item for item in bucket.list()}
    complete = registry.versions()

    shown = prune(world, policy, NOW, dry_run=True)
    assert {item.name: item for item in bucket.list()} == before
    done = prune(world, policy, NOW, dry_run=False)
    after = {item.name: item for item in bucket.list()}

    assert all(after[name] == before[name] for name in after)
    assert [kind.count for kind in shown] == [kind.removed for kind in done]
    assert all(kind.count == 0 for kind in prune(world, policy, NOW, dry_run=True))
    assert {name for name in before if name.startswith(("sealed/", "raw/", SEGMENTS, ALIASES_OBJECT))} <= set(
        after
    )

    needed = {*plan.aliases.values(), *plan.withdrawn, *plan.served, *plan.sealed}
    needed |= set(complete[-(policy.versions or 1) :])
    needed |= {number for number in complete if plan.ages[number - 1] < policy.version_days}
    needed |= {version for versions in plan.segments.values() for version in versions}
    recent = [versions for days, versions in plan.tables.items() if days < policy.version_days]
    needed |= {version for versions in recent for version in versions}
    needed |= {version for days, version in plan.reports.items() if days < policy.version_days}
    for number in needed & set(complete):
        assert registry.read(number, "model_card.md") == f"version {number}".encode()
    between = {number for versions in recent for number in range(min(versions), max(versions) + 1)}
    gone = set(complete) - set(registry.versions())
    highest = len(plan.ages)
    if policy.versions is None:
        assert not gone
    else:
        assert gone >= set(complete) - needed - between - {highest}

    for days in plan.tables:
        kept = policy.log_days is None or days <= policy.log_days
        assert (table_object("prediction_log", str(days_ago(days).date())) in after) == kept
    for digest in {name.split("/")[2] for name in before if name.startswith("artifacts/tensors/")}:
        if not digest.startswith(("abandoned", "current.json")):
            assert len(list(fetch(bucket, "tensors", world.scratch, digest).iterdir())) == 2
    pointed = bool(plan.artifacts)
    for number, days in enumerate(plan.abandoned):
        kept = policy.artifact_days is None or days <= policy.artifact_days or not pointed
        assert any(name.startswith(f"artifacts/tensors/abandoned{number}/") for name in after) == kept


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    return LocalBucket(tmp_path / "bucket")


@pytest.fixture
def world(bucket: LocalBucket, tmp_path: Path) -> World:
    return World(bucket, tmp_path / "scratch", clock=lambda _: NOW)


def by_kind(pruned: list[PrunedKind]) -> dict[str, PrunedKind]:
    return {kind.kind: kind for kind in pruned}


def test_no_version_goes_where_it_is_not_known_what_is_served(world: World, bucket: LocalBucket) -> None:
    for number in range(1, 5):
        add_version(bucket, number, 500)
    policy = RetentionPolicy(versions=1)
    doubtful = replace(world, served=lambda: ServedVersions(doubt="Serve does not answer."))

    done = by_kind(prune(doubtful, policy, NOW, dry_run=False))

    assert done["model versions"].note == "What is served is not known. Serve does not answer."
    assert not any(kind.has_failed for kind in done.values())
    assert Registry(bucket).versions() == [1, 2, 3, 4]
    assert by_kind(prune(world, policy, NOW, dry_run=False))["model versions"].removed == 3
    assert Registry(bucket).versions() == [4]


class Moments:
    """What is served at each moment that it is asked for: the last of them for ever."""

    def __init__(self, *moments: ServedVersions) -> None:
        self.left = list(moments)

    def __call__(self) -> ServedVersions:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def test_a_version_that_is_served_once_versions_are_listed_stays(world: World, bucket: LocalBucket) -> None:
    for number in range(1, 4):
        add_version(bucket, number, 500)
    later = replace(world, served=Moments(ServedVersions(), ServedVersions(frozenset({1}))))

    done = by_kind(prune(later, RetentionPolicy(versions=1), NOW, dry_run=False))["model versions"]

    assert (done.count, done.removed) == (2, 1)
    assert Registry(bucket).versions() == [1, 3]


def test_no_version_goes_once_it_is_not_known_what_is_served(world: World, bucket: LocalBucket) -> None:
    for number in range(1, 4):
        add_version(bucket, number, 500)
    doubtful = replace(world, served=Moments(ServedVersions(), ServedVersions(doubt="Serve is away.")))

    done = by_kind(prune(doubtful, RetentionPolicy(versions=1), NOW, dry_run=False))["model versions"]

    assert (done.note, done.has_failed) == ("What is served is not known. Serve is away.", False)
    assert Registry(bucket).versions() == [1, 2, 3]


def test_a_version_that_is_sealed_while_other_kinds_are_removed_stays(
    world: World, bucket: LocalBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        add_version(bucket, number, 500)
    add_report(bucket, 500, 3)
    remove = LocalBucket.remove

    def seal_first(self: LocalBucket, listed: ObjectInfo) -> bool:
        self.write("sealed/a.json", orjson.dumps({"version": 1}))
        return remove(self, listed)

    monkeypatch.setattr(LocalBucket, "remove", seal_first)
    done = by_kind(prune(world, RetentionPolicy(versions=1), NOW, dry_run=False))

    assert (done["drift reports"].removed, done["model versions"].count) == (1, 1)
    assert Registry(bucket).versions() == [1, 3]


def test_a_version_with_an_alias_whose_removal_was_killed_is_restored(
    world: World, bucket: LocalBucket
) -> None:
    for number in (1, 2):
        add_version(bucket, number, 500)
    set_aliases(bucket, production=1)
    manifest = bucket.read("registry/versions/1/manifest.json")
    bucket.delete("registry/versions/1/manifest.json")
    bucket.write("registry/versions/1/manifest.removed.json", manifest)

    prune(world, RetentionPolicy(), NOW, dry_run=True)
    assert Registry(bucket).versions() == [2]
    prune(world, RetentionPolicy(), NOW, dry_run=False)

    assert Registry(bucket).read("production", "model_card.md") == b"version 1"


@pytest.mark.parametrize("name", [ALIASES_OBJECT, "sealed/2020.json"])
def test_no_version_goes_where_what_needs_one_is_corrupt(
    world: World, bucket: LocalBucket, name: str
) -> None:
    for number in range(1, 5):
        add_version(bucket, number, 500)
    bucket.write(name, b"{")

    done = by_kind(prune(world, RetentionPolicy(versions=1), NOW, dry_run=False))

    assert done["model versions"].note.startswith("What needs a version is not known.")
    assert name in done["model versions"].note
    assert [kind for kind in done if done[kind].has_failed] == ["model versions"]
    assert Registry(bucket).versions() == [1, 2, 3, 4]


def test_off_keeps_everything(world: World, bucket: LocalBucket) -> None:
    add_table(bucket, 5000, [1])
    off = RetentionPolicy(
        log_days=None, versions=None, artifact_days=None, report_days=None, run_days=None, scratch_hours=None
    )

    done = prune(world, off, NOW, dry_run=False)

    assert {kind.note for kind in done} == {KEPT_FOR_EVER}
    assert len(list(bucket.list())) == 1


def test_what_is_found_has_its_size_its_age_and_the_reason(world: World, bucket: LocalBucket) -> None:
    sizes = []
    for days in (401, 700, 399):
        day = add_table(bucket, days, [1])
        sizes.append((bucket.root / table_object("prediction_log", str(day))).stat().st_size)

    shown = by_kind(prune(world, RetentionPolicy(), NOW, dry_run=True))["log tables"]

    assert (shown.count, shown.removed, shown.bytes) == (2, 0, sizes[0] + sizes[1])
    assert (shown.oldest, shown.why) == (days_ago(700), "older than 400 days")


def test_a_table_that_is_written_meanwhile_stays(
    world: World, bucket: LocalBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = add_table(bucket, 500, [1])
    name = table_object("prediction_log", str(day))
    remove = LocalBucket.remove

    def compacted_first(self: LocalBucket, listed: object) -> bool:
        self.write(name, self.read(name))  # the same content, a later time
        return remove(self, listed)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalBucket, "remove", compacted_first)
    done = by_kind(prune(world, RetentionPolicy(), NOW, dry_run=False))["log tables"]

    assert (done.count, done.removed) == (1, 0)
    assert done.note == "1 were written or needed meanwhile"
    assert bucket.stat(name) is not None


def test_a_compacted_segment_goes_and_one_with_a_line_that_is_not_stays(
    world: World, bucket: LocalBucket
) -> None:
    add_table(bucket, 3, [1, 1])
    compacted = add_segment(bucket, 3, [1, 1])
    longer = add_segment(bucket, 4, [1, 1, 1])
    add_table(bucket, 4, [1, 1])
    elsewhere = add_segment(bucket, 5, [1])
    young = add_segment(bucket, 0, [1])
    add_table(bucket, 0, [1])

    prune(world, RetentionPolicy(), NOW, dry_run=False)

    left = [item.name for item in bucket.list(SEGMENTS)]
    assert left == sorted([longer, elsewhere, young])
    assert compacted not in left


@dataclass(frozen=True)
class Ended:
    run_id: str
    ended: datetime
    bytes: int = 10


class Runs(RunHistory):
    """Two runs, one of which is busy by the time that it is to be removed."""

    def __init__(self) -> None:
        self.asked: list[datetime] = []
        self.removed: list[str] = []

    def ended_runs(self, before: datetime) -> Iterator[Ended]:
        self.asked.append(before)
        yield from (Ended("one", days_ago(100)), Ended("two", days_ago(200)))

    error: Exception | None = None

    def left_files(self, before: datetime) -> Iterator[Ended]:
        yield Ended("three", days_ago(300))

    def remove(self, run_id: str) -> bool:
        if self.error is not None and run_id == "one":
            raise self.error
        self.removed.append(run_id)
        return run_id != "two"


def test_runs_are_removed_by_their_age_with_what_removed_ones_left(world: World) -> None:
    runs = Runs()

    done = by_kind(prune(replace(world, runs=runs), RetentionPolicy(run_days=30), NOW, dry_run=False))

    assert runs.asked == [days_ago(30)]
    assert runs.removed == ["one", "two", "three"]
    assert (done["runs"].count, done["runs"].removed, done["runs"].oldest) == (2, 1, days_ago(200))
    assert done["files of removed runs"].removed == 1


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RegistryError("It is corrupt.")])
def test_an_error_of_one_removal_leaves_the_others_and_the_report(world: World, error: Exception) -> None:
    runs = Runs()
    runs.error = error

    done = by_kind(prune(replace(world, runs=runs), RetentionPolicy(run_days=30), NOW, dry_run=False))

    assert runs.removed == ["two", "three"]
    assert done["runs"].note == str(error)
    assert done["files of removed runs"].removed == 1
    assert [kind for kind in done if done[kind].has_failed] == ["runs"]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), RegistryError("It is corrupt.")])
def test_an_error_of_one_kind_leaves_the_others_and_the_report(
    world: World, bucket: LocalBucket, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    add_report(bucket, 500, 1)

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(pruning, "removable_tables", fails)
    done = by_kind(prune(world, RetentionPolicy(), NOW, dry_run=False))

    assert (done["log tables"].note, done["drift reports"].removed) == (str(error), 1)
    assert [kind for kind in done if done[kind].has_failed] == ["log tables"]


def test_copies_in_scratch_that_a_pointer_or_a_needed_version_uses_stay(
    world: World, bucket: LocalBucket, tmp_path: Path
) -> None:
    for number in (1, 2):
        add_version(bucket, number, 500)
    current = add_artifact(bucket, tmp_path / "source", "tensors", "current", 100)
    names = [
        f"artifacts/tensors/{current}/data.txt",
        "artifacts/tensors/older/data.txt",
        "registry/1-abc/model.onnx",
        "registry/2-abc/model.onnx",
        "models/registry/1-abc/model.onnx",
        "models/registry/2-abc/model.onnx",
        "trained_lstm-x1/weights",
        "prediction_log/dead-000000.jsonl",
        "serve_metrics/slot-0",
        "wandb/run-1/log",
    ]
    for name in names:
        path = world.scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    age(world.scratch, 30)

    done = by_kind(prune(world, RetentionPolicy(versions=1), NOW, dry_run=False))["scratch"]

    left = {str(path.relative_to(world.scratch)) for path in world.scratch.rglob("*") if path.is_file()}
    assert done.removed == 4
    assert left == {names[0], names[3], names[5], *names[7:]}
