"""Every error class of the project, and the messages for errors of the operating system.

Each message is one line: what is wrong, where, and what to do.

FootballError
├── BucketError
│   ├── ObjectNotFound
│   ├── UnreadableObject
│   └── PreconditionFailed
│       └── UpdateConflict
├── LandingError
├── UnknownName
│   ├── UnknownLeague
│   └── UnknownTeam
├── NotEnoughData
├── RegistryError
│   └── SignatureError
├── SignaturePolicyError
└── ExportError
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

LITTLE_SPACE_BYTES = 1 << 20  # a disk with less counts as full where an error names no file
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EROFS, errno.EACCES, errno.EPERM}
_NO_SPACE = " Free space on that disk, or name a place on another one."
_NO_PERMISSION = " Change the permissions, or name another place."


class FootballError(Exception):
    """Base class of every error this project raises on purpose."""


class BucketError(FootballError):
    """The object store rejected an operation or is unreachable."""


class ObjectNotFound(BucketError):
    """The requested object does not exist."""


class UnreadableObject(BucketError):
    """One object of a local bucket cannot be read; others can.

    Attributes
    ----------
    reason
        Why, without the object's name.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class PreconditionFailed(BucketError):
    """A conditional write found another version of the object than the caller expected."""


class UpdateConflict(PreconditionFailed):
    """Other processes changed an object during every attempt to update it."""


class LandingError(FootballError):
    """A file cannot be landed."""


class UnknownName(FootballError):
    """A name that occurs in no landed result.

    Attributes
    ----------
    suggestions
        The most similar known names, the best first.
    field
        What the name was given for: `league`, `team`, or `home_team` and `away_team` of a fixture.
    """

    field: str

    def __init__(self, message: str, suggestions: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = list(suggestions)


class UnknownLeague(UnknownName):
    """A league that occurs in no landed result."""

    field = "league"


class UnknownTeam(UnknownName):
    """A team that occurs in no landed result of the league."""

    field = "team"


class NotEnoughData(FootballError):
    """There are too few matches for the operation."""


class RegistryError(FootballError):
    """A model version or alias is missing, incomplete or corrupt."""


class SignatureError(RegistryError):
    """A model version has no signature by an accepted signer."""


class SignaturePolicyError(FootballError):
    """The process can sign or verify no version: a setting, a key, model-signing or Sigstore cannot be used.

    It says nothing about a model version. So it is no RegistryError, for which callers skip or reject a version.
    """


class ExportError(FootballError):
    """A trained network could not be exported, or its export differs from it."""


def is_utf8(name: str) -> bool:
    """Tell whether a file's name can be encoded as UTF-8; Python decodes its other bytes to lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str | os.PathLike[str]) -> str:
    r"""Return a file's name with `\xNN` instead of every byte that is not UTF-8.

    >>> printable("K\udcf6ln.csv") == r"K\xf6ln.csv"
    True
    """
    text = os.fspath(name)
    return text if is_utf8(text) else os.fsencode(text).decode("utf-8", "backslashreplace")


def reason_of(error: OSError) -> str:
    """Return the operating system's message, without error number and file name."""
    return error.strerror or " ".join(str(error).split()) or type(error).__name__


def advice_for(error: OSError) -> str:
    """Return what to do about a full disk or a missing permission, after a blank; an empty string for other errors."""
    if error.errno in _FULL:
        return _NO_SPACE
    return _NO_PERMISSION if error.errno in _NOT_ALLOWED else ""


def explain(error: BaseException, folders: Iterable[Path]) -> str | None:
    """Describe in one line an error of the machine, such as a full disk; None for a fault of the program.

    The causes of the error are searched too.

    Parameters
    ----------
    folders
        Folders that the command writes to. Errors of SQLite and some of the operating system have no file name: the
        first folder whose disk is full or read-only is reported instead.
    """
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return f"{_place_of(cause, folders)}: {reason_of(cause)}.{advice_for(cause)}"
        if isinstance(cause, sqlite3.OperationalError):
            place = _unwritable(folders)
            why = f" ({place}): free space or change permissions, or name another home" if place else ""
            return f"Dagster's storage cannot be used: {cause}{why}."
        if isinstance(cause, MemoryError):
            return "There is not enough memory."
    return None


def _place_of(error: OSError, folders: Iterable[Path]) -> str:
    """Return the file of an error, else the folder that cannot be written to, else standard output."""
    if isinstance(error.filename, (str, os.PathLike)):
        return printable(error.filename)
    if error.errno in _FULL | _NOT_ALLOWED:
        return _unwritable(folders) or "Standard output"
    return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__


def _unwritable(folders: Iterable[Path]) -> str | None:
    """Find the first folder that cannot be written to; returns it with the reason."""
    for folder in folders:
        existing = next((path for path in (folder, *folder.absolute().parents) if path.is_dir()), Path("/"))
        if shutil.disk_usage(existing).free < LITTLE_SPACE_BYTES:
            return f"the disk of {folder} is full"
        if not os.access(existing, os.W_OK):
            return f"{folder} cannot be written to"
    return None
