"""A folder as a bucket. Versions are digests of the content; writes are atomic renames under a lock."""

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, ClassVar

from football_assets.errors import (
    BucketError,
    ObjectNotFound,
    UnreadableObject,
    advice_for,
    is_utf8,
    printable,
    reason_of,
)
from football_assets.runtime.file_locks import lock_file
from football_assets.storage.bucket import (
    ABSENT,
    INTERNAL,
    Absent,
    Bucket,
    Condition,
    ObjectInfo,
    OnUnusable,
    UnusableFile,
    folder_of_prefix,
    operating_system_errors,
    parts_of_name,
)

_CHUNK_BYTES = 1 << 20
_SETTLED_NS = 1_000_000_000  # the clocks of file systems are finer than this


class LocalBucket(Bucket):
    """A folder as an object store. Versions are digests of the content."""

    # By device, inode, size and times: a process reads a file once, even if it opens the bucket several times.
    _versions: ClassVar[dict[tuple[int, ...], str]] = {}

    def __init__(self, root: Path) -> None:
        try:
            self.root = root.resolve()
            (self.root / INTERNAL).mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead to each other
            reason = reason_of(error) if isinstance(error, OSError) else str(error)
            raise BucketError(f"Bucket folder {root.absolute()} cannot be created: {reason}.") from error
        self.url = str(self.root)

    def list(self, prefix: str = "", *, on_unusable: OnUnusable | None = None) -> Iterator[ObjectInfo]:
        """List the files under the prefix."""
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
                on_unusable(UnusableFile(name, "It is neither a regular file nor a link to one."))

    def _walk(self, prefix: str) -> Iterator[str | UnusableFile]:
        """Yield names of files under the prefix, and files and folders that cannot be objects."""
        base = self.root.joinpath(*folder_of_prefix(prefix))
        closed: list[OSError] = []
        for folder, folders, files in os.walk(base, onerror=closed.append):
            folders[:] = [name for name in folders if name != INTERNAL]
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
        """Return the prefix of the names in a folder."""
        name = Path(folder).relative_to(self.root).as_posix()
        return "" if name == "." else f"{name}/"

    def stat(self, name: str) -> ObjectInfo | None:
        """Return the state of a file; its content is hashed once per change."""
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
                    # Two changes within a tick of the clock have the same key, so only older files are cached.
                    if time.time_ns() - status.st_ctime_ns > _SETTLED_NS:
                        self._versions[_identity(status)] = version
            except (FileNotFoundError, NotADirectoryError):
                return None
        updated = datetime.fromtimestamp(status.st_mtime_ns / 1e9, UTC)
        return ObjectInfo(name, version, status.st_size, updated)

    def read(self, name: str) -> bytes:
        """Read a file."""
        path = self._path(name)
        with self._reads(name):
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                pass
        raise self._missing(name)

    def open(self, name: str) -> BinaryIO:
        """Open a file; one that is replaced or removed meanwhile stays readable."""
        path = self._path(name)
        with self._reads(name):
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    return path.open("rb")
            except (FileNotFoundError, NotADirectoryError):
                pass
        raise self._missing(name)

    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        """Replace a file atomically under the bucket's lock."""
        path = self._path(name)
        with operating_system_errors(self.url, f"write {name!r}"):
            with self._temporary() as temporary:
                temporary.write_bytes(data)
                self._place(temporary, path, if_version)
            return self._expect(name)

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        """Remove a file under the bucket's lock."""
        path = self._path(name)
        with operating_system_errors(self.url, f"delete {name!r}"), self._lock():
            if if_version is not None:
                self._check(name, if_version)
            path.unlink(missing_ok=True)

    def remove(self, listed: ObjectInfo) -> bool:
        """Remove a file under the bucket's lock if its content and its time of writing are those listed."""
        with operating_system_errors(self.url, f"delete {listed.name!r}"), self._lock():
            if self.stat(listed.name) != listed:
                return False
            self._path(listed.name).unlink()
        return True

    def upload(self, path: Path, name: str, *, if_version: Condition = None) -> ObjectInfo:
        """Link or copy a local file into the bucket."""
        with operating_system_errors(self.url, f"write {name!r}"):
            with self._temporary() as temporary:
                temporary.unlink()
                _link_or_copy(path, temporary)
                self._place(temporary, self._path(name), if_version)
            return self._expect(name)

    def download(self, name: str, path: Path) -> None:
        """Link or copy a file out of the bucket."""
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
                temporary.unlink(
                    missing_ok=True
                )  # renaming one hard link over another of the same file does nothing

    def local_path(self, name: str) -> Path | None:
        """Return the path of a file or folder."""
        return self._path(name)

    def link_to(self, name: str) -> Path | None:
        """Return the file or folder on the path of a name that is a symbolic link."""
        path = self.root
        for part in parts_of_name(name):
            path /= part
            if path.is_symlink():
                return path
        return None

    @contextmanager
    def _reads(self, name: str) -> Iterator[None]:
        """Raise errors of the operating system about one object as UnreadableObject."""
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
                f"Object {name!r} was deleted from bucket {self.url} while it was being written: try again."
            )
        return info

    def _place(self, temporary: Path, path: Path, condition: Condition) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sync(temporary)
        # Every write takes the lock, so that no other write comes between its check and its replacement.
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
        handle, name = tempfile.mkstemp(dir=self.root / INTERNAL)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.root / INTERNAL / "lock").open("a") as file:
            lock_file(file)
            yield


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Return values that change when a file is written."""
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
