"""List many objects of Google Cloud Storage: ranges of names in parallel, since each page waits for the one before.

The service returns at most 1,000 objects per page, and each page has the token of the next one. After the first ten
pages, the rest of a listing is divided at the folders below its prefix into ranges of names, which several threads list
in parallel.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Event
from typing import Protocol, TypeVar

from google.api_core.page_iterator import HTTPIterator
from google.cloud.storage import Blob

_PAGES_IN_SEQUENCE = 10  # fewer are faster one after another than the requests for the cuts
_RANGES = 32
_THREADS = 8  # the client keeps ten connections
_DEPTH = 3  # levels of folders that are read for the cuts
_DELIMITER = "/"

Listed = TypeVar("Listed")


class ListRequest(Protocol):
    """`Client.list_blobs` of one bucket, with its page size, retry and timeout."""

    def __call__(
        self,
        *,
        prefix: str,
        delimiter: str | None = None,
        start_offset: str | None = None,
        end_offset: str | None = None,
    ) -> HTTPIterator:
        """List the objects with the prefix, from `start_offset` to before `end_offset`."""
        ...


def list_in_ranges(
    request: ListRequest, prefix: str, convert: Callable[[Blob], Listed | None]
) -> Iterator[Listed]:
    """List the objects whose name starts with the prefix, in order of name.

    Each of the first ten pages is requested when it is needed. The ranges after them are requested in parallel and held
    in memory as converted objects.

    Parameters
    ----------
    convert
        Converts an object to the value that is yielded; None leaves the object out.
    """
    listing = request(prefix=prefix)
    last = ""
    for page in islice(listing.pages, _PAGES_IN_SEQUENCE):
        for blob in page:
            last = blob.name
            if (item := convert(blob)) is not None:
                yield item
    if not listing.next_page_token:
        return
    is_over = Event()

    def list_range(start: str, end: str | None) -> list[Listed]:
        found = []
        for page in request(prefix=prefix, start_offset=start, end_offset=end).pages:
            if is_over.is_set():
                break
            found += [item for blob in page if blob.name != last and (item := convert(blob)) is not None]
        return found

    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="list-objects")
    try:
        cuts = _spread([folder for folder in _folders(request, prefix, executor) if folder > last])
        bounds = zip((last, *cuts), (*cuts, None), strict=True)
        ranges = deque(executor.submit(list_range, start, end) for start, end in bounds)
        while ranges:
            yield from ranges.popleft().result()
    finally:  # also when the caller stops early: a thread ends with its page
        is_over.set()
        executor.shutdown(cancel_futures=True)


def _folders(request: ListRequest, prefix: str, executor: ThreadPoolExecutor) -> list[str]:
    """Return folders below the prefix in order of name, from the first level with enough of them for all ranges."""
    folders = _subfolders(request, prefix)
    for _ in range(_DEPTH - 1):
        if not 0 < len(folders) < _RANGES:
            break
        below = [
            folder
            for found in executor.map(lambda folder: _subfolders(request, folder), folders)
            for folder in found
        ]
        if len(below) <= len(folders):
            break
        folders = below
    return folders


def _subfolders(request: ListRequest, prefix: str) -> list[str]:
    """Return the folders directly below the prefix, up to the first page that has objects too.

    Objects between the folders fill the pages: reading all of them would cost as much as the listing itself.
    """
    listing = request(prefix=prefix, delimiter=_DELIMITER)
    for page in listing.pages:
        if page.num_items:
            break
    return sorted(listing.prefixes)  # type: ignore[attr-defined]  # which `list_blobs` adds


def _spread(folders: Sequence[str]) -> list[str]:
    """Choose at most `_RANGES - 1` of the folders, evenly spaced."""
    count = min(len(folders), _RANGES - 1)
    return [folders[number * len(folders) // count] for number in range(count)]
