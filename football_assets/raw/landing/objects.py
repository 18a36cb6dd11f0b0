"""List the landing objects `raw/<source>/<season>/<league>.<json|csv>` of a bucket and parse their names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from football_assets.domain.leagues import League, league_of
from football_assets.domain.seasons import parse_season
from football_assets.errors import UnknownLeague
from football_assets.raw.formats.reader import EXTENSIONS
from football_assets.raw.kaggle.result_files import UNPLACED
from football_assets.storage.bucket import Bucket, ObjectInfo, UnusableFile

RAW = "raw/"
_UNPLACED = League(UNPLACED, "", None, False, "Records without a league")
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class LandingObject:
    """One object of results, with source, season, league and format parsed from its name."""

    info: ObjectInfo
    source: str
    season: str
    league: League
    extension: str


def in_order(objects: Iterable[LandingObject]) -> list[LandingObject]:
    """Sort objects by precedence: by source, then name.

    By name alone `raw/data-2/…`, a copy that landed later, would precede `raw/data/…`.
    """
    return sorted(objects, key=lambda item: (item.source, item.info.name))


@dataclass(frozen=True)
class StrayObject:
    """An object under `raw/` whose name lacks season, league or format, or an unreadable file or folder.

    `season` is None where the folder names none.
    """

    info: ObjectInfo
    season: str | None
    reason: str


@dataclass(frozen=True)
class Inventory:
    """All objects under `raw/`."""

    objects: tuple[LandingObject, ...]
    strays: tuple[StrayObject, ...]

    @property
    def seasons(self) -> list[str]:
        """Return the seasons with any object, in order."""
        known = {item.season for item in self.objects} | {item.season for item in self.strays if item.season}
        return sorted(known)


def inventory(bucket: Bucket) -> Inventory:
    """List the landing objects."""
    unusable: list[UnusableFile] = []
    placed = [parse_object_name(info) for info in bucket.list(RAW, on_unusable=unusable.append)]
    placed += [_stray_of(file) for file in unusable]
    return Inventory(
        objects=tuple(item for item in placed if isinstance(item, LandingObject)),
        strays=tuple(item for item in placed if isinstance(item, StrayObject)),
    )


def _stray_of(file: UnusableFile) -> StrayObject:
    """Convert an unreadable file or folder to a stray in the season of the nearest folder.

    The reason is used as the version, so that a change of the reason is a change of the object.
    """
    path = PurePosixPath(file.name.removeprefix(RAW))
    folders = [path, *path.parents] if file.is_folder else path.parents
    season = next((label for folder in folders if (label := parse_season(folder.name))), None)
    return StrayObject(ObjectInfo(file.name, file.reason, 0, _NEVER), season, file.reason)


def parse_object_name(info: ObjectInfo) -> LandingObject | StrayObject:
    """Parse source, season, league and format from the name of an object."""
    folder, _, file = info.name.removeprefix(RAW).rpartition("/")
    source, _, season_name = folder.rpartition("/")
    season = parse_season(season_name)
    if season is None:
        return StrayObject(info, None, "Its folder is not a season like 2015-16 or 2015.")
    stem, _, extension = file.rpartition(".")
    if extension.lower() not in EXTENSIONS:
        return StrayObject(info, season, "The object's name ends in neither .json nor .csv.")
    try:
        league = _UNPLACED if stem == UNPLACED else league_of(stem)
    except UnknownLeague as error:
        return StrayObject(info, season, str(error))
    return LandingObject(info, source or ".", season, league, extension.lower())
