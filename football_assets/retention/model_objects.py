"""Artifacts, model versions and checkpoints of trainings that can be removed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from football_assets.registry.store import VERSIONS, Registry
from football_assets.registry.versions import NUMBER
from football_assets.retention.removal import Removal, total_bytes
from football_assets.storage.artifacts import ARTIFACTS, named_digests
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.model_files import TRAINING_CHECKPOINTS

ARTIFACT_KIND = "artifacts"
VERSION_KIND = "model versions"
CHECKPOINT_KIND = "training checkpoints"


def removable_artifacts(bucket: Bucket, days: int, now: datetime) -> Iterator[Removal]:
    """Yield the contents of artifacts that their pointer does not name: those of a publisher that died.

    A content that a publisher is storing is younger. An artifact without a pointer is left alone.
    """
    contents: dict[tuple[str, str], list[ObjectInfo]] = {}
    for item in bucket.list(ARTIFACTS):
        name, digest, file = [*item.name.removeprefix(ARTIFACTS).split("/", 2), "", ""][:3]
        if file:
            contents.setdefault((name, digest), []).append(item)
    named = {name: named_digests(bucket, name) for name, _ in contents}
    for (name, digest), items in contents.items():
        newest = max(item.updated for item in items)
        if named[name] and digest not in named[name] and now - newest > timedelta(days=days):
            yield _content_removal(bucket, name, digest, items)


def _content_removal(bucket: Bucket, name: str, digest: str, items: list[ObjectInfo]) -> Removal:
    def remove() -> bool:
        # Again: a publisher may have stored the same content and pointed to it since.
        if digest in named_digests(bucket, name):
            return False
        return all(bucket.remove(item) for item in items)  # one that is stored again ends it

    newest = max(item.updated for item in items)
    why = "no pointer names it"
    return Removal(ARTIFACT_KIND, f"{name}/{digest}", total_bytes(items), newest, why, remove)


def restore_versions(registry: Registry, needed: Iterable[int]) -> None:
    """Make needed versions complete whose removal was killed: an alias was set after they were found removable."""
    complete = set(registry.versions())
    for number in needed:
        if number not in complete:
            registry.restore(number)


def removable_versions(
    registry: Registry,
    needed: Mapping[int, str],
    days: int,
    now: datetime,
    in_use: Callable[[], Iterable[int]] = tuple,
) -> Iterator[Removal]:
    """Yield the versions that nothing needs, and the files of publishers that died.

    The highest number stays, so that it is given to no other version.

    Parameters
    ----------
    needed
        Versions that stay.
    in_use
        Reads the versions that may have become needed since; it is called for every removal.
    """
    files: dict[int, list[ObjectInfo]] = {}
    for item in registry.bucket.list(VERSIONS):
        folder, separator, file = item.name.removeprefix(VERSIONS).partition("/")
        if separator and "/" not in file and NUMBER.fullmatch(folder):
            files.setdefault(int(folder), []).append(item)
    complete = set(registry.versions())
    highest = max(files, default=0)
    for number, items in files.items():
        newest = max(item.updated for item in items)
        if number in needed or number == highest or now - newest <= timedelta(days=days):
            continue
        why = "no alias, and none of the newest" if number in complete else "its publisher died"
        yield Removal(
            VERSION_KIND,
            str(number),
            total_bytes(items),
            newest,
            why,
            lambda n=number: registry.remove(n, in_use),  # type: ignore[misc]
        )


def removable_checkpoints(bucket: Bucket, days: int, now: datetime) -> Iterator[Removal]:
    """Yield the checkpoints of trainings that stored none for some days: they failed, and no run resumed them."""
    prefix = f"{TRAINING_CHECKPOINTS}/"
    trainings: dict[str, list[ObjectInfo]] = {}
    for item in bucket.list(prefix):
        trainings.setdefault(item.name.removeprefix(prefix).partition("/")[0], []).append(item)
    for name, items in trainings.items():
        newest = max(item.updated for item in items)
        if now - newest > timedelta(days=days):
            yield Removal(
                CHECKPOINT_KIND,
                name,
                total_bytes(items),
                newest,
                "their training failed",
                lambda items=items: all(bucket.remove(item) for item in items),  # type: ignore[misc]
            )
