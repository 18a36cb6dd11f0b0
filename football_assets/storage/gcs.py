"""Google Cloud Storage as a bucket: `gs://bucket/prefix`. `opening.open_bucket` and the Dagster resource open it.

Versions are generations, and conditions are generation preconditions, which the service checks. A call that fails with
a transient error is retried with exponential backoff until a deadline. A response can be lost after the service has
applied a write, so a conditional write stores a mark in the object's metadata (`gcs_marks`): where its retry is
rejected, the mark tells whether the write itself changed the object.
"""

import io
import mimetypes
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from google.api_core.exceptions import NotFound, RetryError
from google.api_core.exceptions import PreconditionFailed as ConditionNotMet
from google.api_core.retry import Retry
from google.auth.exceptions import RefreshError
from google.cloud.storage import Blob, Client

from football_assets.errors import BucketError
from football_assets.storage.bucket import (
    ABSENT,
    GCS_SCHEME,
    Bucket,
    Condition,
    ObjectInfo,
    OnUnusable,
    folder_of_prefix,
    is_name,
    operating_system_errors,
    parts_of_name,
)
from football_assets.storage.gcs_errors import CLIENT_ERRORS, explain_client_error, is_transient, status_code
from football_assets.storage.gcs_listing import list_in_ranges
from football_assets.storage.gcs_marks import MARKS, find_write, marks_before
from football_assets.storage.gcs_reader import GcsReader
from football_assets.storage.gcs_versions import RestoredObject, restore_generations

_URL = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(/(?P<prefix>.*?))?/*")
_LISTED = "items(name,generation,size,timeCreated),prefixes,nextPageToken"
_PAGE = 1000  # objects, the most that the service gives at once
_CHUNK_BYTES = 16 << 20  # of uploads above 8 MiB, which go in chunks that are repeated one by one
_READ_BYTES = 4 << 20  # the least that a reader of ranges asks for
_TIMEOUT_SECONDS = (10.0, 60.0)  # to connect; between two parts of an answer
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_DEADLINE_SECONDS = 60.0

# Otherwise the client requests the bucket whenever an object is missing, to label traces.
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")

_LIST, _GET = "storage.objects.list", "storage.objects.get"
_CREATE, _DELETE = "storage.objects.create", "storage.objects.delete"


class _UploadLost(ConnectionError):
    """A chunked upload cannot continue and must start again."""


class GcsBucket(Bucket):
    """A bucket of Google Cloud Storage, or the part of it under a prefix.

    Parameters
    ----------
    url
        `gs://bucket` or `gs://bucket/prefix`. The constructor sends no request.
    make_client
        Creates the client. None: one with the application default credentials, or one of the server of
        STORAGE_EMULATOR_HOST if that is set.
    deadline_seconds
        How long a call with transient errors is retried.

    Raises
    ------
    BucketError
        The URL names no bucket, or there are no credentials.
    """

    def __init__(
        self,
        url: str,
        make_client: Callable[[], Client] | None = None,
        *,
        deadline_seconds: float = _DEADLINE_SECONDS,
    ) -> None:
        match = _URL.fullmatch(url)
        if match is None:
            raise BucketError(
                f"{url!r} names no bucket: set FOOTBALL_BUCKET to gs://bucket or gs://bucket/prefix."
            )
        prefix = "/".join(parts_of_name(match["prefix"])) if match["prefix"] else ""
        self.url = f"{GCS_SCHEME}{match['bucket']}{'/' if prefix else ''}{prefix}"
        self._prefix = f"{prefix}/" if prefix else ""
        self._deadline_seconds = deadline_seconds
        self._has_answered = False  # the bucket exists
        with self._calls("open the bucket", _LIST):
            self._client = make_client() if make_client is not None else _shared_client()
        self._bucket = self._client.bucket(match["bucket"])

    def list(self, prefix: str = "", *, on_unusable: OnUnusable | None = None) -> Iterator[ObjectInfo]:
        """List the objects under the prefix, one page per request; if there are many, in parallel."""
        folder_of_prefix(prefix)
        request = partial(
            self._client.list_blobs,
            self._bucket,
            fields=_LISTED,
            page_size=_PAGE,
            retry=self._retry(),
            timeout=_TIMEOUT_SECONDS,
        )
        with self._calls("list objects", _LIST):
            # In order of the names in UTF-8, which is the order of their characters.
            yield from list_in_ranges(request, self._prefix + prefix, self._listed)

    def _listed(self, blob: Blob) -> ObjectInfo | None:
        """Return the state of a listed object; None for the empty objects `folder/` that the console makes."""
        name = blob.name.removeprefix(self._prefix)
        return _info(name, blob) if is_name(name) else None

    def stat(self, name: str) -> ObjectInfo | None:
        """Return the state of an object."""
        with self._calls(f"read {name!r}", _GET):
            blob = self._state(name)
            return _info(name, blob) if blob is not None else None

    def read(self, name: str) -> bytes:
        """Read an object and verify its checksum."""
        buffer = io.BytesIO()
        self._fetch(name, buffer)
        return buffer.getvalue()

    def open(self, name: str) -> BinaryIO:
        """Open the current generation; each read asks for at least `_READ_BYTES`."""
        with self._calls(f"read {name!r}", _GET):
            state = self._state(name)
        if state is None:
            raise self._missing(name)
        options = {"chunk_size": _READ_BYTES, "retry": self._retry(), "timeout": _TIMEOUT_SECONDS}
        return cast(BinaryIO, GcsReader(state, lambda: self._calls(f"read {name!r}", _GET), **options))

    def write(self, name: str, data: bytes, *, if_version: Condition = None) -> ObjectInfo:
        """Write an object under a generation precondition."""

        def send(blob: Blob, **options: Any) -> None:
            blob.upload_from_file(io.BytesIO(data), size=len(data), **options)

        return self._put(name, len(data), send, if_version)

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        """Remove an object under a generation precondition."""
        blob = self._blob(name)
        if if_version is not None and not if_version.isdecimal():  # of another kind of bucket
            raise self._refusal(name, self.stat(name), if_version)
        failures: list[Exception] = []
        with self._calls(f"delete {name!r}", _DELETE):
            try:
                blob.delete(
                    if_generation_match=int(if_version) if if_version is not None else None,
                    retry=self._retry(failures.append),
                    timeout=_TIMEOUT_SECONDS,
                )
            except NotFound as error:
                if self._is_missing(error):
                    raise
                if if_version is not None and not failures:  # else it was this call that deleted it
                    raise self._refusal(name, None, if_version) from None
            except ConditionNotMet:
                if if_version is None:
                    raise
                raise self._refusal(name, self.stat(name), if_version) from None

    def upload(self, path: Path, name: str, *, if_version: Condition = None) -> ObjectInfo:
        """Upload a local file, in chunks where it is large."""
        with operating_system_errors(self.url, f"write {name!r} from {path}"), path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size

            def send(blob: Blob, **options: Any) -> None:
                blob.upload_from_file(file, size=size, rewind=True, **options)

            return self._put(name, size, send, if_version)

    def download(self, name: str, path: Path) -> None:
        """Download an object to a local file."""
        self._blob(name)
        with operating_system_errors(self.url, f"copy {name!r} to {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}-", dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    self._fetch(name, file)
                Path(temporary).replace(path)
            finally:
                Path(temporary).unlink(missing_ok=True)

    def local_path(self, name: str) -> Path | None:
        """Return None: the bucket is remote."""
        parts_of_name(name)
        return None

    def _blob(self, name: str, **options: Any) -> Blob:
        return self._bucket.blob(self._prefix + "/".join(parts_of_name(name)), **options)

    def _state(self, name: str) -> Blob | None:
        """Read the object's current state and metadata."""
        blob = self._blob(name)
        try:
            blob.reload(retry=self._retry(), timeout=_TIMEOUT_SECONDS)
        except NotFound as error:
            if self._is_missing(error):
                raise
            return None
        return blob

    def _fetch(self, name: str, target: Any) -> None:
        """Write the object's content to a file; every attempt starts again, so that its checksum covers all of it."""

        def attempt() -> None:
            target.seek(0)
            target.truncate()
            self._blob(name).download_to_file(target, retry=None, timeout=_TIMEOUT_SECONDS)

        parts_of_name(name)
        with self._calls(f"read {name!r}", _GET):
            try:
                self._retry()(attempt)()
            except NotFound as error:
                if self._is_missing(error):
                    raise
                raise self._missing(name) from None

    def _put(self, name: str, size: int, send: Callable[..., None], condition: Condition) -> ObjectInfo:
        failures: list[Exception] = []
        mark = secrets.token_hex(8)
        generation: int | None = None
        metadata: dict[str, str] | None = None

        def attempt() -> ObjectInfo:
            blob = self._blob(name, chunk_size=_CHUNK_BYTES)
            blob.metadata = metadata
            try:
                send(
                    blob,
                    content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
                    if_generation_match=generation,
                    retry=self._retry(failures.append) if size > _CHUNK_BYTES else None,
                    timeout=_TIMEOUT_SECONDS,
                )
            except ConditionNotMet:
                state = self._state(name)
                written = find_write(name, size, state, mark) if failures and state is not None else None
                if written is not None:
                    return written
                if condition is None:  # a policy of the organisation has the same code
                    raise
                raise self._refusal(name, _info(name, state) if state else None, condition) from None
            except NotFound as error:  # the bucket, or the session of an upload in chunks
                if self._is_missing(error):
                    raise
                raise _UploadLost("the upload session is gone") from error
            except ValueError as error:  # the service kept less of a chunk than it was sent
                raise _UploadLost(str(error)) from error
            return _info(name, blob)

        parts_of_name(name)
        with self._calls(f"write {name!r}", _CREATE):
            if condition is ABSENT:
                generation, metadata = 0, {MARKS: mark}
            elif condition is not None:
                state = self._state(name)
                if state is None or str(state.generation) != condition:
                    raise self._refusal(name, _info(name, state) if state else None, condition)
                generation, metadata = state.generation, {MARKS: " ".join([mark, *marks_before(state)])}
            return self._retry(failures.append)(attempt)()

    def _retry(self, on_error: Callable[[Exception], object] | None = None) -> Retry:
        """Retry transient errors, and report each to `on_error`."""
        return Retry(
            predicate=is_transient,
            initial=_FIRST_PAUSE_SECONDS,
            maximum=_LONGEST_PAUSE_SECONDS,
            multiplier=2,
            timeout=self._deadline_seconds,
            on_error=on_error,
        )

    def _is_missing(self, error: NotFound) -> bool:
        """Return whether the bucket was not found: a missing object has the same code."""
        if "bucket does not exist" in str(error):
            return True
        if not self._has_answered:
            try:
                pages = self._client.list_blobs(
                    self._bucket, max_results=1, retry=self._retry(), timeout=_TIMEOUT_SECONDS
                )
                list(pages)
            except NotFound:
                return True
            self._has_answered = True
        return False

    def restore(self, at: datetime, *, dry_run: bool) -> Iterator[RestoredObject]:
        """Restore objects as they were at some time: `gcs_versions.restore_generations`."""
        with self._calls("restore objects", _CREATE):
            place = self._client, self._bucket, self._prefix
            yield from restore_generations(*place, at, self._retry(), dry_run=dry_run)

    @contextmanager
    def _calls(self, doing: str, permission: str) -> Iterator[None]:
        """Raise errors of the client as BucketError."""
        try:
            yield
        except RetryError as error:
            cause = error.cause or error
            raise self._explained(cause, doing, permission) from error
        except CLIENT_ERRORS as error:
            raise self._explained(error, doing, permission) from error

    def _explained(self, error: BaseException, doing: str, permission: str) -> BucketError:
        if isinstance(error, RefreshError) or status_code(error) == 401:
            _default_client.cache_clear()
        return explain_client_error(error, self.url, doing, permission, self._deadline_seconds)


def _shared_client() -> Client:
    return _default_client(os.environ.get("STORAGE_EMULATOR_HOST"), os.getpid())


@lru_cache(maxsize=4)
def _default_client(emulator: str | None, process: int) -> Client:
    """Create one client per process, so that its connections and access token are reused."""
    return Client(project=None)


def _info(name: str, blob: Blob) -> ObjectInfo:
    # Not the blob's `updated`: that of its metadata, which changes when its storage class does.
    written: datetime = blob.time_created
    return ObjectInfo(name, str(blob.generation), blob.size, written)
