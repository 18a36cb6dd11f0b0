"""The interface of the object store: list with versions, read, write, conditional write, delete.

A version identifies an object's content and changes with it, independently of clocks. In a folder (`local.py`) the same
content has the same version; in Google Cloud Storage (`gcs.py`) every write makes a new version.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from football_assets.errors import (
    BucketError,
    ObjectNotFound,
    PreconditionFailed,
    advice_for,
    is_utf8,
    reason_of,
)

GCS_SCHEME = "gs://"

INTERNAL = ".bucket"
"""Name that no part of an object's name may have: the folder of a local bucket's own files."""


class Absent(Enum):
    """Precondition of a create-only write."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
Condition = str | Absent | None
_NO_PARTS = frozenset({"", ".", "..", INTERNAL})


@dataclass(frozen=True, order=True)
class ObjectInfo:
    """The state of an object when it was listed.

    Attributes
    ----------
    size
        In bytes.
    updated
        When the content was written, in UTC.
    """

    name: str
    version: str
    size: int
    updated: datetime


@dataclass(frozen=True)
class UnusableFile:
    """A file or folder of a local bucket that is not an object: its name is not UTF-8, or it cannot be read.

    `name` has a hexadecimal escape for every byte that is not UTF-8. `is_closed`: a folder that cannot be listed and
    may hold objects.
    """

    name: str
    reason: str
    is_folder: bool = False
    is_closed: bool = False


OnUnusable = Callable[[UnusableFile], object]


class Bucket(ABC):
    """An object store. Names are `/`-separated, relative, without `.` or `..` parts."""

    url: str

    @abstractmethod
    def list(self, prefix: str = "", *, on_unusable: OnUnusable | None = None) -> Iterator[ObjectInfo]:
        """List the objects whose name starts with `prefix`, in order of name, without a request per object.

        Parameters
        ----------
        on_unusable
            Called with each file and folder that is not an object. None: one that cannot be read is an error; others
            are left out.

        Raises
        ------
        BucketError
            The bucket cannot be read.
        """

    @abstractmethod
    def stat(self, name: str) -> ObjectInfo | None:
        """Return the object's current state, or None if there is no object."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Read the object's content.

        Raises
        ------
        ObjectNotFound
            There is no such object.
        UnreadableObject
            The operating system cannot read the file of a local bucket.
        """

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open the object for random access; of a remote object only the parts that are read are requested.

        All reads return the content of one version of the object.

        Raises
        ------
        ObjectNotFound
            There is no such object.
        UnreadableObject
            The operating system cannot read the file of a local bucket.
        """

    @abstractmethod
    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        """Replace the object as a whole; readers see the old or the new content, never a mixture.

        Parameters
        ----------
        if_version
            None: unconditionally. ABSENT: only if the object does not exist. A version: only over that version.

        Raises
        ------
        PreconditionFailed
            The object is not in the state that `if_version` names; nothing was written.
        """

    @abstractmethod
    def delete(self, name: str, *, if_version: str | None = None) -> None:
        """Remove the object. Removing an object that does not exist is not an error.

        Parameters
        ----------
        if_version
            None: unconditionally. A version: only that version.

        Raises
        ------
        PreconditionFailed
            The object is missing or in another version; nothing was removed.
        """

    def remove(self, listed: ObjectInfo) -> bool:
        """Remove an object if it still is as it was listed; return False if it was written or removed since.

        A local bucket also compares the time of writing, because the same content has the same version there.
        """
        try:
            self.delete(listed.name, if_version=listed.version)
        except PreconditionFailed:
            return False
        return True

    @abstractmethod
    def upload(self, path: Path, name: str, *, if_version: Condition = None) -> ObjectInfo:
        """Write a local file's content; the file may not be changed afterwards (it may be linked, not copied).

        Parameters
        ----------
        if_version
            As for `write`.

        Raises
        ------
        PreconditionFailed
            The object is not in the state that `if_version` names; nothing was written.
        """

    @abstractmethod
    def download(self, name: str, path: Path) -> None:
        """Place the object's content at a local path, which must not be written to (it may be a link).

        Raises
        ------
        ObjectNotFound
            There is no such object.
        """

    @abstractmethod
    def local_path(self, name: str) -> Path | None:
        """Return the local file or folder to read or memory-map in place, or None where the bucket is remote."""

    def link_to(self, name: str) -> Path | None:
        """Return the symbolic link on the path of an object or folder, or None. A remote bucket has no links."""
        parts_of_name(name)
        return None

    def _missing(self, name: str) -> ObjectNotFound:
        return ObjectNotFound(f"There is no object {name!r} in bucket {self.url}.")

    def _refusal(self, name: str, state: ObjectInfo | None, condition: str | Absent) -> PreconditionFailed:
        """Build the error of a condition that the object's state does not meet."""
        if condition is ABSENT:
            version = f" as {state.version}" if state else ""
            return PreconditionFailed(f"Object {name!r} already exists in bucket {self.url}{version}.")
        found = "missing" if state is None else f"version {state.version}"
        return PreconditionFailed(
            f"Object {name!r} is {found} in bucket {self.url}, not version {condition}."
        )


def condition_of(state: ObjectInfo | None) -> str | Absent:
    """Return the condition of a write over a state as it was read; None: over no object."""
    return ABSENT if state is None else state.version


def parts_of_name(name: str) -> tuple[str, ...]:
    """Split an object's name into its parts.

    Raises
    ------
    BucketError
        The name leads out of the bucket, has two spellings, or is reserved for files of the bucket itself.
    """
    parts = tuple(
        name.split("/")
    )  # a listing calls this for every object: a path would take three times as long
    if not _NO_PARTS.isdisjoint(parts) or "\0" in name or not is_utf8(name):
        raise BucketError(
            f"Object name {name!r} is not allowed: use a relative name in UTF-8 without '.' and '..' parts."
        )
    return parts


def check_not_linked(bucket: Bucket, name: str) -> None:
    """Check that an object or folder is no symbolic link and lies in none.

    Landed files may be links. What a manifest or a pointer names may not: a link may lead out of the bucket.

    Raises
    ------
    BucketError
        There is a link on its path.
    """
    link = bucket.link_to(name)
    if link is not None:
        raise BucketError(
            f"{link} is a symbolic link, which is not followed here: replace it by the file or folder itself."
        )


def is_name(name: str) -> bool:
    """Return whether a text can be the name of an object."""
    try:
        parts_of_name(name)
    except BucketError:
        return False
    return True


def folder_of_prefix(prefix: str) -> tuple[str, ...]:
    """Return the parts of the folder that holds everything with this prefix; none for the bucket itself.

    Raises
    ------
    BucketError
        The folder is no name of this bucket.
    """
    folder = prefix.rpartition("/")[0]
    return parts_of_name(folder) if folder or prefix.startswith("/") else ()


@contextmanager
def operating_system_errors(url: str, doing: str) -> Iterator[None]:
    """Raise an OSError of the block as a BucketError that names the bucket and what it could not do."""
    try:
        yield
    except OSError as error:
        raise BucketError(
            f"Bucket {url} could not {doing}: {reason_of(error)}.{advice_for(error)}"
        ) from error
