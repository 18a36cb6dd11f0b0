"""Landing objects: `raw/<source>/<season>/<league>.<json|csv>` in the bucket. `land` puts files there;
`inventory` lists them.

The command line and the demo call `land`; `matches.py`, the assets and sensors read the inventory.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from football_assets.bucket import Bucket, ObjectInfo, UnusableFile
from football_assets.errors import LandingError, UnknownLeague
from football_assets.leagues import League, league_of
from football_assets.raw.competition import is_of_competition, rebuild_folder
from football_assets.raw.folder_files import files_below
from football_assets.raw.formats import READERS, sniff
from football_assets.raw.formats.openfootball import load_document
from football_assets.raw.formats.reading import UnreadableFile
from football_assets.raw.rebuilding import UNPLACED
from football_assets.raw.seasons import parse_season, season_in_title

RAW = "raw/"
KAGGLE = "kaggle"
"""The source of what is rebuilt from the wide files of the Kaggle competition."""
_UNPLACED = League(UNPLACED, "", None, False, "Records without a league")
_CLOCK_STEP_SECONDS = 0.005
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class LandingObject:
    """One object of results and what its name says."""

    info: ObjectInfo
    source: str
    season: str
    league: League
    extension: str


@dataclass(frozen=True)
class StrayObject:
    """An object under `raw/` whose name says no season, league or format, or a file or folder that cannot be read.

    `season` is known for some.
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
        """Seasons with any object, in order."""
        known = {item.season for item in self.objects} | {item.season for item in self.strays if item.season}
        return sorted(known)


def inventory(bucket: Bucket) -> Inventory:
    """List the landing objects."""
    unusable: list[UnusableFile] = []
    placed = [place_object(info) for info in bucket.list(RAW, on_unusable=unusable.append)]
    placed += [_stray_of(file) for file in unusable]
    return Inventory(
        objects=tuple(item for item in placed if isinstance(item, LandingObject)),
        strays=tuple(item for item in placed if isinstance(item, StrayObject)),
    )


def _stray_of(file: UnusableFile) -> StrayObject:
    """A file or folder that cannot be read, in the season of the nearest folder. Its version is the reason."""
    path = PurePosixPath(file.name.removeprefix(RAW))
    folders = [path, *path.parents] if file.is_folder else path.parents
    season = next((label for folder in folders if (label := parse_season(folder.name))), None)
    return StrayObject(ObjectInfo(file.name, file.reason, 0, _NEVER), season, file.reason)


def place_object(info: ObjectInfo) -> LandingObject | StrayObject:
    """Read source, season, league and format off an object's name."""
    path = PurePosixPath(info.name.removeprefix(RAW))
    season = parse_season(path.parent.name)
    if season is None:
        return StrayObject(info, None, "Its folder is no season like 2015-16 or 2015.")
    stem, _, extension = path.name.rpartition(".")
    if extension.lower() not in READERS:
        return StrayObject(info, season, "The object's name ends in neither .json nor .csv.")
    try:
        league = _UNPLACED if stem == UNPLACED else league_of(stem)
    except UnknownLeague as error:
        return StrayObject(info, season, str(error))
    return LandingObject(info, path.parent.parent.as_posix(), season, league, extension.lower())


@dataclass(frozen=True)
class LandedFile:
    """A file in its place. `is_changed`: the object was written; `problem`: why no match of it will be read."""

    path: Path
    object_name: str
    season: str
    league_id: str
    is_changed: bool
    problem: str | None


@dataclass(frozen=True)
class SkippedFile:
    """A file that was left where it is."""

    path: Path
    reason: str


@dataclass(frozen=True)
class LandingResult:
    """What became of every file."""

    landed: tuple[LandedFile, ...]
    skipped: tuple[SkippedFile, ...]

    @property
    def objects(self) -> list[str]:
        """Names of the landing objects, in the order of landing."""
        return [item.object_name for item in self.landed]

    @property
    def seasons(self) -> list[str]:
        """Seasons of the landed files, in order."""
        return sorted({item.season for item in self.landed})

    @property
    def problems(self) -> list[LandedFile]:
        """Landed files of which no match will be read."""
        return [item for item in self.landed if item.problem]


@dataclass(frozen=True)
class _Plan:
    path: Path
    data: bytes
    source: str
    season: str
    league_id: str
    extension: str
    problem: str | None


class _NotLandable(Exception):
    """A file cannot be placed; the message is the reason."""


def land(bucket: Bucket, paths: Sequence[Path | str]) -> LandingResult:
    """Copy files of results into the bucket.

    Paths are landed in the order given, the files of a folder in order of their modification time, then name:
    the tables do not depend on that order. The season is the name of the folder that
    holds a file, else the end of a JSON's name (`English Premier League 2015/16`); the league is the file's
    name. The source is the name of the folder that holds the seasons, so that landing a folder again updates
    its objects and two folders stand side by side. A file that is in its place unchanged is not written
    again. A file that cannot be read is landed if it has a place: `raw_matches_rejected` then says what is
    wrong with it. Hidden folders are not entered.

    The wide files of the Kaggle competition span seasons and leagues. What `rebuilding.rebuild` makes of those in one
    folder, with the scores beside them, lands instead, by season and league.

    Parameters
    ----------
    paths
        Files or folders.

    Raises
    ------
    LandingError
        A path does not exist, or no file of results is among the paths. Nothing was written.
    """
    plans: list[_Plan] = []
    skipped: list[SkippedFile] = []
    competition: dict[Path, list[Path]] = {}  # files of the Kaggle competition by folder
    for path in map(Path, paths):
        files, unread = files_below(path)
        skipped += [SkippedFile(file, reason) for file, reason in unread]
        for file in files:
            try:
                if is_of_competition(file):
                    competition.setdefault(file.parent, []).append(file)
                else:
                    plans.append(_plan(file, path))
            except _NotLandable as error:
                skipped.append(SkippedFile(file, str(error)))
    for files in competition.values():
        rebuilt = rebuild_folder(files)
        plans += [
            _Plan(file, made.data, KAGGLE, made.season, made.league_id, "csv", None)
            for file, made in rebuilt.made
        ]
        skipped += [SkippedFile(file, reason) for file, reason in rebuilt.left]
    if not any(plan.problem is None for plan in plans):
        raise LandingError(_nothing_to_land(paths, plans, skipped))
    return LandingResult(tuple(_write(bucket, plans)), tuple(skipped))


def _plan(file: Path, given: Path) -> _Plan:
    name, extension = file.stem, file.suffix.lower().removeprefix(".")
    if file.name.lower().endswith(".clubs.json"):
        raise _NotLandable("The file lists clubs, not matches.")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _NotLandable(f"The file cannot be opened: {error.strerror}.") from error
    problem = None
    try:
        extension = sniff(data)
    except UnreadableFile as error:
        if extension not in READERS:
            raise _NotLandable("The file holds no results in JSON or CSV.") from error
        problem = str(error)
    try:
        league = league_of(name)
    except UnknownLeague as error:
        raise _NotLandable(f"The file's name is no league: {error} Rename it.") from error
    season, source = _season_and_source(file.resolve(), given.resolve())
    if season is None and extension == "json" and problem is None:
        title = load_document(data).get("name")
        season = season_in_title(title) if isinstance(title, str) else None
    if season is None:
        raise _NotLandable(
            "Its season is not known: put it into a folder named after the season, like 2015-16/ or 2015/."
        )
    return _Plan(file, data, source, season, league.league_id, extension, problem)


def _season_and_source(file: Path, given: Path) -> tuple[str | None, str]:
    """The nearest season folder above a file, up to the path that was given, and the name of the folder above it."""
    highest = given if given.is_dir() else given.parent
    for folder in file.parents:
        season = parse_season(folder.name)
        if season is not None:
            return season, _slug(folder.parent.name)
        if folder == highest:
            break
    return None, _slug(highest.name)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-.") or "landed"


def _write(bucket: Bucket, plans: Sequence[_Plan]) -> Iterator[LandedFile]:
    """Write what changed. Objects of one league and season get times in the order of the plans."""
    contents: dict[str, bytes] = {}
    written: dict[tuple[str, str], ObjectInfo] = {}
    for plan in plans:
        name = _free_name(plan, contents)
        is_changed = _is_changed(bucket, name, plan.data) or (plan.season, plan.league_id) in written
        if is_changed and name not in contents:
            info = bucket.write(name, plan.data)
            earlier = written.get((plan.season, plan.league_id))
            while (
                earlier is not None and info.updated <= earlier.updated
            ):  # a file system's clock may stand still
                time.sleep(_CLOCK_STEP_SECONDS)
                info = bucket.write(name, plan.data)
            written[plan.season, plan.league_id] = info
        contents[name] = plan.data
        yield LandedFile(plan.path, name, plan.season, plan.league_id, is_changed, plan.problem)


def _free_name(plan: _Plan, contents: dict[str, bytes]) -> str:
    """The object's name. Two different files of one landing never share one: folders of equal name are numbered."""
    number = 1
    while True:
        source = plan.source if number == 1 else f"{plan.source}-{number}"
        name = f"{RAW}{source}/{plan.season}/{plan.league_id}.{plan.extension}"
        if contents.get(name, plan.data) == plan.data:
            return name
        number += 1


def _is_changed(bucket: Bucket, name: str, data: bytes) -> bool:
    info = bucket.stat(name)
    return info is None or info.size != len(data) or bucket.read(name) != data


def _nothing_to_land(
    paths: Sequence[Path | str], plans: Sequence[_Plan], skipped: Sequence[SkippedFile]
) -> str:
    reasons = [f"{plan.path}: {plan.problem}" for plan in plans] + [
        f"{item.path}: {item.reason}" for item in skipped
    ]
    where = ", ".join(str(path) for path in paths)
    if not reasons:
        return f"There are no files in {where}: name a folder of season folders, like 2015-16/eng.1.csv."
    more = f" ({len(reasons) - 1} more files without results)" if len(reasons) > 1 else ""
    return f"Nothing to land. {reasons[0]}{more}"
