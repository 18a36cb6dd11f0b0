"""Folders of files as immutable artifacts in the bucket: `artifacts/<name>/<digest>/…` and a pointer to the newest.

The digest names the content, so the same content is stored once, and the pointer moves only when a folder is complete.
"""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from football_assets.errors import BucketError, ObjectNotFound
from football_assets.storage.bucket import Bucket, check_not_linked
from football_assets.storage.updates import update

ARTIFACTS = "artifacts/"
KEPT = 3
_THREADS = 4  # that read or send files at a time
_DIGEST_BYTES = 12
_DIGEST = re.compile(rf"[0-9a-f]{{{2 * _DIGEST_BYTES}}}")


def publish(bucket: Bucket, name: str, folder: Path) -> str:
    """Store a folder and make it the artifact's current content; the oldest beyond `KEPT` are removed.

    Returns
    -------
    str
        Digest of the content.
    """
    digest = folder_digest(folder)
    prefix = f"{ARTIFACTS}{name}/{digest}"
    with ThreadPoolExecutor(_THREADS) as threads:
        list(
            threads.map(
                lambda path: bucket.upload(path, f"{prefix}/{path.relative_to(folder).as_posix()}"),
                _files(folder),
            )
        )
    for old in _point_to(bucket, name, digest):
        for item in bucket.list(f"{ARTIFACTS}{name}/{old}/"):
            bucket.delete(item.name)
    return digest


def fetch(bucket: Bucket, name: str, scratch: Path, digest: str | None = None) -> Path:
    """Return a local folder with the artifact's content: that of a local bucket, else a download in `scratch`.

    Raises
    ------
    ObjectNotFound
        The artifact was never published, or not with that digest.
    BucketError
        The pointer is corrupt, or the content of a local bucket has a symbolic link.
    """
    if digest is None:
        recent = named_digests(bucket, name)
        if not recent:
            raise ObjectNotFound(
                f"{name!r} is not in bucket {bucket.url}: materialize the asset {name!r} first."
            )
        digest = recent[0]
    _check_digest(digest, f"{name!r} of bucket {bucket.url}")
    prefix = f"{ARTIFACTS}{name}/{digest}"
    local = bucket.local_path(prefix)
    if local is not None:
        check_not_linked(bucket, prefix)
        if not local.is_dir() or not any(local.iterdir()):
            raise ObjectNotFound(
                f"{name!r} has no content {digest} in bucket {bucket.url}: materialize the asset again."
            )
        for path in local.rglob("*"):
            check_not_linked(bucket, f"{prefix}/{path.relative_to(local).as_posix()}")
        return local
    target = scratch / "artifacts" / name / digest
    items = list(bucket.list(f"{prefix}/"))
    if not items:
        raise ObjectNotFound(
            f"{name!r} has no content {digest} in bucket {bucket.url}: materialize the asset again."
        )
    for item in items:
        path = target / item.name.removeprefix(f"{prefix}/")
        if not path.exists():
            bucket.download(item.name, path)
    return target


def named_digests(bucket: Bucket, name: str) -> list[str]:
    """Return the digests in an artifact's pointer, the current one first; empty if there is no pointer.

    Raises
    ------
    BucketError
        The pointer is corrupt, or a symbolic link of a local bucket.
    """
    check_not_linked(bucket, _pointer(name))
    if bucket.stat(_pointer(name)) is None:
        return []
    return _digests(bucket.read(_pointer(name)), name)


def folder_digest(folder: Path) -> str:
    """Compute the digest of a folder's file names and contents."""
    files = _files(folder)
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with ThreadPoolExecutor(_THREADS) as threads:  # hashing lets other threads run
        for path, content in zip(files, threads.map(_content_digest, files), strict=True):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + content)
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _content_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.blake2b).digest()


def _point_to(bucket: Bucket, name: str, digest: str) -> list[str]:
    """Make a content the current one; return the contents that are no longer kept."""
    expired: list[str] = []

    def change(pointer: bytes | None) -> bytes:
        recent = [digest, *(old for old in _digests(pointer, name) if old != digest)]
        expired[:] = recent[KEPT:]
        return json.dumps({"current": digest, "recent": recent[:KEPT]}).encode()

    update(bucket, _pointer(name), change)
    return expired


def _digests(pointer: bytes | None, name: str) -> list[str]:
    """Return the digests that the pointer of an artifact lists, the current one first.

    Raises
    ------
    BucketError
        The pointer is corrupt.
    """
    if pointer is None:
        return []
    try:
        recent: list[str] = json.loads(pointer)["recent"]
        for digest in recent:
            _check_digest(digest, "a pointer")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BucketError(
            f"A pointer under {ARTIFACTS} is corrupt ({error}): delete {_pointer(name)} and materialize {name!r} again."
        ) from error
    return recent


def _check_digest(digest: str, where: str) -> None:
    """Check the format of a digest, which becomes part of object names and paths.

    Raises
    ------
    BucketError
        The digest is not valid.
    """
    if not _DIGEST.fullmatch(digest):
        raise BucketError(f"{digest!r} of {where} is not a content digest: materialize the asset again.")


def _pointer(name: str) -> str:
    return f"{ARTIFACTS}{name}/current.json"
