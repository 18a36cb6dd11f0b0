"""The aliases of model versions: `production`, `candidate` and `previous`, one object changed by conditional write."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from football_assets.errors import PreconditionFailed, RegistryError
from football_assets.registry.manifest import to_json
from football_assets.storage.bucket import ABSENT, Bucket

ALIASES_OBJECT = "registry/aliases.json"
ALIASES = ("production", "candidate", "previous")

_ATTEMPTS = 100
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class AliasState:
    """The version number of each alias (None: not set) and the versions that a rollback has withdrawn."""

    production: int | None = None
    candidate: int | None = None
    previous: int | None = None
    withdrawn: list[int] = field(default_factory=list)

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
        return self._read_with_generation()[0]

    def change(self, change: Callable[[AliasState], AliasState]) -> None:
        """Apply a change by compare-and-swap; it is computed again when another process writes first.

        Raises
        ------
        RegistryError
            The object is corrupt, or other processes write it all the time.
        """
        for _ in range(_ATTEMPTS):
            state, generation = self._read_with_generation()
            changed = change(state)
            if changed == state:
                return
            condition = ABSENT if generation is None else generation
            try:
                self._bucket.write(ALIASES_OBJECT, to_json(asdict(changed)), if_version=condition)
            except PreconditionFailed:
                time.sleep(random.uniform(0, _PAUSE_SECONDS))
            else:
                return
        raise RegistryError(f"{ALIASES_OBJECT} in {self._bucket.url} changes all the time: try again later.")

    def _read_with_generation(self) -> tuple[AliasState, str | None]:
        """Read the aliases and the generation of their object (None: there is no object)."""
        info = self._bucket.stat(ALIASES_OBJECT)
        if info is None:
            return AliasState(), None
        # A write between the two calls pairs newer aliases with an older generation: their change is rejected.
        text = self._bucket.read(ALIASES_OBJECT)
        try:
            return AliasState(**json.loads(text)), info.version
        except (ValueError, TypeError) as error:
            raise RegistryError(
                f"{ALIASES_OBJECT} in {self._bucket.url} is corrupt ({error}): delete it and promote a version."
            ) from error
