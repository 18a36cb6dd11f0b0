"""Update one object of a bucket while other processes update it, too: compare-and-swap with retries.

Every record that several processes write goes through `update`: model aliases, pointers of artifacts, read and landing
records, tables of the prediction log.
"""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from football_assets.errors import ObjectNotFound, PreconditionFailed, UpdateConflict
from football_assets.storage.bucket import Bucket, ObjectInfo, condition_of

UPDATE_ATTEMPTS = 100
_FIRST_WAIT_SECONDS = 0.01  # upper bound of the first random wait; it doubles with every attempt
_LONGEST_WAIT_SECONDS = 0.5

ContentChange = Callable[[bytes | None], bytes | None]
FileChange = Callable[[BinaryIO | None], Path | None]


class _Conflict(Exception):
    """Another process changed the object between this attempt's read and its write."""


def update(
    bucket: Bucket, name: str, change: ContentChange, *, attempts: int = UPDATE_ATTEMPTS
) -> ObjectInfo | None:
    """Replace an object's content by a function of it, atomically.

    One attempt reads the object's version, then its content, and writes under the condition that the version still
    stands. A rejected write starts the next attempt after a random wait whose bound grows exponentially (full jitter,
    at most 0.5 s), so that concurrent writers spread out.

    Parameters
    ----------
    change
        Computes the new content from the current one (None: there is no object). None as the result leaves the object
        as it is. It is called once an attempt, so it must have no effects that a second call would double. Its
        exceptions propagate and end the update.
    attempts
        Bound on the number of attempts.

    Returns
    -------
    ObjectInfo or None
        State of the object after the write; where nothing was written, the state that `change` accepted.

    Raises
    ------
    UpdateConflict
        Other processes changed the object during every attempt; nothing was written.
    """
    return _retry(bucket, name, lambda: _attempt(bucket, name, change), attempts)


def update_file(
    bucket: Bucket, name: str, change: FileChange, *, attempts: int = UPDATE_ATTEMPTS
) -> ObjectInfo | None:
    """Do as `update` with an object that is too large for memory: its content is read and written as a file.

    Parameters
    ----------
    change
        Reads the current content (None: there is no object) and returns the file that replaces it, or None to leave the
        object as it is. The file may be linked into the bucket: each call writes another one.

    Raises
    ------
    UpdateConflict
        Other processes changed the object during every attempt; nothing was written.
    """

    def attempt() -> ObjectInfo | None:
        state = bucket.stat(name)
        with ExitStack() as stack:
            try:
                current = None if state is None else stack.enter_context(bucket.open(name))
                changed = change(current)
            except ObjectNotFound as error:  # replaced or removed while it was read
                raise _Conflict from error
        if changed is None:
            return state
        try:
            return bucket.upload(changed, name, if_version=condition_of(state))
        except PreconditionFailed as error:
            raise _Conflict from error

    return _retry(bucket, name, attempt, attempts)


def _retry(
    bucket: Bucket, name: str, attempt: Callable[[], ObjectInfo | None], attempts: int
) -> ObjectInfo | None:
    retrying = Retrying(
        retry=retry_if_exception_type(_Conflict),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        reraise=True,
    )
    try:
        return retrying(attempt)
    except _Conflict as conflict:
        raise UpdateConflict(
            f"{name} in {bucket.url} could not be updated: other writers changed it during all {attempts} "
            "attempts. Try again later."
        ) from conflict.__cause__


def _attempt(bucket: Bucket, name: str, change: ContentChange) -> ObjectInfo | None:
    # A write between the two reads pairs newer content with an older version: the conditional write is rejected.
    state = bucket.stat(name)
    try:
        current = None if state is None else bucket.read(name)
    except ObjectNotFound as error:
        raise _Conflict from error
    changed = change(current)
    if changed is None:
        return state
    try:
        return bucket.write(name, changed, if_version=condition_of(state))
    except PreconditionFailed as error:
        raise _Conflict from error
