"""League vocabulary: identifiers like `eng.1` (country and tier) or `de.cup`, shared by every stage."""

import re
from dataclasses import dataclass

from football_assets.errors import UnknownLeague

_LEAGUE_ID = re.compile(r"([a-z]{2,3})\.(\d|cup)", re.ASCII)
# Sources differ in the code of one country.
_COUNTRY_ALIASES = {"en": "eng", "sc": "sco", "wa": "wal", "nir": "nie"}
# What football-data.co.uk calls its leagues.
DIVISIONS = {
    "B1": "be.1",
    "D1": "de.1",
    "D2": "de.2",
    "E0": "eng.1",
    "E1": "eng.2",
    "E2": "eng.3",
    "E3": "eng.4",
    "EC": "eng.5",
    "F1": "fr.1",
    "F2": "fr.2",
    "G1": "gr.1",
    "I1": "it.1",
    "I2": "it.2",
    "N1": "nl.1",
    "P1": "pt.1",
    "SC0": "sco.1",
    "SC1": "sco.2",
    "SC2": "sco.3",
    "SC3": "sco.4",
    "SP1": "es.1",
    "SP2": "es.2",
    "T1": "tr.1",
}
COUNTRIES = {
    "ar": "Argentina",
    "at": "Austria",
    "be": "Belgium",
    "br": "Brazil",
    "ch": "Switzerland",
    "cn": "China",
    "cz": "Czechia",
    "de": "Germany",
    "dk": "Denmark",
    "eng": "England",
    "es": "Spain",
    "fi": "Finland",
    "fr": "France",
    "gr": "Greece",
    "hu": "Hungary",
    "ie": "Ireland",
    "it": "Italy",
    "jp": "Japan",
    "mx": "Mexico",
    "nl": "Netherlands",
    "no": "Norway",
    "pl": "Poland",
    "pt": "Portugal",
    "ro": "Romania",
    "ru": "Russia",
    "sco": "Scotland",
    "se": "Sweden",
    "tr": "Türkiye",
    "us": "United States",
}
NAMES = {
    "at.1": "Austrian Bundesliga",
    "at.2": "Austrian Second League",
    "de.1": "Bundesliga",
    "de.2": "2. Bundesliga",
    "eng.1": "Premier League",
    "eng.2": "Championship",
    "eng.3": "League One",
    "eng.4": "League Two",
    "eng.5": "National League",
    "es.1": "La Liga",
    "es.2": "Segunda División",
    "fr.1": "Ligue 1",
    "fr.2": "Ligue 2",
    "it.1": "Serie A",
    "it.2": "Serie B",
    "nl.1": "Eredivisie",
    "pt.1": "Primeira Liga",
    "sco.1": "Scottish Premiership",
}


@dataclass(frozen=True)
class League:
    """A competition. `tier` counts from 1, the top; a cup has none."""

    league_id: str
    country: str
    tier: int | None
    is_cup: bool
    name: str


def parse_league_id(text: str) -> str:
    """The canonical identifier of a league as a source writes it: `en.1` and `E0` are `eng.1`.

    Raises
    ------
    UnknownLeague
        The text has not the form country.tier or country.cup, and is no division of football-data.co.uk.
    """
    division = DIVISIONS.get(text.strip().upper())
    if division is not None:
        return division
    match = _LEAGUE_ID.fullmatch(text.strip().lower())
    if match is None:
        raise UnknownLeague(
            f"League {text!r} is not of the form country.tier, like eng.1, or country.cup, like de.cup."
        )
    country, tier = match.groups()
    return f"{_COUNTRY_ALIASES.get(country, country)}.{tier}"


def league_of(league_id: str) -> League:
    """What an identifier says: country, tier and the name that people know.

    Raises
    ------
    UnknownLeague
        The text is no league, as `parse_league_id` has it.
    """
    canonical = parse_league_id(league_id)
    country, tier = canonical.split(".")
    is_cup = tier == "cup"
    place = COUNTRIES.get(country, country)
    name = NAMES.get(canonical, f"{place}, cup" if is_cup else f"{place}, tier {tier}")
    return League(canonical, country, None if is_cup else int(tier), is_cup, name)
