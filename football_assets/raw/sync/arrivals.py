"""Judges a fetched file before it may replace a landed one: nothing that lands by itself may make the results worse."""

from dataclasses import dataclass

from football_assets.errors import FootballError
from football_assets.raw.formats import read_results, sniff
from football_assets.raw.formats.football_data import league_in
from football_assets.raw.formats.lines import column_names, fields_of
from football_assets.raw.formats.reading import Reading, UnreadableFile, decode
from football_assets.raw.seasons import season_window
from football_assets.raw.sync.fetching import Content
from football_assets.raw.sync.sources import RemoteFile

LARGEST_LOSS = 0.1
"""Share of the landed matches, or of their results, that a new file may lack: corrections, not a cut."""
_SMALL_LOSS = 5  # matches, early in a season


class ArrivalRefused(FootballError):
    """A fetched file must not land; the message is the reason."""


@dataclass(frozen=True)
class _Matches:
    """How many matches of a season a file has."""

    listed: int
    played: int


def check_arrival(content: Content, file: RemoteFile, landed: bytes | None) -> int:
    """Number of matches in a fetched file; 0: the season has none yet.

    Parameters
    ----------
    landed
        The landing object's content, where there is one.

    Raises
    ------
    ArrivalRefused
        The file is no results, is cut, belongs to another league or season, or has far fewer matches than the landed
        one.
    """
    extension = file.object_name.rpartition(".")[2]
    try:
        found = sniff(content.data)
        if found != extension:
            raise ArrivalRefused(f"The file is {found.upper()}, not {extension.upper()}.")
        if extension == "csv":
            _check_league(content, file)
    except UnreadableFile as error:
        raise ArrivalRefused(str(error)) from error
    reading = read_results(extension, content.data)
    if extension == "csv":
        _check_end(content, reading)
    if len(reading.refusals) > len(reading.rows):
        raise ArrivalRefused(
            f"{len(reading.refusals)} of {len(reading.rows) + len(reading.refusals)} records cannot be read: "
            f"{reading.refusals[0].reason}"
        )
    new = _count(reading, file.season)
    if 2 * new.listed < len(reading.rows):
        raise ArrivalRefused(
            f"{len(reading.rows) - new.listed} of {len(reading.rows)} matches lie outside the season {file.season}: "
            "it is another season's file."
        )
    if landed is not None:
        old = _count(read_results(extension, landed), file.season)
        for kind, had, has in (("matches", old.listed, new.listed), ("results", old.played, new.played)):
            if had - has > max(_SMALL_LOSS, LARGEST_LOSS * had) or (had and not has):
                raise ArrivalRefused(
                    f"The file has {has} {kind}, the landed object {had}: if that is right, "
                    f"remove {file.object_name} from the bucket and sync again."
                )
    return new.listed


def _check_league(content: Content, file: RemoteFile) -> None:
    # A server that corrects the spelling of an address gives the file of another league.
    league = league_in(content.data)
    if league is not None and league != file.league_id:
        raise ArrivalRefused(f"The file is of {league}, not of {file.league_id}.")


def _check_end(content: Content, reading: Reading) -> None:
    """Refuse a CSV whose last line is, or may be, the beginning of one."""
    text = decode(content.data)
    if text.endswith(("\n", "\r")):
        return
    last = text.splitlines()[-1]
    is_short = len(fields_of(last)) < len(column_names(content.data))
    others = {team for row in reading.rows[:-1] for team in (row.home_team, row.away_team)}
    names_a_stranger = any(not {row.home_team, row.away_team} <= others for row in reading.rows[-1:])
    if is_short or names_a_stranger or not content.is_delimited:
        raise ArrivalRefused(f"The file is cut: its last line is '{last[:80]}'.")


def _count(reading: Reading, season: str) -> _Matches:
    first, last = season_window(season)
    rows = [row for row in reading.rows if first <= row.kickoff_date <= last]
    return _Matches(len(rows), sum(row.home_goals is not None for row in rows))
