"""Copy files of results into the bucket as landing objects."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from football_assets.errors import (
    BucketError,
    LandingError,
    ObjectNotFound,
    PreconditionFailed,
    UnreadableObject,
)
from football_assets.raw.landing.file_summaries import (
    Candidate,
    FileSummary,
    Loss,
    find_loss,
    holds_all_of,
    summarise_files,
)
from football_assets.raw.landing.objects import RAW
from football_assets.raw.landing.origins import Origins, path_digest
from football_assets.raw.landing.planning import LandingPlan, SkippedFile, plan_landing
from football_assets.storage.bucket import ABSENT, Bucket, ObjectInfo, UnusableFile


@dataclass(frozen=True)
class LandedFile:
    """A file, or the part of one season and league, and its object.

    `is_changed`: the object is new, or its content changed. `judgement`: what the file holds, first reason included.
    `problem`: why no match of it will be read, or why the object that was there stays. `loss`: by how much the object
    that it replaced held more.
    """

    path: Path
    object_name: str
    season: str
    league_id: str
    is_changed: bool
    summary: FileSummary
    problem: str | None
    loss: Loss | None = None


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
        """Files of which no match will be read."""
        return [item for item in self.landed if item.problem]

    @property
    def is_complete(self) -> bool:
        """Whether every file holds a match and none contradicts its name."""
        return not self.problems and not any(item.is_wrong for item in self.skipped)


def land(bucket: Bucket, paths: Sequence[Path | str], today: date | None = None) -> LandingResult:
    """Copy files of results into the bucket.

    Paths are landed in the order given, the files of a folder in order of their modification time, then name. The
    tables depend on that order only where folders of one name hold different files of one season and league: the
    first to land has the unnumbered source, which comes first where scores contradict each other (`in_order`).

    The season is the name of the folder that holds a file, else the end of a JSON's name (`English Premier League
    2015/16`); the league is the file's name. A CSV that spans leagues or seasons (football-data.co.uk's
    `fixtures.csv`, `ARG.csv`) becomes an object a season and league, which its rows say. The wide files of the Kaggle
    competition in one folder become what `rebuilding.rebuild` makes of them. Hidden folders are not entered.

    The source is the name of the folder that holds the seasons. An object remembers the file that it was landed from
    (`origins.py`): that file, changed, updates it while the object still has the content that was landed. Any other
    file for the same name updates it only if it holds all of its matches; else it lands beside it, its source numbered
    (`data-2`). What cannot be read at an object's name stays, and the file lands beside it. A file that is in its place
    unchanged is not written again.

    Every file is judged as `raw_matches` will judge it. One without a match lands, so that `raw_matches_rejected` says
    what is wrong with it, unless an object is there already. The result says where a file has far fewer matches than
    the object that it replaces. One that holds another division than its name says does
    not land.

    Parameters
    ----------
    paths
        Files or folders.
    today
        Matches played after this day are rejected; None: today.

    Raises
    ------
    LandingError
        A path does not exist, or no file of results is among the paths. Nothing was written.
    PreconditionFailed
        Someone else changed an object since it was compared. The files before it have landed.
    """
    today = today or date.today()
    plans, skipped = plan_landing([Path(path) for path in paths])
    if not any(plan.problem is None for plan in plans):
        raise LandingError(_nothing_to_land(paths, plans, skipped))
    summaries = [
        _in_lines_of_the_file(summary, plan)
        for plan, summary in zip(
            plans, summarise_files([plan.candidate for plan in plans], today), strict=True
        )
    ]
    unusable: list[UnusableFile] = []
    objects = {info.name: info for info in bucket.list(RAW, on_unusable=unusable.append)}
    origins = Origins(bucket, objects, {file.name for file in unusable if not file.is_closed})
    landed = list(_placed(bucket, plans, summaries, today, objects, origins))
    _write(bucket, plans, landed, objects, origins)
    return LandingResult(tuple(landed), tuple(skipped))


def _in_lines_of_the_file(summary: FileSummary, plan: LandingPlan) -> FileSummary:
    """The judgement of a part, its line that of the whole file."""
    if plan.lines is None or summary.line is None:
        return summary
    return replace(summary, line=plan.lines[summary.line - 1])


def _placed(
    bucket: Bucket,
    plans: Sequence[LandingPlan],
    summaries: Sequence[FileSummary],
    today: date,
    objects: Mapping[str, ObjectInfo],
    origins: Origins,
) -> Iterator[LandedFile]:
    """Each file with its object, and whether that is to be written."""
    changed: list[tuple[str, bool]] = []
    for plan in plans:

        def name_of(number: int, plan: LandingPlan = plan) -> str:
            source = plan.source if number == 1 else f"{plan.source}-{number}"
            return f"{RAW}{source}/{plan.season}/{plan.league_id}.{plan.extension}"

        def may_replace(name: str, plan: LandingPlan = plan) -> bool:
            try:
                return holds_all_of(plan.candidate, _candidate(bucket, name, plan), today)
            except UnreadableObject:  # since it was listed
                return False

        name = origins.choose(name_of, plan.data, path_digest(plan.path), may_replace)
        changed.append((name, not origins.is_same(name, plan.data)))
    replaced = {
        name: _candidate(bucket, name, plan)
        for plan, (name, is_changed) in zip(plans, changed, strict=True)
        if is_changed and name in objects
    }
    before = dict(zip(replaced, summarise_files(list(replaced.values()), today), strict=True))
    for plan, summary, (name, is_changed) in zip(plans, summaries, changed, strict=True):
        problem = plan.problem or summary.problem
        is_kept = problem is not None and name in before
        yield LandedFile(
            plan.path,
            name,
            plan.season,
            plan.league_id,
            is_changed and not is_kept,
            summary,
            f"{problem} The object {name} stays as it was." if is_kept else problem,
            find_loss(summary, before[name]) if name in before and not is_kept else None,
        )


def _candidate(bucket: Bucket, name: str, plan: LandingPlan) -> Candidate:
    """The object of a plan, as it is now."""
    try:
        data = bucket.read(name)
    except ObjectNotFound:  # deleted since it was listed
        data = b""
    return Candidate(data, plan.extension, plan.season, plan.league_id)


def _write(
    bucket: Bucket,
    plans: Sequence[LandingPlan],
    placed: Sequence[LandedFile],
    objects: Mapping[str, ObjectInfo],
    origins: Origins,
) -> None:
    """Write the objects that changed, each once, over the states that were listed; then the record of their
    origins, after an error that of the objects written before it."""
    in_place: set[str] = set()
    try:
        for plan, item in zip(plans, placed, strict=True):
            name = item.object_name
            if item.is_changed and name not in in_place:
                _write_over(bucket, name, plan.data, objects.get(name))
            if item.is_changed or origins.is_same(name, plan.data):
                in_place.add(name)
    except BaseException:
        with suppress(BucketError):  # the first error counts
            origins.save(in_place)
        raise
    origins.save(in_place)


def _write_over(bucket: Bucket, name: str, data: bytes, listed: ObjectInfo | None) -> None:
    try:
        bucket.write(name, data, if_version=listed.version if listed else ABSENT)
    except PreconditionFailed as error:
        raise PreconditionFailed(
            f"Object {name!r} of bucket {bucket.url} was changed by another landing or sync meanwhile: "
            "land the files again."
        ) from error


def _nothing_to_land(
    paths: Sequence[Path | str], plans: Sequence[LandingPlan], skipped: Sequence[SkippedFile]
) -> str:
    reasons = [f"{plan.path}: {plan.problem}" for plan in plans] + [
        f"{item.path}: {item.reason}" for item in skipped
    ]
    where = ", ".join(str(path) for path in paths)
    if not reasons:
        return f"There are no files in {where}: name a folder of season folders, like 2015-16/eng.1.csv."
    more = f" ({len(reasons) - 1} more files without results)" if len(reasons) > 1 else ""
    return f"Nothing to land. {reasons[0]}{more}"
