"""Errors a person can act on: each message says what was wrong, where, and what to do, in one line."""

from collections.abc import Iterable


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
