"""The object store: list with versions, read, write, conditional write. Every stage and serving go through it.

A version names an object's content: it changes when the content does, whatever clocks say. In a folder the same
content has the same version; in Google Cloud Storage (`gcs.py`) every write makes a new one.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import BinaryIO, ClassVar

from football_assets.errors import (
    BucketError,
    ObjectNotFound,
    PreconditionFailed,
    UnreadableObject,
    advice_for,
    is_utf8,
    printable,
    reason_of,
)

GCS_SCHEME = "gs://"

_INTERNAL = ".bucket"
_CHUNK_BYTES = 1 << 20
_SETTLED_NS = 1_000_000_000  # the clocks of file systems are finer than this


class Absent(Enum):
    """Precondition of a create-only write."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
Condition = str | Absent | None


@dataclass(frozen=True, order=True)
class ObjectInfo:
    """One object as it stood when it was listed. `size` in bytes; `updated`, when the content was written, in UTC."""

    name: str
    version: str
    size: int
    updated: datetime


@dataclass(frozen=True)
class UnusableFile:
    """A file or folder of a local bucket that is no object: its name is not UTF-8, or it cannot be read.

    `name` has `\\xNN` in the place of every byte that is not UTF-8. `is_closed`: a folder that may hold objects.
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
        """Objects whose name starts with `prefix`, in order of name; their states cost no further requests.

        Parameters
        ----------
        on_unusable
            Called with each file and folder that is no object. None: one that cannot be read is an error, others are
            left out.

        Raises
        ------
        BucketError
        """

    @abstractmethod
    def stat(self, name: str) -> ObjectInfo | None:
        """The object's current state, or None if there is none."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The object's content.

        Raises
        ------
        ObjectNotFound
        UnreadableObject
            The operating system cannot read the file of a local bucket.
        """

    @abstractmethod
    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        """Replace the object as a whole; readers see the old or the new content, never a mixture.

        Parameters
        ----------
        if_version
            None: whatever is there. ABSENT: only if there is no such object. A version: only over that version.

        Raises
        ------
        PreconditionFailed
            The object is not in the state that `if_version` names; nothing was written.
        """

    @abstractmethod
    def delete(self, name: str, *, if_version: str | None = None) -> None:
        """Remove the object; removing what is not there is no error.

        Parameters
        ----------
        if_version
            None: whatever is there. A version: only that one.

        Raises
        ------
        PreconditionFailed
            The object is missing or in another version; nothing was removed.
        """

    @abstractmethod
    def upload(self, path: Path, name: str) -> ObjectInfo:
        """Write a local file's content; the file may not be changed afterwards (it may be linked, not copied)."""

    @abstractmethod
    def download(self, name: str, path: Path) -> None:
        """Place the object's content at a local path, which must not be written to (it may be a link).

        Raises
        ------
        ObjectNotFound
        """

    @abstractmethod
    def local_path(self, name: str) -> Path | None:
        """A local file or folder that can be read or memory-mapped in place, or None where the bucket is remote."""

    def _missing(self, name: str) -> ObjectNotFound:
        return ObjectNotFound(f"There is no object {name!r} in bucket {self.url}.")

    def _refusal(self, name: str, state: ObjectInfo | None, condition: str | Absent) -> PreconditionFailed:
        """What a caller is told whose condition the object's state does not meet."""
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


def open_bucket(url: str) -> Bucket:
    """The bucket at a local folder or at `gs://bucket/prefix`.

    Google Cloud Storage is asked with the application default credentials, or, without any, at STORAGE_EMULATOR_HOST.

    Raises
    ------
    BucketError
        The URL's scheme is not supported, the folder cannot be created, or there are no credentials.
    """
    if url.startswith(GCS_SCHEME):
        from football_assets.storage.gcs import (
            GcsBucket,  # its client takes as long to load as all of this package
        )

        return GcsBucket(url)
    if "://" in url and not url.startswith("file://"):
        raise BucketError(
            f"Bucket {url!r} is not supported: set FOOTBALL_BUCKET to a local folder or gs://bucket/prefix."
        )
    return LocalBucket(Path(url.removeprefix("file://")))


def parts_of_name(name: str) -> tuple[str, ...]:
    """The parts of an object's name.

    Raises
    ------
    BucketError
        The name leads out of the bucket, has two spellings, or is kept for the bucket's own files.
    """
    parts = PurePosixPath(name).parts
    if (
        not parts
        or name != "/".join(parts)
        or {"/", "..", _INTERNAL} & set(parts)
        or "\0" in name
        or not is_utf8(name)
    ):
        raise BucketError(
            f"Object name {name!r} is not allowed: use a relative name in UTF-8 without '.' and '..' parts."
        )
    return parts


def folder_of_prefix(prefix: str) -> tuple[str, ...]:
    """The parts of the folder that holds everything with this prefix; none: the bucket itself.

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


class LocalBucket(Bucket):
    """A folder as an object store. Versions are digests of the content."""

    # By device, inode, size and times: a file is read once a process, however often its bucket is opened.
    _versions: ClassVar[dict[tuple[int, ...], str]] = {}

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.resolve()
            (self.root / _INTERNAL).mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to each other
            reason = reason_of(error) if isinstance(error, OSError) else str(error)
            raise BucketError(f"Bucket folder {root.absolute()} cannot be created: {reason}.") from error
        self.url = str(self.root)

    def list(self, prefix: str = "", *, on_unusable: OnUnusable | None = None) -> Iterator[ObjectInfo]:
        found: list[str] = []
        for entry in self._walk(prefix):
            if isinstance(entry, str):
                found.append(entry)
            elif on_unusable is not None:
                on_unusable(entry)
            elif entry.is_closed:
                raise BucketError(
                    f"Folder {entry.name!r} of bucket {self.url} cannot be listed: {entry.reason}"
                )
        for name in sorted(found):
            try:
                info = self.stat(name)
            except UnreadableObject as error:
                if on_unusable is None:
                    raise
                on_unusable(UnusableFile(name, f"The file cannot be opened: {error.reason}."))
                continue
            if info is not None:
                yield info
            elif on_unusable is not None and os.path.lexists(self._path(name)):  # else deleted since
                on_unusable(UnusableFile(name, "It is no regular file, nor a link to one."))

    def _walk(self, prefix: str) -> Iterator[str | UnusableFile]:
        """Names of files under the prefix, and what cannot be named or entered."""
        base = self.root.joinpath(*folder_of_prefix(prefix))
        closed: list[OSError] = []
        for folder, folders, files in os.walk(base, onerror=closed.append):
            folders[:] = [name for name in folders if name != _INTERNAL]
            within = self._relative(folder)
            for name in files:
                path = f"{within}{name}"
                if path.startswith(prefix):
                    yield path if is_utf8(path) else UnusableFile(printable(path), "The name is not UTF-8.")
            for name in folders:
                if Path(folder, name).is_symlink():
                    reason = "It is a link to a folder, which is not followed."
                    yield UnusableFile(printable(f"{within}{name}"), reason, True)
        for error in closed:
            if not isinstance(error, (FileNotFoundError, NotADirectoryError)):  # else deleted since
                name = printable(self._relative(error.filename).rstrip("/"))
                yield UnusableFile(name, f"The folder cannot be opened: {reason_of(error)}.", True, True)

    def _relative(self, folder: str) -> str:
        """The start of the names in a folder."""
        name = Path(folder).relative_to(self.root).as_posix()
        return "" if name == "." else f"{name}/"

    def stat(self, name: str) -> ObjectInfo | None:
        path = self._path(name)
        with self._reads(name):
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for its writer
                    return None
                version = self._versions.get(_identity(status))
                if version is None:
                    with path.open("rb") as file:
                        status = os.fstat(file.fileno())
                        version = _digest(file)
                    # Two changes within a tick of the clock give one key: only older files are known by it.
                    if time.time_ns() - status.st_ctime_ns > _SETTLED_NS:
                        self._versions[_identity(status)] = version
            except (FileNotFoundError, NotADirectoryError):
                return None
        updated = datetime.fromtimestamp(status.st_mtime_ns / 1e9, UTC)
        return ObjectInfo(name, version, status.st_size, updated)

    def read(self, name: str) -> bytes:
        path = self._path(name)
        with self._reads(name):
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                pass
        raise self._missing(name)

    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        path = self._path(name)
        with operating_system_errors(self.url, f"write {name!r}"):
            with self._temporary() as temporary:
                temporary.write_bytes(data)
                self._place(temporary, path, if_version)
            return self._expect(name)

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        path = self._path(name)
        with operating_system_errors(self.url, f"delete {name!r}"), self._lock():
            if if_version is not None:
                self._check(name, if_version)
            path.unlink(missing_ok=True)

    def upload(self, path: Path, name: str) -> ObjectInfo:
        with operating_system_errors(self.url, f"write {name!r}"):
            with self._temporary() as temporary:
                temporary.unlink()
                _link_or_copy(path, temporary)
                self._place(temporary, self._path(name), None)
            return self._expect(name)

    def download(self, name: str, path: Path) -> None:
        source = self._path(name)
        temporary = path.parent / f".{path.name[:100]}-{secrets.token_hex(8)}"
        with operating_system_errors(self.url, f"copy {name!r} to {path}"):
            if not source.is_file():
                raise self._missing(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _link_or_copy(source, temporary)
                temporary.replace(path)
            except FileNotFoundError:  # deleted since
                raise self._missing(name) from None
            finally:
                temporary.unlink(missing_ok=True)  # two links to one file replace nothing

    def local_path(self, name: str) -> Path | None:
        return self._path(name)

    @contextmanager
    def _reads(self, name: str) -> Iterator[None]:
        """Errors of the operating system that concern one object become ours."""
        try:
            yield
        except OSError as error:
            reason = reason_of(error)
            message = f"Object {name!r} of bucket {self.url} cannot be read: {reason}."
            raise UnreadableObject(f"{message}{advice_for(error)}", reason) from error

    def _path(self, name: str) -> Path:
        return self.root.joinpath(*parts_of_name(name))

    def _expect(self, name: str) -> ObjectInfo:
        info = self.stat(name)
        if info is None:
            raise ObjectNotFound(
                f"Object {name!r} was deleted from bucket {self.url} while it was being written."
            )
        return info

    def _place(self, temporary: Path, path: Path, condition: Condition) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sync(temporary)
        # Every write takes the lock: none may come between another's check and its replacement.
        with self._lock():
            if condition is not None:
                self._check(path.relative_to(self.root).as_posix(), condition)
            temporary.replace(path)

    def _check(self, name: str, condition: str | Absent) -> None:
        info = self.stat(name)
        if (info is not None) if condition is ABSENT else (info is None or info.version != condition):
            raise self._refusal(name, info, condition)

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(dir=self.root / _INTERNAL)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.root / _INTERNAL / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """What a file is known by as long as it is not written."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _digest(file: BinaryIO) -> str:
    digest = hashlib.blake2b(digest_size=12)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
