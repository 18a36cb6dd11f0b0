"""What can be removed, and what a pruning did."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from football_assets.storage.bucket import Bucket, ObjectInfo


@dataclass(frozen=True)
class Removal:
    """Something that nothing needs any more.

    Attributes
    ----------
    kind
        What it is, in the plural, as a heading.
    name
        Its name, unique among its kind.
    bytes
        Its size.
    written
        When it was last written, UTC.
    why
        Why it can go.
    remove
        Removes it, and returns whether it did: not if it has changed or is needed by now.
    """

    kind: str
    name: str
    bytes: int
    written: datetime
    why: str
    remove: Callable[[], bool]


@dataclass(frozen=True)
class PrunedKind:
    """Removals of one kind: `count` were found, `removed` of them are gone; `note` says what was left and why.

    `has_failed`: an error kept some from being found or removed.
    """

    kind: str
    count: int = 0
    removed: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    why: str = ""
    note: str = ""
    has_failed: bool = False


def object_removal(bucket: Bucket, item: ObjectInfo, kind: str, why: str) -> Removal:
    """Return the removal of one object; one that is written meanwhile stays."""
    return Removal(kind, item.name, item.size, item.updated, why, lambda: bucket.remove(item))


def total_bytes(items: Iterable[ObjectInfo]) -> int:
    """Return the size of objects."""
    return sum(item.size for item in items)
