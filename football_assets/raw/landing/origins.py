"""Record the local file and the content from which each landing object was landed, and choose objects by this record.

The record is `landing/origins.json` in the bucket, keyed by object name. Without it, two folders of the same name, such
as clones of two repositories, would land on the same object.
"""

import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from football_assets.errors import ObjectNotFound, UnreadableObject
from football_assets.raw.landing.local_files import absolute_path
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.updates import update

ORIGINS_OBJECT = "landing/origins.json"


class Origin(NamedTuple):
    """Digests of the path and the content of a landed file. `content` is None in records of older versions."""

    path: str
    content: str | None


def path_digest(path: Path) -> str:
    """Hash the absolute path of a file. The record has no plain paths, since others may read the bucket."""
    text = str(absolute_path(path)).encode("utf-8", errors="surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class Origins:
    """Choose the objects of the files of one landing.

    Parameters
    ----------
    bucket
        The bucket in which they land.
    objects
        The existing objects under `raw/`, by name.
    unusable
        Names of existing files and links to folders that cannot be read. They are never replaced, since their content
        cannot be compared.
    """

    def __init__(
        self, bucket: Bucket, objects: dict[str, ObjectInfo], unusable: Collection[str] = ()
    ) -> None:
        self._bucket = bucket
        self._objects = objects
        self._unusable = unusable
        self._known = _load(bucket)
        self._contents: dict[str, str | None] = {}
        self._chosen: dict[str, str] = {}
        self._new: dict[str, Origin] = {}

    def choose(
        self, name_of: Callable[[int], str], data: bytes, path: str, may_replace: Callable[[str], bool]
    ) -> str:
        """Choose the object of a file.

        The first choice is the object that was landed from the same path and was not written since; then an object with
        the same content; then the first name that is free or whose object may be replaced.

        Parameters
        ----------
        name_of
            Returns the object name of a source number; 1 is the name without a number.
        path
            The `path_digest` of the file.
        may_replace
            Returns whether the file contains all matches of an object.
        """
        content = _digest(data)
        names: list[str] = []
        while self._is_taken(name := name_of(len(names) + 1)):
            names.append(name)
        names.append(name)
        free = [each for each in names if each not in self._chosen and not self._is_unusable(each)]
        chosen = (
            next((each for each in free if self._is_own(each, path)), None)
            or next((each for each in names if self._will_hold(each, content)), None)
            or next(each for each in free if each not in self._objects or may_replace(each))
        )
        known = self._known.get(chosen)
        if known is None or known.path == path or not self._will_hold(chosen, content):
            self._new.setdefault(chosen, Origin(path, content))
        self._chosen[chosen] = content
        return chosen

    def _is_taken(self, name: str) -> bool:
        return name in self._chosen or name in self._objects or name in self._known or self._is_unusable(name)

    def _is_unusable(self, name: str) -> bool:
        return any(
            str(path) in self._unusable for path in (PurePosixPath(name), *PurePosixPath(name).parents)
        )

    def _is_own(self, name: str, path: str) -> bool:
        """Return whether an object was landed from a path and still has that content, or was deleted.

        A sync may have replaced the content.
        """
        known = self._known.get(name)
        if known is None or known.path != path:
            return False
        return name not in self._objects or (
            known.content is not None and self._content(name) == known.content
        )

    def _will_hold(self, name: str, content: str) -> bool:
        return self._chosen.get(name, self._content(name)) == content

    def is_same(self, name: str, data: bytes) -> bool:
        """Return whether an object had these bytes when the landing began."""
        return self._content(name) == _digest(data)

    def _content(self, name: str) -> str | None:
        """Return the digest of an object's content, which is read once; None for a missing or unreadable object."""
        if name not in self._objects:
            return None
        if name not in self._contents:
            try:
                self._contents[name] = _digest(self._bucket.read(name))
            except (ObjectNotFound, UnreadableObject):  # deleted or changed since it was listed
                self._contents[name] = None
        return self._contents[name]

    def save(self, in_place: Collection[str]) -> None:
        """Add the chosen objects to the record by compare-and-swap, since other processes may write it too.

        Parameters
        ----------
        in_place
            Names of the chosen objects that have the content of their files.
        """
        new = {name: origin for name, origin in self._new.items() if name in in_place}
        if all(self._known.get(name) == origin for name, origin in new.items()):
            return

        def change(record: bytes | None) -> bytes:
            merged = _parse(record) | new
            return json.dumps({name: origin._asdict() for name, origin in sorted(merged.items())}).encode()

        update(self._bucket, ORIGINS_OBJECT, change)


def _load(bucket: Bucket) -> dict[str, Origin]:
    try:
        return _parse(bucket.read(ORIGINS_OBJECT))
    except ObjectNotFound:
        return {}


def _parse(data: bytes | None) -> dict[str, Origin]:
    """Parse a record. Malformed entries are skipped."""
    try:
        record = json.loads(data or b"{}")
    except ValueError:
        return {}
    entries = record.items() if isinstance(record, dict) else ()
    return {name: origin for name, entry in entries if (origin := _origin(entry)) is not None}


def _origin(entry: Any) -> Origin | None:
    """Parse an entry: an object, or the path alone as older versions wrote it. None if it is malformed."""
    path, content = (entry.get("path"), entry.get("content")) if isinstance(entry, dict) else (entry, None)
    if isinstance(path, str) and (content is None or isinstance(content, str)):
        return Origin(path, content)
    return None
