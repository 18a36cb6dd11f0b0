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
└── ExportError
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

LITTLE_SPACE_BYTES = 1 << 20  # a disk with less is taken for full where an error names no file
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EROFS, errno.EACCES, errno.EPERM}
_NO_SPACE = " Free space on that disk, or name a place on another one."
_NO_PERMISSION = " Change the permissions, or name another place."


class FootballError(Exception):
    """Base class of every error this project raises on purpose."""


class BucketError(FootballError):
    """The object store could not be used."""


class ObjectNotFound(BucketError):
    """An object that was asked for does not exist."""


class UnreadableObject(BucketError):
    """One object of a local bucket cannot be read; others can. `reason` says why, without the object's name."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class PreconditionFailed(BucketError):
    """A conditional write met an object in another version than the caller expected."""


class UpdateConflict(PreconditionFailed):
    """Other processes changed an object during every attempt to update it."""


class LandingError(FootballError):
    """A file cannot be landed."""


class UnknownName(FootballError):
    """A name that no landed result mentions. `suggestions` holds the nearest known ones, the best first."""

    def __init__(self, message: str, suggestions: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = list(suggestions)


class UnknownLeague(UnknownName):
    """A league that no landed result mentions."""


class UnknownTeam(UnknownName):
    """A team that no landed result of the league mentions."""


class NotEnoughData(FootballError):
    """Too few matches for what was asked."""


class RegistryError(FootballError):
    """A model version or alias is missing, incomplete or corrupt."""


class ExportError(FootballError):
    """A trained network could not be exported faithfully."""


def is_utf8(name: str) -> bool:
    """Whether a file's name can be written as UTF-8: Python reads other bytes of a name as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str | os.PathLike[str]) -> str:
    """A file's name with `\\xNN` in the place of every byte that is not UTF-8, which no other text may hold.

    >>> printable("K\\udcf6ln.csv") == r"K\\xf6ln.csv"
    True
    """
    text = os.fspath(name)
    return text if is_utf8(text) else os.fsencode(text).decode("utf-8", "backslashreplace")


def reason_of(error: OSError) -> str:
    """The operating system's own words, without number and file."""
    return error.strerror or " ".join(str(error).split()) or type(error).__name__


def advice_for(error: OSError) -> str:
    """What to do about a full disk or a missing permission, with a blank before it; nothing for other errors."""
    if error.errno in _FULL:
        return _NO_SPACE
    return _NO_PERMISSION if error.errno in _NOT_ALLOWED else ""


def explain(error: BaseException, folders: Iterable[Path]) -> str | None:
    """One line for an error that the machine caused, at any depth of its causes; None for a fault of the program.

    Parameters
    ----------
    folders
        Where the command writes. SQLite, and some errors of the operating system, name no file: the folder whose disk
        is full or read-only is named instead.
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
    """The file that an error names, else the folder that cannot be written to, else standard output."""
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
    """The first folder that nothing can be written to, and why."""
    for folder in folders:
        existing = next((path for path in (folder, *folder.absolute().parents) if path.is_dir()), Path("/"))
        if shutil.disk_usage(existing).free < LITTLE_SPACE_BYTES:
            return f"the disk of {folder} is full"
        if not os.access(existing, os.W_OK):
            return f"{folder} cannot be written to"
    return None
