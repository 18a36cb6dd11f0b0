"""Where each landing object was landed from: `landing/origins.json` in the bucket, by the names of the objects.

Two folders of one name, as clones of two repositories are, would otherwise land on one object. `landing.py` asks for a
file's object, and saves the record before it writes.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from football_assets.bucket import ABSENT, Bucket, ObjectInfo
from football_assets.errors import ObjectNotFound, PreconditionFailed
from football_assets.raw.folder_files import place_of

RECORD = "landing/origins.json"
_ATTEMPTS = 10


def origin_of(path: Path) -> str:
    """What stands for a file's path in the record: a digest, since others may read the bucket."""
    text = str(place_of(path)).encode("utf-8", errors="surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()


class Origins:
    """The objects that the files of one landing become.

    Parameters
    ----------
    bucket
        Where they land.
    objects
        The objects that are there, by name.
    """

    def __init__(self, bucket: Bucket, objects: dict[str, ObjectInfo]) -> None:
        self._bucket = bucket
        self._objects = objects
        self._known = _load(bucket)
        self._chosen: dict[str, bytes] = {}
        self._new: dict[str, str] = {}

    def choose(
        self, name_of: Callable[[int], str], data: bytes, origin: str, may_replace: Callable[[str], bool]
    ) -> str:
        """The object of a file: the one that was landed from the same place; else one with the same content; else the
        first that is free, or that loses nothing by the file.

        Parameters
        ----------
        name_of
            The object's name by its number; 1 is the plain one.
        origin
            The file's, as `origin_of` has it.
        may_replace
            Whether the file holds all that an object holds.
        """
        names: list[str] = []
        while (
            (name := name_of(len(names) + 1)) in self._chosen or name in self._objects or name in self._known
        ):
            names.append(name)
        names.append(name)
        free = [each for each in names if each not in self._chosen]
        chosen = (
            next((each for each in free if self._known.get(each) == origin), None)
            or next((each for each in names if self._will_be_same(each, data)), None)
            or next(each for each in free if each not in self._objects or may_replace(each))
        )
        if not self._will_be_same(chosen, data) or chosen not in self._known:
            self._new.setdefault(chosen, origin)
        self._chosen[chosen] = data
        return chosen

    def _will_be_same(self, name: str, data: bytes) -> bool:
        return self._chosen[name] == data if name in self._chosen else self.is_same(name, data)

    def is_same(self, name: str, data: bytes) -> bool:
        """Whether an object holds these bytes."""
        info = self._objects.get(name)
        return info is not None and info.size == len(data) and self._read(name) == data

    def _read(self, name: str) -> bytes | None:
        try:
            return self._bucket.read(name)
        except ObjectNotFound:  # deleted since it was listed
            return None

    def save(self) -> None:
        """Add the files' objects to the record, whoever else adds others meanwhile."""
        if all(self._known.get(name) == origin for name, origin in self._new.items()):
            return
        for _ in range(_ATTEMPTS):
            state = self._bucket.stat(RECORD)
            merged = dict(sorted((_load(self._bucket) | self._new).items()))
            try:
                self._bucket.write(
                    RECORD, json.dumps(merged).encode(), if_version=state.version if state else ABSENT
                )
            except PreconditionFailed:
                continue
            return
        raise PreconditionFailed(f"Object {RECORD!r} changes all the time: land the files again.")


def _load(bucket: Bucket) -> dict[str, str]:
    try:
        return dict(json.loads(bucket.read(RECORD)))
    except (ObjectNotFound, ValueError):
        return {}
