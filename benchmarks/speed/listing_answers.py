"""Answer requests of Google Cloud Storage's `objects.list` from a sorted list, fast for any number of objects.

The server of the tests reads the names of all its objects for every page, which would dominate with 100,000 objects.
"""

import json
from bisect import bisect_left
from collections.abc import Sequence

from football_assets_tests.builders.gcs_server import Answer, Request

PAGE = 1000
_AFTER_ALL = "\U0010ffff"


class ListingAnswers:
    """Pages of objects, all of the same size and time.

    Parameters
    ----------
    names
        Names of the objects, in any order.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = sorted(names)
        self.requests = 0

    def answer(self, request: Request) -> Answer:
        """Answer a request with prefix, delimiter, offsets, page size and token."""
        self.requests += 1
        query = {name: values[0] for name, values in request.query.items()}
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        size = min(PAGE, int(query.get("maxResults", PAGE)))
        first = max(prefix, query.get("startOffset", ""), query.get("pageToken", ""))
        last = min(prefix + _AFTER_ALL, query.get("endOffset") or _AFTER_ALL)
        place, end = bisect_left(self._names, first), bisect_left(self._names, last)
        found: list[str] = []
        folders: list[str] = []
        while place < end and len(found) + len(folders) < size:
            name = self._names[place]
            inner, below, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
            if below:
                folders.append(f"{prefix}{inner}{delimiter}")
                place = bisect_left(self._names, folders[-1] + _AFTER_ALL)
            else:
                found.append(name)
                place += 1
        page = {"kind": "storage#objects", "prefixes": folders, "items": [_object(name) for name in found]}
        if place < end:
            page["nextPageToken"] = self._names[place]
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(page).encode())


def _object(name: str) -> dict[str, str]:
    return {"name": name, "generation": "1", "size": "66", "timeCreated": "2026-01-01T00:00:00.000Z"}
