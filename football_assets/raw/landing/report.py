"""Format the report of `football land`."""

from collections.abc import Iterator

from football_assets.raw.landing.file_summaries import FileSummary
from football_assets.raw.landing.upload import LandedFile, LandingResult

FILES_LISTED = 20
"""Above this number of files, only those of which something is rejected or left out get a line of their own."""
_COUNTED = {
    "results": "result",
    "fixtures": "fixture",
    "additions": "addition",  # rows that only add measures
    "rejected": "rejected record",
}


def report_lines(result: LandingResult) -> Iterator[str]:
    """Yield one line a file or part, with its numbers of matches and rejected records, then the totals.

    Of more than FILES_LISTED files, only those with rejected records, or without some of their odds and statistics,
    have a line.
    """
    landed = result.landed
    for item in landed:
        if len(landed) <= FILES_LISTED or item.summary.rejected or item.summary.left_out:
            yield _line(item)
    yield _totals(result)


def problem_lines(result: LandingResult) -> Iterator[str]:
    """Yield one line for each file that was skipped, has no match, or replaced an object of far more matches."""
    for skipped in result.skipped:
        yield f"skipped {skipped.path}: {skipped.reason}"
    for item in result.problems:
        yield f"rejected {item.path}: {item.problem}"
    for item in result.landed:
        if item.loss:
            has, had = item.loss
            yield f"warning {item.path}: has {has}, the replaced object {item.object_name} had {had}."


def _line(item: LandedFile) -> str:
    found = item.summary
    reasons = [f"The first is {found.first_reason}"] if found.first_reason else []
    if found.left_out:
        reasons.append(_left_out(found))
    counts = [
        _count(found.results, "result"),
        _count(found.fixtures, "fixture"),
        *([_count(found.additions, "addition")] if found.additions else []),
        f"{found.rejected:,} rejected",
    ]
    text = f"{item.path} ({item.league_id} {item.season}): {', '.join(counts)}"
    return f"{text}. {' '.join(reasons)}" if reasons else text


def _left_out(found: FileSummary) -> str:
    """Say of how many matches odds or statistics are left out, with the reason of the first."""
    place = f"line {found.left_out_line}: " if found.left_out_line is not None else ""
    matches = _count(found.left_out, "match", "es")
    return f"Odds or statistics of {matches} are left out. The first is {place}{found.left_out_reason}"


def _totals(result: LandingResult) -> str:
    landed = result.landed
    files, changed = len({item.path for item in landed}), sum(item.is_changed for item in landed)
    objects = f" as {_count(len(landed), 'object')}" if len(landed) > files else ""
    counts = [
        _count(number, noun)
        for name, noun in _COUNTED.items()
        if (number := sum(getattr(item.summary, name) for item in landed)) or name != "additions"
    ]
    first, last = result.seasons[0], result.seasons[-1]
    seasons = f"season {first}" if first == last else f"seasons {first} to {last}"
    return (
        f"{_count(files, 'file')} landed{objects}, {changed:,} of them new or changed, {seasons}: "
        f"{', '.join(counts)}."
    )


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number:,} {noun}{plural if number != 1 else ''}"
