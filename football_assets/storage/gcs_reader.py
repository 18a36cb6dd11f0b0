"""An object of Google Cloud Storage as a file: ranges of one generation are requested as they are read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.storage import Blob
from google.cloud.storage.fileio import BlobReader

from football_assets.errors import ObjectNotFound


class GcsReader(BlobReader):  # type: ignore[misc]
    """Read a blob with a generation; errors of the client are those of the bucket.

    Parameters
    ----------
    blob
        With its generation, so that all reads see the same content.
    calls
        Context that raises errors of the client as BucketError.
    options
        Of `BlobReader`.
    """

    def __init__(self, blob: Blob, calls: Callable[[], AbstractContextManager[None]], **options: Any) -> None:
        super().__init__(blob, **options)
        self._calls = calls

    def read(self, size: int | None = -1) -> bytes:
        """Read the next bytes.

        Raises
        ------
        ObjectNotFound
            The generation was replaced or removed meanwhile.
        """
        with self._calls():
            try:
                data: bytes = super().read(-1 if size is None else size)
            except NotFound as error:
                raise ObjectNotFound(
                    f"Object {self._blob.name!r} changed while it was being read."
                ) from error
        return data
