"""What `raw_matches` was last read from, season by season. The raw assets write it; `new_results_sensor` compares it
with what has landed.

One object holds a digest of every season's landing objects, so that ten thousand of them are compared by one small
read. The digest covers the objects of the neighbouring seasons that are read beside a season's own. The record says
which run read a season: two readings of the same objects are two states.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from football_assets.errors import ObjectNotFound
from football_assets.raw.landing import Inventory, LandingObject, StrayObject
from football_assets.raw.neighbours import objects_to_read
from football_assets.storage.bucket import Bucket
from football_assets.storage.updates import update

RECORD = "landing/read.json"


@dataclass(frozen=True)
class SeasonObjects:
    """A season's landing objects: how many, and the digest of the names and versions of all that are read with it."""

    objects: int
    digest: str


@dataclass(frozen=True)
class SeasonRead:
    """The landing objects that a season's partition was made from, and the Dagster run that read them."""

    objects: int
    digest: str
    run_id: str


def _digest(states: Iterable[str]) -> str:
    return hashlib.blake2b("".join(states).encode(), digest_size=8).hexdigest()


NO_OBJECTS = SeasonObjects(0, _digest(()))


def landed_seasons(listed: Inventory) -> dict[str, SeasonObjects]:
    """The objects of every season that has any, those of no readable name among them."""
    strays: dict[str, list[StrayObject]] = defaultdict(list)
    for stray in listed.strays:
        if stray.season is not None:
            strays[stray.season].append(stray)
    found = {}
    for season, objects in objects_to_read(listed, listed.seasons).items():
        items: list[LandingObject | StrayObject] = [*objects, *strays[season]]
        states = sorted(f"{item.info.name}\0{item.info.version}\n" for item in items)
        found[season] = SeasonObjects(sum(item.season == season for item in items), _digest(states))
    return found


def last_read(bucket: Bucket) -> dict[str, SeasonRead]:
    """What every season was last read from; a season that never was is missing."""
    try:
        return _parse(bucket.read(RECORD))
    except ObjectNotFound:
        return {}


def _parse(record: bytes | None) -> dict[str, SeasonRead]:
    return {season: SeasonRead(**read) for season, read in json.loads(record or b"{}").items()}


def record_read(
    bucket: Bucket, seasons: Iterable[str], landed: Mapping[str, SeasonObjects], run_id: str
) -> None:
    """Record what seasons were read from, also while another process records others.

    Parameters
    ----------
    seasons
        Those that were read, with objects or without.
    landed
        The objects of all seasons as they were listed before the reading began.
    """
    read = {}
    for season in seasons:
        found = landed.get(season, NO_OBJECTS)
        read[season] = SeasonRead(found.objects, found.digest, run_id)

    def change(record: bytes | None) -> bytes:
        merged = _parse(record) | read
        return json.dumps({season: asdict(entry) for season, entry in sorted(merged.items())}).encode()

    update(bucket, RECORD, change)
