"""An object of Google Cloud Storage as a file: ranges of one generation are requested as they are read."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.storage import Blob
from google.cloud.storage.fileio import BlobReader

from football_assets.errors import ObjectNotFound


class _Generation(Blob):  # type: ignore[misc]
    """One generation of a blob with its size: `seek` asks for the size of a blob that has none.

    Not the blob as it was read: downloads of that go to its media link, which has the host of the service.
    """

    def __init__(self, state: Blob) -> None:
        super().__init__(state.name, state.bucket, generation=state.generation)
        self._size: int = state.size

    @property
    def size(self) -> int:
        """Bytes of the generation."""
        return self._size


class GcsReader(BlobReader):  # type: ignore[misc]
    """Read one generation of a blob; errors of the client are those of the bucket.

    Parameters
    ----------
    state
        The blob as it was read, with its generation and size, so that all reads see the same content.
    calls
        Context that raises errors of the client as BucketError.
    options
        Of `BlobReader`.
    """

    def __init__(
        self, state: Blob, calls: Callable[[], AbstractContextManager[None]], **options: Any
    ) -> None:
        super().__init__(_Generation(state), **options)
        self._calls = calls

    def read(self, size: int | None = -1) -> bytes:
        """Read the next bytes.

        Raises
        ------
        ObjectNotFound
            The generation was replaced or removed meanwhile.
        """
        with self._errors():
            data: bytes = super().read(-1 if size is None else size)
        return data

    def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, at most the end. It sends no request.

        Raises
        ------
        ObjectNotFound
            As `read`, should the client ask for the blob.
        """
        with self._errors():
            place: int = super().seek(pos, whence)
        return place

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with self._calls():
            try:
                yield
            except NotFound as error:
                raise ObjectNotFound(
                    f"Object {self._blob.name!r} changed while it was being read: try again."
                ) from error
