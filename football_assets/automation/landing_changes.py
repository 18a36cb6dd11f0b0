"""Find the countries whose landing objects differ from the record of the last read, and whether they still change.

States are compared instead of events counted. The record is in the bucket beside the tables, so a lost cursor loses no
change, and a run that a person launched counts like a run that the sensor requested.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from football_assets.raw.read_record import NO_OBJECTS, CountryObjects, CountryRead

MAX_UNSETTLED_TICKS = 6  # then the changes are read although more arrive; later ones are read by the next run


@dataclass(frozen=True)
class CountryChange:
    """A country whose landing objects are not those last read. `read` is None if the country was never read."""

    country: str
    read: CountryRead | None
    landed: CountryObjects

    def __str__(self) -> str:
        before = "never read" if self.read is None else f"{self.read.objects} when last read"
        return f"{self.country}: {self.landed.objects} objects, {before}"


def landing_changes(
    landed: Mapping[str, CountryObjects], read: Mapping[str, CountryRead]
) -> tuple[CountryChange, ...]:
    """Return the countries to read: with new, changed or deleted objects, in order."""
    found = (
        CountryChange(country, read.get(country), landed.get(country, NO_OBJECTS))
        for country in sorted(landed.keys() | read.keys())
    )
    return tuple(
        change for change in found if change.read is None or change.read.digest != change.landed.digest
    )


def event_of(changes: Sequence[CountryChange]) -> str:
    """Return the name of a state change: the states before it, each with the run that read it, and those after it.

    A file that is deleted and returns is therefore two events, and a third when it is deleted again.
    """
    states = [[asdict(change.read) if change.read else None, asdict(change.landed)] for change in changes]
    countries = [change.country for change in changes]
    return "landing-" + hashlib.blake2b(json.dumps([countries, states]).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Watch:
    """The sensor's cursor: the event that the last tick saw, and for how many ticks files have been arriving."""

    event: str = ""
    ticks: int = 0

    @classmethod
    def from_cursor(cls, cursor: str | None) -> "Watch":
        """Parse a cursor; the state of a sensor that has seen nothing if there is none, or a foreign one."""
        try:
            record = json.loads(cursor or "")
            return cls(str(record["event"]), int(record["ticks"]))
        except (ValueError, KeyError, TypeError):
            return cls()

    def next(self, event: str) -> "Watch":
        """Return the state after a tick that saw another event and waits."""
        return Watch(event, self.ticks + 1)

    def has_settled(self, event: str) -> bool:
        """Whether the event may be answered: the last tick saw the same, or changes have gone on for long enough."""
        return event == self.event or self.ticks + 1 >= MAX_UNSETTLED_TICKS

    def to_cursor(self) -> str:
        """Text that Dagster keeps until the next tick."""
        return json.dumps(asdict(self))
