"""League vocabulary: identifiers like `eng.1` (country and tier) or `de.cup`, shared by every stage.

`seeds/leagues.csv` lists leagues with what sources and people call them.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from football_assets.errors import UnknownLeague

_SEED = Path(__file__).with_name("seeds") / "leagues.csv"
_LEAGUE_ID = re.compile(r"([a-z]{2,3})\.(\d|cup)", re.ASCII)
MAX_LEGS = 4
"""Meetings of a pair of teams at one ground in a season. More are an error of the source."""
_CODES_OF_THREE_LETTERS = """
    ar:arg at:aut au:aus be:bel br:bra ch:sui,che cl:chi,chl cn:chn cz:cze de:ger,deu dk:den,dnk dz:alg,dza ec:ecu
    es:esp fi:fin fr:fra gr:gre,grc hu:hun ie:irl il:isr it:ita jp:jpn kr:kor ma:mar mx:mex nl:ned,nld no:nor nz:nzl
    pl:pol pt:por,prt ro:rou ru:rus se:swe tn:tun tr:tur us:usa ve:ven za:rsa,zaf
"""
COUNTRY_ALIASES = {"en": "eng", "sc": "sco", "wa": "wal", "nir": "nie"} | {
    code: country
    for country, codes in (entry.split(":") for entry in _CODES_OF_THREE_LETTERS.split())
    for code in codes.split(",")
}
"""Codes of countries that sources write, with the code of COUNTRIES: those of FIFA and ISO 3166 have three letters."""
# Where a country has several, the one in which most of its clubs play.
TIME_ZONES = {
    "ar": "America/Argentina/Buenos_Aires",
    "at": "Europe/Vienna",
    "au": "Australia/Sydney",
    "be": "Europe/Brussels",
    "br": "America/Sao_Paulo",
    "ch": "Europe/Zurich",
    "cl": "America/Santiago",
    "cn": "Asia/Shanghai",
    "cz": "Europe/Prague",
    "de": "Europe/Berlin",
    "dk": "Europe/Copenhagen",
    "dz": "Africa/Algiers",
    "ec": "America/Guayaquil",
    "eng": "Europe/London",
    "es": "Europe/Madrid",
    "fi": "Europe/Helsinki",
    "fr": "Europe/Paris",
    "gr": "Europe/Athens",
    "hu": "Europe/Budapest",
    "ie": "Europe/Dublin",
    "il": "Asia/Jerusalem",
    "it": "Europe/Rome",
    "jp": "Asia/Tokyo",
    "kr": "Asia/Seoul",
    "ma": "Africa/Casablanca",
    "mx": "America/Mexico_City",
    "nl": "Europe/Amsterdam",
    "no": "Europe/Oslo",
    "nz": "Pacific/Auckland",
    "pl": "Europe/Warsaw",
    "pt": "Europe/Lisbon",
    "ro": "Europe/Bucharest",
    "ru": "Europe/Moscow",
    "sco": "Europe/London",
    "se": "Europe/Stockholm",
    "tn": "Africa/Tunis",
    "tr": "Europe/Istanbul",
    "us": "America/New_York",
    "ve": "America/Caracas",
    "za": "Africa/Johannesburg",
}
COUNTRIES = {
    "ar": "Argentina",
    "at": "Austria",
    "au": "Australia",
    "be": "Belgium",
    "br": "Brazil",
    "ch": "Switzerland",
    "cl": "Chile",
    "cn": "China",
    "cz": "Czechia",
    "de": "Germany",
    "dk": "Denmark",
    "dz": "Algeria",
    "ec": "Ecuador",
    "eng": "England",
    "es": "Spain",
    "fi": "Finland",
    "fr": "France",
    "gr": "Greece",
    "hu": "Hungary",
    "ie": "Ireland",
    "il": "Israel",
    "it": "Italy",
    "jp": "Japan",
    "kr": "South Korea",
    "ma": "Morocco",
    "mx": "Mexico",
    "nl": "Netherlands",
    "no": "Norway",
    "nz": "New Zealand",
    "pl": "Poland",
    "pt": "Portugal",
    "ro": "Romania",
    "ru": "Russia",
    "sco": "Scotland",
    "se": "Sweden",
    "tn": "Tunisia",
    "tr": "Türkiye",
    "us": "United States",
    "ve": "Venezuela",
    "za": "South Africa",
}


def _read_seed() -> list[dict[str, str]]:
    with _SEED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


_LISTED = _read_seed()
NAMES = {row["league_id"]: row["name"] for row in _LISTED if row["name"]}
_OPENFOOTBALL = {row["openfootball"]: row["league_id"] for row in _LISTED if row["openfootball"]}
_FOOTBALL_DATA = {
    code.strip(): row["league_id"]
    for row in _LISTED
    for code in row["football_data"].split(";")
    if code.strip()
}
DIVISIONS = {code: league_id for code, league_id in _FOOTBALL_DATA.items() if "/" not in code}
"""What football-data.co.uk calls its leagues."""
_EXTRA_LEAGUES = {code.casefold(): league_id for code, league_id in _FOOTBALL_DATA.items() if "/" in code}
SPORTMONKS_LEAGUES = {int(row["sportmonks"]): row["league_id"] for row in _LISTED if row["sportmonks"]}
"""Numbers of Sportmonks, by which the Kaggle competition of 2022 names its leagues. Of several cups of a country the
oldest; leagues in several groups (Serie C, Regionalliga) are missing, since a country's tier is one league here."""
CHALLENGE_LEAGUES = {
    row["prediction_challenge"]: row["league_id"] for row in _LISTED if row["prediction_challenge"]
}
"""Codes of the 51 leagues of the 2023 Soccer Prediction Challenge."""
SPI_LEAGUES = {
    name.strip(): row["league_id"]
    for row in _LISTED
    for name in row["fivethirtyeight"].split(";")
    if name.strip()
}
"""Leagues of FiveThirtyEight's `spi_matches.csv`. Its other competitions are of nations, of continents and of women."""


@dataclass(frozen=True)
class League:
    """A competition. `tier` counts from 1, the top; a cup has none."""

    league_id: str
    country: str
    tier: int | None
    is_cup: bool
    name: str


def parse_league_id(text: str) -> str:
    """Return the canonical identifier of a league as a source writes it: `en.1` and `E0` are `eng.1`.

    Raises
    ------
    UnknownLeague
        The text has not the form country.tier or country.cup, and is no name of openfootball or football-data.co.uk.
    """
    division = DIVISIONS.get(text.strip().upper()) or _OPENFOOTBALL.get(text.strip().lower())
    if division is not None:
        return division
    match = _LEAGUE_ID.fullmatch(text.strip().lower())
    if match is None:
        raise UnknownLeague(
            f"League {text!r} is not of the form country.tier, like eng.1, or country.cup, like de.cup."
        )
    country, tier = match.groups()
    return f"{COUNTRY_ALIASES.get(country, country)}.{tier}"


def extra_league(country: str, league: str) -> str | None:
    """Return the identifier of an extra league of football-data.co.uk, or None if it is not known.

    Parameters
    ----------
    country, league
        As the files write them.

    >>> extra_league("Denmark", "Superliga"), extra_league("Denmark", "Superettan")
    ('dk.1', None)
    """
    return _EXTRA_LEAGUES.get(f"{country.strip()}/{league.strip()}".casefold())


def league_of(league_id: str) -> League:
    """Return the league of an identifier: country, tier and the name that people know.

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
