"""Plan the landing of files: detect their format, and derive season, league and source of their objects."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from football_assets.domain.leagues import league_of
from football_assets.domain.seasons import parse_season, season_in_title
from football_assets.errors import UnknownLeague, reason_of
from football_assets.raw.formats.csv_table import CsvTable, read_csv_table
from football_assets.raw.formats.divisions import check_division
from football_assets.raw.formats.openfootball import load_document
from football_assets.raw.formats.reader import EXTENSIONS, detect_format
from football_assets.raw.formats.records import UnreadableFile, WrongDivision
from football_assets.raw.kaggle.competition import is_of_competition, rebuild_folder
from football_assets.raw.landing.file_summaries import Candidate
from football_assets.raw.landing.local_files import absolute_path, list_files
from football_assets.raw.landing.splitting import (
    competitions_left_out,
    names_no_division,
    spans_leagues,
    split_by_season_and_league,
)
from football_assets.raw.landing.year_folders import is_short_season, season_of_year_folder

KAGGLE = "kaggle"
"""Source of the files that are rebuilt from the Kaggle competition."""

_COMPRESSED = ("gz", "xz", "bz2", "zst", "zip", "7z", "rar", "tar", "tgz")
_OF_TABLES = (
    "txt",
    "tsv",
    "tab",
    "dat",
    "xls",
    "xlsx",
    "xlsm",
    "xlsb",
    "ods",
    "parquet",
    "sqlite",
    "db",
    "htm",
    "html",
)
"""Extensions of files that were probably intended as results."""
NO_RESULTS = "The file holds no results in JSON or CSV."


@dataclass(frozen=True)
class LandingPlan:
    """A file, or a part of one, and the season, league and source of its landing object.

    `problem`: why the file cannot be read, None if it can. `lines`: for a part, the line number in the whole file of
    each line of `data`; None for a header.
    """

    path: Path
    data: bytes
    source: str
    season: str
    league_id: str
    extension: str
    problem: str | None = None
    lines: tuple[int | None, ...] | None = None

    @property
    def candidate(self) -> Candidate:
        """Return the content to be validated."""
        return Candidate(self.data, self.extension, self.season, self.league_id)


@dataclass(frozen=True)
class SkippedFile:
    """A file that does not land. `is_wrong`: its content contradicts its name."""

    path: Path
    reason: str
    is_wrong: bool = False


class _NotLandable(Exception):
    """A file has no landing object; the message is the reason."""


def plan_landing(paths: Sequence[Path]) -> tuple[list[LandingPlan], list[SkippedFile]]:
    """Plan the objects of files and folders, in the order in which they land, and list the skipped files.

    Raises
    ------
    LandingError
        A path does not exist, or can be neither read nor listed.
    """
    plans: list[LandingPlan] = []
    skipped: list[SkippedFile] = []
    competition: dict[Path, list[Path]] = {}  # files of the Kaggle competition by folder
    for path in paths:
        files, unread = list_files(path)
        skipped += [SkippedFile(file, reason) for file, reason in unread]
        for file in files:
            try:
                if is_of_competition(file):
                    competition.setdefault(file.parent, []).append(file)
                else:
                    for found in _plans(file, path):
                        if isinstance(found, SkippedFile):
                            skipped.append(found)
                        else:
                            plans.append(found)
            except WrongDivision as error:
                skipped.append(SkippedFile(file, str(error), is_wrong=True))
            except _NotLandable as error:
                skipped.append(SkippedFile(file, str(error)))
    for files in competition.values():
        rebuilt = rebuild_folder(files)
        plans += [
            LandingPlan(file, made.data, KAGGLE, made.season, made.league_id, "csv")
            for file, made in rebuilt.rebuilt
        ]
        skipped += [SkippedFile(file, reason) for file, reason in rebuilt.skipped]
    return plans, skipped


def _plans(file: Path, given: Path) -> Iterator[LandingPlan | SkippedFile]:
    """Plan the objects of one file: one, or one a season and league where the file spans several.

    Of a file of which only some rows land, the reason follows.

    Raises
    ------
    WrongDivision
        The file holds another division than its name says.
    """
    if file.name.lower().endswith(".clubs.json"):
        raise _NotLandable("The file lists clubs, not matches.")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _NotLandable(f"The file cannot be opened: {reason_of(error)}.") from error
    extension, table, problem = _format(file, data)
    league_id, no_league = _league(file.stem)
    season, source, folder = _season_and_source(absolute_path(file), given)
    if table is not None and league_id is not None:
        check_division(table.sections, league_id)
    if folder is not None and extension == "csv" and problem is None:
        season = season_of_year_folder(folder, table or read_csv_table(data), league_id) or season
    if table is not None and (spans_leagues(table) or (league_id is None and not names_no_division(table))):
        try:
            parts = split_by_season_and_league(table, season, league_id)
        except UnreadableFile as error:
            raise _NotLandable(str(error)) from error
        for part in parts:
            yield LandingPlan(file, part.data, source, part.season, part.league_id, "csv", None, part.lines)
        left_out = competitions_left_out(table)
        if left_out is not None:
            yield SkippedFile(file, left_out)
        return
    above = f"{problem} " if problem else ""
    if league_id is None:
        raise _NotLandable(f"{above}{no_league}")
    if season is None and extension == "json" and problem is None:
        title = load_document(data).get("name")
        season = season_in_title(title) if isinstance(title, str) else None
    if season is None:
        raise _NotLandable(
            f"{above}Its season is not known: put it into a folder named after the season, like 2015-16/ or 2015/."
        )
    yield LandingPlan(file, data, source, season, league_id, extension, problem)


def _format(file: Path, data: bytes) -> tuple[str, CsvTable | None, str | None]:
    """Detect a file's extension, its table if it is a CSV, and the reason why it cannot be read."""
    extension = file.suffix.lower().removeprefix(".")
    try:
        return *detect_format(data), None
    except UnreadableFile as error:
        if extension not in EXTENSIONS:
            name = file.stem if extension not in _COMPRESSED else Path(file.stem).stem
            is_intended = extension in (*_OF_TABLES, *_COMPRESSED) or _league(name)[0] is not None
            more = f" {error}" if is_intended else ""
            raise _NotLandable(f"{NO_RESULTS}{more}") from error
        return extension, None, str(error)


def _league(name: str) -> tuple[str | None, str]:
    """Parse the league from a file name, or return the reason why it is none."""
    try:
        return league_of(name).league_id, ""
    except UnknownLeague as error:
        return None, f"The file's name is not a league: {error} Rename it."


def _season_and_source(file: Path, given: Path) -> tuple[str | None, str, str | None]:
    """Return the season of the nearest season folder above a file, up to the path given, and the source.

    The last is the name of that folder if it has no hyphen, or of one like `1516`, which is no season by itself.
    """
    highest = given.resolve() if given.is_dir() else absolute_path(given).parent
    short: Path | None = None
    for folder in file.parents:
        season = parse_season(folder.name)
        if season is not None:
            return season, _slug(folder.parent.name), folder.name if "-" not in season else None
        if short is None and is_short_season(folder.name):
            short = folder
        if folder == highest:
            break
    if short is not None:
        return None, _slug(short.parent.name), short.name
    return None, _slug(highest.name), None


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-.") or "landed"
