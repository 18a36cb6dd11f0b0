"""Model versions that must stay, each with the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from football_assets.deployment.served_versions import ServedVersions
from football_assets.deployment.wandb_registry import FOLLOWED_OBJECT
from football_assets.errors import ObjectNotFound, RegistryError
from football_assets.monitoring.log_tables import version_ranges
from football_assets.monitoring.results import DAYS_PREFIX, logged_days
from football_assets.monitoring.summary import HISTORY
from football_assets.registry.store import VERSIONS, Registry
from football_assets.registry.versions import NUMBER
from football_assets.storage.bucket import Bucket
from football_assets.storage.log_segments import SEGMENTS, PredictionLogError, segment_lines

SEALED = "sealed/"
"""JSON objects that must stay provable: they are never removed, and neither is a version that one of them names."""

_VERSION_KEYS = re.compile(r"(model_)?versions?")


class ServedVersionsUnknown(RegistryError):
    """It is not known which versions are served."""


@dataclass(frozen=True)
class Needed:
    """Versions with the reasons to keep them."""

    reasons: dict[int, str]

    def add(self, versions: Iterator[int] | set[int] | list[int] | frozenset[int], reason: str) -> None:
        """Keep versions; the first reason stays."""
        for version in versions:
            self.reasons.setdefault(version, reason)


def check_known(served: ServedVersions) -> None:
    """Check that all served versions are known.

    Raises
    ------
    ServedVersionsUnknown
        There may be more.
    """
    if served.doubt:
        raise ServedVersionsUnknown(f"What is served is not known. {served.doubt}")


def versions_in_use(bucket: Bucket, served: ServedVersions) -> set[int]:
    """Return the versions that may become needed from one moment to the next, beside those with an alias.

    Raises
    ------
    ServedVersionsUnknown
        It is not known what is served.
    RegistryError
        It is not known which version a sealed object names.
    """
    check_known(served)
    return {*served.versions, *_sealed(bucket), *_followed(bucket)}


def needed_versions(
    registry: Registry, served: ServedVersions, newest: int, days: int, now: datetime
) -> dict[int, str]:
    """Return the versions that must stay, with the reason.

    These are the newest ones, those with an alias or withdrawn, those that replicas serve, those that answered a
    request or were production in the last days, those that a sealed record names, young ones, and those whose manifest
    is corrupt. Signatures are not verified: nothing depends on what a manifest says, and versions that only a former
    key has signed must not stay for ever.

    Raises
    ------
    RegistryError
        The aliases cannot be read, or a sealed object names no version: nothing is known of any version.
    """
    bucket = registry.bucket
    numbers = registry.versions()
    needed = Needed({})
    for alias, version in registry.aliases().items():
        needed.add([version], f"alias {alias}")
    needed.add(registry.withdrawn(), "withdrawn: the gate must know it")
    needed.add(served.versions, "served")
    needed.add(_sealed(bucket), "a sealed record names it")
    needed.add(_followed(bucket), "linked in Weights & Biases")
    needed.add(_segments(bucket), "answered a request that is not compacted")
    needed.add(
        _logged(bucket, now - timedelta(days=days), numbers), f"answered a request in the last {days} days"
    )
    needed.add(_reported(bucket, now - timedelta(days=days)), f"production in the last {days} days")
    needed.add(numbers[-newest:], f"one of the newest {newest}")
    needed.add(_young(bucket, now - timedelta(days=days)) & {*numbers}, f"younger than {days} days")
    needed.add(_unreadable(registry, set(numbers) - needed.reasons.keys()), "its manifest cannot be read")
    return needed.reasons


def _young(bucket: Bucket, since: datetime) -> set[int]:
    """Return the versions of which an object was written since a time, by the bucket's clock.

    The time in a manifest is not read: who can alter a manifest could make an old version young, or a young one old.
    """
    names = (item.name.removeprefix(VERSIONS) for item in bucket.list(VERSIONS) if item.updated >= since)
    folders = (name.partition("/")[0] for name in names)
    return {int(folder) for folder in folders if NUMBER.fullmatch(folder)}


def _unreadable(registry: Registry, numbers: set[int]) -> Iterator[int]:
    for number in numbers:
        try:
            registry.manifest(number)
        except RegistryError:  # corrupt, or removed meanwhile
            yield number


def _sealed(bucket: Bucket) -> Iterator[int]:
    for item in bucket.list(SEALED):
        found = _numbers_in(bucket, item.name)
        if not found:
            raise RegistryError(
                f"{item.name} names no version under `version`, `versions`, `model_version` or `model_versions`, so it "
                "may need any."
            )
        yield from found


def _numbers_in(bucket: Bucket, name: str) -> list[int]:
    """Return the versions that a JSON object of the bucket names."""
    try:
        return list(_numbers(orjson.loads(bucket.read(name))))
    except orjson.JSONDecodeError as error:
        raise RegistryError(f"{name} is no JSON ({error}), so it may name any version.") from error


def _numbers(value: Any) -> Iterator[int]:
    """Find the versions that a record names, at any depth: numbers, their texts, or lists of them."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if _VERSION_KEYS.fullmatch(key):
                yield from filter(None, map(_number, entry if isinstance(entry, list) else [entry]))
            yield from _numbers(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _numbers(entry)


def _number(value: Any) -> int | None:
    is_number = isinstance(value, int | str) and NUMBER.fullmatch(str(value))  # not True either
    return int(value) if is_number else None


def _followed(bucket: Bucket) -> Iterator[int]:
    try:
        yield int(orjson.loads(bucket.read(FOLLOWED_OBJECT))["version"])
    except ObjectNotFound:
        return
    except (ValueError, TypeError, KeyError) as error:
        raise RegistryError(f"{FOLLOWED_OBJECT} is corrupt ({error!r}).") from error


def _segments(bucket: Bucket) -> set[int]:
    found: set[int] = set()
    for item in bucket.list(f"{SEGMENTS}/"):
        try:
            for line in segment_lines(bucket.read(item.name)):
                version = (line.record or {}).get("model_version")
                if isinstance(version, int):
                    found.add(version)
        except (ObjectNotFound, PredictionLogError):  # compacted meanwhile, or corrupt
            continue
    return found


def _logged(bucket: Bucket, since: datetime, numbers: list[int]) -> set[int]:
    """Return the versions within the range of those of a row group: a few more than answered."""
    # A replica whose clock is years behind logs under a day that is years ago.
    written = {item.name for item in bucket.list(DAYS_PREFIX) if item.updated >= since}
    days = [item for item in logged_days(bucket) if item.day >= since.date() or item.object in written]
    ranges = [span for item in days for span in version_ranges(bucket, item.object)]
    return {number for number in numbers if any(low <= number <= high for low, high in ranges)}


def _reported(bucket: Bucket, since: datetime) -> Iterator[int]:
    for item in bucket.list(HISTORY):
        if item.updated >= since:
            yield from _numbers_in(bucket, item.name)
