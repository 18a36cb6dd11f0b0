"""The record of the landing objects that `raw_matches` was last read from, per country.

The raw assets write the record; `new_results_sensor` compares it with what has landed. One object holds a digest of the
landing objects of every country, so ten thousand landing objects are compared with one small read. The record holds the
id of the run that read a country, so two runs that read the same objects are two states.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

from football_assets.domain.seasons import parse_season
from football_assets.errors import ObjectNotFound
from football_assets.raw.countries import by_country_of
from football_assets.raw.landing import Inventory
from football_assets.storage.bucket import Bucket
from football_assets.storage.updates import update

RECORD = "landing/read.json"


@dataclass(frozen=True)
class CountryObjects:
    """The landing objects of a country: their number, and the digest of their names and versions."""

    objects: int
    digest: str


@dataclass(frozen=True)
class CountryRead:
    """The landing objects that a country's partition was read from, and the Dagster run that read them."""

    objects: int
    digest: str
    run_id: str


def _digest(states: Iterable[str]) -> str:
    return hashlib.blake2b("".join(states).encode(), digest_size=8).hexdigest()


NO_OBJECTS = CountryObjects(0, _digest(()))


def country_states(listed: Inventory) -> dict[str, CountryObjects]:
    """Return the state of the objects of every country that has any, those of no readable name among them."""
    return {
        country: CountryObjects(
            len(items), _digest(sorted(f"{item.info.name}\0{item.info.version}\n" for item in items))
        )
        for country, items in by_country_of(listed).items()
    }


def last_read(bucket: Bucket) -> dict[str, CountryRead]:
    """Return what every country was last read from; a country that never was is missing.

    Entries of earlier versions, which recorded seasons, are ignored, and so is what cannot be parsed: its countries are
    read again, and the record is replaced.
    """
    try:
        return _parse(bucket.read(RECORD))
    except ObjectNotFound:
        return {}


def _parse(record: bytes | None) -> dict[str, CountryRead]:
    try:
        entries = json.loads(record or b"{}").items()
    except (ValueError, AttributeError, RecursionError):
        return {}
    found = {}
    for key, read in entries:
        if parse_season(key) is None:
            with suppress(KeyError, TypeError):
                found[key] = CountryRead(read["objects"], read["digest"], read["run_id"])
    return found


def record_read(
    bucket: Bucket, countries: Iterable[str], landed: Mapping[str, CountryObjects], run_id: str
) -> None:
    """Record what countries were read from, also while another process records others.

    Parameters
    ----------
    countries
        Those that were read, with objects or without.
    landed
        The objects of all countries as they were listed before the reading began.
    """
    read = {}
    for country in countries:
        found = landed.get(country, NO_OBJECTS)
        read[country] = CountryRead(found.objects, found.digest, run_id)

    def change(record: bytes | None) -> bytes:
        merged = _parse(record) | read
        return json.dumps({country: asdict(entry) for country, entry in sorted(merged.items())}).encode()

    update(bucket, RECORD, change)
