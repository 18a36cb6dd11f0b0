"""The aliases of model versions: `production`, `candidate` and `previous`, one object changed by conditional write."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from football_assets.errors import ObjectNotFound, RegistryError, SignaturePolicyError, UpdateConflict
from football_assets.registry.manifest import to_json
from football_assets.storage.bucket import Bucket
from football_assets.storage.updates import update

ALIASES_OBJECT = "registry/aliases.json"
ALIASES = ("production", "candidate", "previous")


@dataclass(frozen=True)
class AliasState:
    """The version number of each alias (None: not set) and the versions that a rollback has withdrawn."""

    production: int | None = None
    candidate: int | None = None
    previous: int | None = None
    withdrawn: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check that every version is a number: it becomes part of object names.

        Raises
        ------
        TypeError
            A version is not a number.
        """
        for value in (self.production, self.candidate, self.previous, *self.withdrawn):
            if value is not None and (type(value) is not int or value < 1):
                raise TypeError(f"{value!r} is no version number")

    def numbers(self) -> dict[str, int]:
        """Return the aliases that are set, with their version numbers."""
        values = {name: getattr(self, name) for name in ALIASES}
        return {name: number for name, number in values.items() if number is not None}

    def with_alias(self, alias: str, number: int) -> "AliasState":
        """Set one alias."""
        return AliasState(**(asdict(self) | {alias: number}))

    def promoted(self, number: int) -> "AliasState":
        """Make a version production and the production version previous."""
        withdrawn = [other for other in self.withdrawn if other != number]
        previous = self.previous if self.production == number else self.production
        return replace(self, production=number, previous=previous, withdrawn=withdrawn)

    def rolled_back_to(self, number: int) -> "AliasState":
        """Make a version production, mark the production version as withdrawn and leave previous empty."""
        withdrawn = {other for other in (*self.withdrawn, self.production) if other is not None}
        return replace(self, production=number, previous=None, withdrawn=sorted(withdrawn - {number}))


class AliasStore:
    """The object that holds the aliases of a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def read(self) -> AliasState:
        """Read the aliases.

        Raises
        ------
        RegistryError
            The object is corrupt.
        """
        try:
            return self._parse(self._bucket.read(ALIASES_OBJECT))
        except ObjectNotFound:
            return AliasState()

    def change(self, change: Callable[[AliasState], AliasState]) -> None:
        """Apply a change by compare-and-swap; it is computed again when another process writes first.

        Raises
        ------
        RegistryError
            The object is corrupt, or other processes changed it during every attempt.
        """

        def rewrite(content: bytes | None) -> bytes | None:
            state = AliasState() if content is None else self._parse(content)
            changed = change(state)
            return None if changed == state else to_json(asdict(changed))

        try:
            update(self._bucket, ALIASES_OBJECT, rewrite)
        except UpdateConflict as error:
            raise RegistryError(str(error)) from error

    def change_while(self, check: Callable[[], object], change: Callable[[AliasState], AliasState]) -> None:
        """Change the aliases, and revert the change if a check that passed before fails afterwards.

        Parameters
        ----------
        check
            Raises RegistryError if the version that an alias gets does not exist.
        change
            Computes the aliases.

        Raises
        ------
        RegistryError
            The check has failed, or as `change`.
        SignaturePolicyError
            Signatures are verified, and this process cannot: raised by the check.
        """
        check()
        changed: list[tuple[AliasState, AliasState]] = []

        def remember(state: AliasState) -> AliasState:
            changed[:] = [(state, change(state))]
            return changed[0][1]

        self.change(remember)
        try:
            check()
        except (RegistryError, SignaturePolicyError):  # another process removed it, or the keys, meanwhile
            before, after = changed[0]
            self.change(lambda state: before if state == after else state)
            raise

    def _parse(self, content: bytes) -> AliasState:
        try:
            return AliasState(**json.loads(content))
        except (ValueError, TypeError, RecursionError) as error:
            raise RegistryError(
                f"{ALIASES_OBJECT} in {self._bucket.url} is corrupt ({error}): delete it and promote a version."
            ) from error
