"""Store the HTTP validators (ETag, Last-Modified) of landed files in `raw_sync/<source>.json` of the bucket.

They allow conditional requests. Without them every file is downloaded again.
"""

from contextlib import suppress

from pydantic import BaseModel, ValidationError

from football_assets.errors import ObjectNotFound, UpdateConflict
from football_assets.raw.sync.fetching import Validators
from football_assets.storage.bucket import Bucket, ObjectInfo
from football_assets.storage.updates import update

PREFIX = "raw_sync/"
_ATTEMPTS = 10  # some three seconds of waiting at most: what is at stake is a download


class Landed(BaseModel):
    """URL and validators of a landing object. `version` is that of the object when it was compared."""

    url: str
    version: str
    etag: str | None = None
    last_modified: str | None = None


class LandedFiles(BaseModel):
    """Entries by the name of their landing object."""

    files: dict[str, Landed] = {}

    def validators(self, url: str, landed: ObjectInfo | None) -> Validators | None:
        """Return the validators of a landing object if URL and version are those of its entry."""
        entry = self.files.get(landed.name) if landed is not None else None
        if landed is None or entry is None or (entry.url, entry.version) != (url, landed.version):
            return None
        return Validators(entry.etag, entry.last_modified)


def load(bucket: Bucket, source: str) -> LandedFiles:
    """Load the entries of a source. A missing or malformed object has none."""
    try:
        return _parse(bucket.read(_object_name(source)))
    except ObjectNotFound:
        return LandedFiles()


def save(bucket: Bucket, source: str, entries: dict[str, Landed]) -> None:
    """Add entries by compare-and-swap. After too many conflicts nothing is saved, which costs a download only."""

    def change(record: bytes | None) -> bytes | None:
        known = _parse(record)
        changed = LandedFiles(files=known.files | entries)
        if changed == known:
            return None
        return changed.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"

    with suppress(UpdateConflict):
        update(bucket, _object_name(source), change, attempts=_ATTEMPTS)


def _parse(record: bytes | None) -> LandedFiles:
    try:
        return LandedFiles.model_validate_json(record or b"{}")
    except ValidationError:
        return LandedFiles()


def _object_name(source: str) -> str:
    return f"{PREFIX}{source}.json"
