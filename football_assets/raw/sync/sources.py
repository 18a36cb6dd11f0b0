"""Define the public sources of results: the files of each for a season, and their URLs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from football_assets.domain.leagues import DIVISIONS, parse_league_id
from football_assets.domain.seasons import current_seasons, parse_season
from football_assets.errors import FootballError
from football_assets.raw.landing import RAW
from football_assets.settings import Settings


@dataclass(frozen=True)
class RemoteFile:
    """One file of a source and its landing object. `spans_seasons`: the file has all seasons, the object one."""

    season: str
    league_id: str
    url: str
    object_name: str
    spans_seasons: bool = False


@dataclass(frozen=True)
class Source:
    """A public source of files of results.

    `leagues` and `calendar_leagues` (those whose season is a calendar year) are league ids with the names of their
    files, without extension; `folder` names the folder of a season, None where a file has all seasons of its league.
    """

    name: str
    extension: str
    leagues: dict[str, str]
    calendar_leagues: dict[str, str]
    folder: Callable[[str], str] | None

    def base_url(self, settings: Settings) -> str:
        """Return the URL of the folder that holds the seasons, or the files where a file has all seasons."""
        url: str = getattr(settings, f"{self.name.replace('-', '_')}_url")
        return url.rstrip("/")

    def files(self, base_url: str, season: str, leagues: Sequence[str] = ()) -> list[RemoteFile]:
        """List the files that a season may have, optionally of some leagues only."""
        listed = self.leagues if "-" in season else self.calendar_leagues
        folder = f"{base_url}/{self.folder(season)}" if self.folder else base_url
        return [
            RemoteFile(
                season,
                league_id,
                f"{folder}/{code}.{self.extension}",
                f"{RAW}{self.name}/{season}/{league_id}.{self.extension}",
                spans_seasons=self.folder is None,
            )
            for league_id, code in listed.items()
            if not leagues or league_id in leagues
        ]


def _as_named(codes: str) -> dict[str, str]:
    return {parse_league_id(code): code for code in codes.split()}


def _same(season: str) -> str:
    return season


OPENFOOTBALL = Source(
    name="openfootball",
    extension="json",
    leagues=_as_named(
        "en.1 en.2 en.3 en.4 de.1 de.2 de.3 es.1 es.2 fr.1 fr.2 it.1 it.2 at.1 at.2 be.1 ch.1 ch.2 cz.1 gr.1 hu.1 "
        "mx.1 nl.1 pt.1 ru.1 sco.1 tr.1 at.cup de.cup"
    ),
    calendar_leagues=_as_named("ar.1 br.1 br.2 cn.1 jp.1") | {"us.1": "mls"},
    folder=_same,
)
FOOTBALLCSV = Source(
    name="footballcsv",
    extension="csv",
    leagues=_as_named(
        "eng.1 eng.2 eng.3 eng.4 eng.5 de.1 de.2 es.1 es.2 fr.1 fr.2 it.1 it.2 at.1 be.1 ch.1 dk.1 gr.1 mx.1 nl.1 "
        "pl.1 pt.1 ro.1 ru.1 sco.1 sco.2 sco.3 sco.4 tr.1"
    ),
    calendar_leagues=_as_named("ar.1 br.1 cn.1 fi.1 ie.1 jp.1 no.1 se.1 us.1"),
    folder=_same,
)
FOOTBALL_DATA = Source(
    name="football-data",
    extension="csv",
    leagues={league_id: division for division, league_id in DIVISIONS.items()},
    calendar_leagues={},
    folder=lambda season: season[2:4] + season[-2:],  # 2025-26 is 2526
)
FOOTBALL_DATA_EXTRA = Source(
    name="football-data-extra",
    extension="csv",
    leagues={
        "ar.1": "ARG",  # until 2018-19
        "at.1": "AUT",
        "ch.1": "SWZ",
        "dk.1": "DNK",
        "mx.1": "MEX",
        "pl.1": "POL",
        "ro.1": "ROU",
        "ru.1": "RUS",
    },
    calendar_leagues={
        "ar.1": "ARG",
        "br.1": "BRA",
        "cn.1": "CHN",
        "fi.1": "FIN",
        "ie.1": "IRL",
        "jp.1": "JPN",
        "no.1": "NOR",
        "se.1": "SWE",
        "us.1": "USA",
    },
    folder=None,
)
SOURCES = {source.name: source for source in (OPENFOOTBALL, FOOTBALLCSV, FOOTBALL_DATA, FOOTBALL_DATA_EXTRA)}


def source_named(name: str) -> Source:
    """Return the source of a name.

    Raises
    ------
    FootballError
        No source has this name.
    """
    if name not in SOURCES:
        raise FootballError(f"There is no source {name!r}. The sources are: {', '.join(SOURCES)}.")
    return SOURCES[name]


def files_to_fetch(
    source: Source, base_url: str, today: date, seasons: Sequence[str] = (), leagues: Sequence[str] = ()
) -> list[RemoteFile]:
    """List the files that a sync requests from a source.

    Parameters
    ----------
    seasons
        Labels like `2025-26` or `2025`. Empty: the current seasons.
    leagues
        Identifiers like `eng.1`. Empty: all leagues of the source.

    Raises
    ------
    FootballError
        A season or a league is invalid, or the source has no such files.
    """
    labels = [_season(text) for text in seasons] or current_seasons(today)
    wanted = [parse_league_id(text) for text in leagues]
    unknown = [league for league in wanted if league not in source.leagues | source.calendar_leagues]
    if unknown:
        known = ", ".join(sorted(source.leagues | source.calendar_leagues))
        raise FootballError(f"{source.name} has no {', '.join(unknown)}. Its leagues are: {known}.")
    files = [file for label in dict.fromkeys(labels) for file in source.files(base_url, label, wanted)]
    if not files:
        kinds = "seasons like 2025-26" if "-" not in labels[0] else "seasons like 2025"
        raise FootballError(
            f"{source.name} has none of these leagues in {', '.join(labels)}: they may have {kinds}."
        )
    return files


def _season(text: str) -> str:
    label = parse_season(text)
    if label is None:
        raise FootballError(f"{text!r} is not a season: write it like 2025-26, or 2025 for a calendar year.")
    return label
