"""Check a fetched file before it replaces a landed one, so that an automatic sync never makes the results worse.

The rules of `football land` apply (`landing.file_summaries`). Truncation, which only a transfer can cause, is checked
here.
"""

from dataclasses import replace
from datetime import date

from football_assets.errors import FootballError
from football_assets.raw.formats.csv_lines import column_names, split_line
from football_assets.raw.formats.csv_table import read_csv_table
from football_assets.raw.formats.reader import detect_extension, read_results
from football_assets.raw.formats.records import ParsedFile, UnreadableFile, decode
from football_assets.raw.landing.file_summaries import Candidate, find_loss, summarise_files
from football_assets.raw.landing.splitting import split_by_season_and_league
from football_assets.raw.sync.fetching import Content
from football_assets.raw.sync.sources import RemoteFile


class FetchedFileRejected(FootballError):
    """A fetched file must not land; the message is the reason."""


def part_of_season(content: Content, file: RemoteFile) -> Content:
    """Return the lines of one season of a file that has all seasons of a league; without a match its header alone.

    All rows count as of the file's league, so that a row whose division is not known is rejected in its own season.

    Raises
    ------
    FetchedFileRejected
        The file is truncated, or is not a CSV file of results by season.
    """
    try:
        table = read_csv_table(content.data)
        has_rows = any(section.records for section in table.sections)
        parts = split_by_season_and_league(table, None, file.league_id) if has_rows else []
        _check_end(content, read_results("csv", content.data, file.league_id))
    except UnreadableFile as error:
        raise FetchedFileRejected(str(error)) from error
    wanted = [part.data for part in parts if part.season == file.season]
    return replace(content, data=wanted[0] if wanted else f"{table.sections[0].header}\n".encode())


def check_fetched_file(content: Content, file: RemoteFile, landed: bytes | None, today: date) -> int:
    """Check a fetched file and return its number of matches; 0 if the season has none yet.

    Parameters
    ----------
    landed
        The content of the landing object, None if there is none.
    today
        Matches played after this day are rejected.

    Raises
    ------
    FetchedFileRejected
        The file holds no results, is truncated, is of another division than its name says, has more rejected records
        than matches (as a file of another season has), or has far fewer matches than the landed one.
    """
    extension = file.object_name.rpartition(".")[2]
    try:
        found = detect_extension(content.data)
    except UnreadableFile as error:
        raise FetchedFileRejected(str(error)) from error
    if found != extension:
        raise FetchedFileRejected(f"The file is {found.upper()}, not {extension.upper()}.")
    if extension == "csv":
        _check_end(content, read_results(extension, content.data, file.league_id))
    contents = [content.data] if landed is None else [content.data, landed]
    new, *old = summarise_files(
        [Candidate(data, extension, file.season, file.league_id) for data in contents], today
    )
    if new.problem is not None and (new.rejected or new.clubs_of):
        raise FetchedFileRejected(new.problem)
    if new.rejected > new.matches:  # like the list of another season that overlaps this one by a few days
        records = new.rejected + new.matches
        raise FetchedFileRejected(
            f"{new.rejected:,} of its {records:,} records are rejected. The first is {new.first_reason}"
        )
    lost = find_loss(new, old[0]) if old else None
    if lost is not None:
        raise FetchedFileRejected(
            f"The file has {lost.has}, the landed object {lost.had}: if that is right, remove {file.object_name} "
            "from the bucket and sync again."
        )
    return new.matches


def _check_end(content: Content, reading: ParsedFile) -> None:
    """Reject a CSV whose last line is, or may be, truncated.

    Raises
    ------
    FetchedFileRejected
        The last line has no line end and is short, names an unknown team, or the length of the body was unknown.
    """
    text = decode(content.data)
    if text.endswith(("\n", "\r")):
        return
    last = text.splitlines()[-1]
    is_short = len(split_line(last)) < len(column_names(content.data))
    others = {team for row in reading.rows[:-1] for team in (row.home_team, row.away_team)}
    names_a_stranger = any(not {row.home_team, row.away_team} <= others for row in reading.rows[-1:])
    if is_short or names_a_stranger or not content.is_delimited:
        raise FetchedFileRejected(f"The file is truncated: its last line is '{last[:80]}'.")
