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
from football_assets.raw.landing.planning import NO_RESULTS, LandingPlan, SkippedFile, plan_landing
from football_assets.storage.bucket import ABSENT, Bucket, ObjectInfo, UnusableFile


@dataclass(frozen=True)
class LandedFile:
    """A landed file, or its part of one season and league.

    Attributes
    ----------
    path
        The file on this machine.
    object_name
        Its landing object.
    season, league_id
        Like `2015-16` and `eng.1`.
    is_changed
        Whether the object is new or its content changed.
    summary
        Numbers of results, fixtures and rejected records of the file.
    problem
        Why no match of the file will be read, or why the existing object was not replaced; None if neither applies.
    loss
        Set if the replaced object had far more matches or results.
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
    """The outcome of `land` for every file."""

    landed: tuple[LandedFile, ...]
    skipped: tuple[SkippedFile, ...]

    @property
    def objects(self) -> list[str]:
        """Return the names of the landing objects, in the order of landing."""
        return [item.object_name for item in self.landed]

    @property
    def seasons(self) -> list[str]:
        """Return the seasons of the landed files, in order."""
        return sorted({item.season for item in self.landed})

    @property
    def problems(self) -> list[LandedFile]:
        """Return the files of which no match will be read."""
        return [item for item in self.landed if item.problem]

    @property
    def is_complete(self) -> bool:
        """Return whether every file holds a match and none contradicts its name."""
        return not self.problems and not any(item.is_wrong for item in self.skipped)


def land(bucket: Bucket, paths: Sequence[Path | str], today: date | None = None) -> LandingResult:
    """Copy files of results into the bucket.

    Paths are landed in the order given, the files of a folder in order of modification time, then name. The tables
    depend on that order only where folders of the same name hold different files of one season and league: the first
    to land has the unnumbered source, which takes precedence where scores contradict each other (`in_order`).

    The season is the name of the folder that holds a file, else the end of the `name` of a JSON (`English Premier
    League 2015/16`); the league is the file name. A CSV that spans leagues or seasons (football-data.co.uk's
    `fixtures.csv`, `ARG.csv`) is split into one object per season and league, both read from its rows. The wide files
    of the Kaggle competition in one folder are rebuilt to files of results (`kaggle.rebuilding`). Hidden folders are
    skipped.

    The source is the name of the folder that holds the seasons. The file from which each object was landed is recorded
    (`origins.py`). A changed version of that file replaces the object as long as the object still has the content that
    was landed. Any other file for the same object replaces it only if it contains all of its matches; otherwise it
    lands under a numbered source (`data-2`). An existing object that cannot be read is never replaced. A file that is
    equal to its object is not written.

    Every file is validated by the rules of `raw_matches`. A file without a match lands, so that
    `raw_matches_rejected` lists the reason, unless an object exists already. The result reports each file with far
    fewer matches than the object that it replaced. A file of another division than its name says, or
    whose clubs are those of another country, does not land.

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
        Another process changed an object since it was compared. The files before it have landed.
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
    placed = list(zip(plans, summaries, strict=True))
    skipped += [
        SkippedFile(plan.path, summary.problem or "", is_wrong=True)
        for plan, summary in placed
        if summary.clubs_of is not None
    ]
    plans = [plan for plan, summary in placed if summary.clubs_of is None]
    summaries = [summary for summary in summaries if summary.clubs_of is None]
    if not plans:
        raise LandingError(_nothing_to_land(paths, plans, skipped))
    unusable: list[UnusableFile] = []
    objects = {info.name: info for info in bucket.list(RAW, on_unusable=unusable.append)}
    origins = Origins(bucket, objects, {file.name for file in unusable if not file.is_closed})
    landed = list(_placed(bucket, plans, summaries, today, objects, origins))
    _write(bucket, plans, landed, objects, origins)
    return LandingResult(tuple(landed), tuple(skipped))


def _in_lines_of_the_file(summary: FileSummary, plan: LandingPlan) -> FileSummary:
    """Convert the line numbers of a part to those of the whole file."""
    lines = plan.lines
    if lines is None:
        return summary
    line, left_out_line = (
        lines[number - 1] if number is not None else None for number in (summary.line, summary.left_out_line)
    )
    return replace(summary, line=line, left_out_line=left_out_line)


def _placed(
    bucket: Bucket,
    plans: Sequence[LandingPlan],
    summaries: Sequence[FileSummary],
    today: date,
    objects: Mapping[str, ObjectInfo],
    origins: Origins,
) -> Iterator[LandedFile]:
    """Choose the object of each file, and decide whether it is written."""
    changed: list[tuple[str, bool]] = []
    for plan in plans:

        def name_of(number: int, plan: LandingPlan = plan) -> str:
            source = plan.source if number == 1 else f"{plan.source}-{number}"
            return f"{RAW}{source}/{plan.season}/{plan.league_id}.{plan.extension}"

        def may_replace(name: str, plan: LandingPlan = plan) -> bool:
            try:
                return holds_all_of(plan.candidate, _candidate(bucket, name, plan), today)
            except UnreadableObject:  # became unreadable since it was listed
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
        is_kept = problem is not None and name in before  # the existing object stays
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
    """Read the current content of a plan's object."""
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
    """Write the changed objects, each once, on condition that they have the versions that were listed.

    The record of origins is saved afterwards; after an error, that of the objects written before it.
    """
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
    of_content = sorted(skipped, key=lambda item: item.reason == NO_RESULTS)  # a README says least
    reasons = [f"{plan.path}: {plan.problem}" for plan in plans] + [
        f"{item.path}: {item.reason}" for item in of_content
    ]
    where = ", ".join(str(path) for path in paths)
    if not reasons:
        return f"There are no files in {where}: name a folder of season folders, like 2015-16/eng.1.csv."
    more = f" ({len(reasons) - 1} more files without results)" if len(reasons) > 1 else ""
    return f"Nothing to land. {reasons[0]}{more}"
