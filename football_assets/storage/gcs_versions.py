"""Restore objects of a bucket of Google Cloud Storage from the versions that object versioning keeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.api_core.exceptions import PreconditionFailed as ConditionNotMet
from google.api_core.retry import Retry
from google.cloud.storage import Blob, Bucket, Client


@dataclass(frozen=True)
class RestoredObject:
    """An object that was restored, or would be.

    Attributes
    ----------
    name
        Below the prefix of the bucket.
    size
        In bytes.
    written
        When the version was written.
    changed
        Whether another version is live now; False: the object was deleted.
    """

    name: str
    size: int
    written: datetime
    changed: bool


def restore_generations(
    client: Client, bucket: Bucket, prefix: str, at: datetime, retry: Retry, *, dry_run: bool
) -> Iterator[RestoredObject]:
    """Restore objects to the generations that were live at some time, one after another; yields each restored object.

    An object that did not exist at that time is not changed, nor is one that has the same content now. A generation is
    restored by copying it, so no generation is lost. After an interruption a second call restores the rest. An object
    that another process writes during the call is not restored.

    Parameters
    ----------
    prefix
        Start of the names of the objects, with its slash.
    at
        The time, with a UTC offset.
    retry
        Policy for transient errors.
    dry_run
        Only yield what would be restored.
    """
    # "true" is what the service documents; for True the client sends "True", which not every server understands.
    options: dict[str, Any] = {"versions": "true", "retry": retry}
    wanted: dict[str, Blob] = {}
    live: dict[str, Blob] = {}
    for version in client.list_blobs(bucket, prefix=prefix, **options):
        if version.time_deleted is None:
            live[version.name] = version
        if version.time_created <= at and (version.time_deleted is None or version.time_deleted > at):
            wanted[version.name] = version
    for name, version in sorted(wanted.items()):
        current = live.get(name)
        if current is not None and (current.crc32c, current.size) == (version.crc32c, version.size):
            continue
        if not dry_run:
            try:
                bucket.copy_blob(
                    version,
                    bucket,
                    name,
                    source_generation=version.generation,
                    if_generation_match=0 if current is None else current.generation,
                    retry=retry,
                )
            except ConditionNotMet:  # written by another process since it was listed
                continue
        yield RestoredObject(
            name.removeprefix(prefix), version.size, version.time_created, changed=current is not None
        )
