"""Marks of conditional writes in an object's metadata: they tell whether a write whose answer was lost was applied.

A write leaves its mark and the marks of the writes before it, with their generations, so that a writer finds its own
mark even under those of later writers.
"""

from google.cloud.storage import Blob

from football_assets.storage.bucket import ObjectInfo

MARKS = "football-writes"
"""Key of the metadata. Newest first; those before it as <mark>@<generation>."""
_KEPT_MARKS = 8


def marks_before(state: Blob) -> list[str]:
    """Return the marks of a state that a write over it keeps."""
    newest, *older = (state.metadata or {}).get(MARKS, "").split() or [""]
    return [f"{newest}@{state.generation}", *older][: _KEPT_MARKS - 1] if newest else []


def find_write(name: str, size: int, state: Blob, mark: str) -> ObjectInfo | None:
    """Return the object as the write with this mark left it; None if that was not among the last writes."""
    newest, *older = (state.metadata or {}).get(MARKS, "").split() or [""]
    if newest == mark:
        return ObjectInfo(name, str(state.generation), size, state.time_created)
    generation = next((entry.partition("@")[2] for entry in older if entry.startswith(f"{mark}@")), None)
    return ObjectInfo(name, generation, size, state.time_created) if generation else None
