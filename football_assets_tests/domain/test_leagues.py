"""League identifiers as sources write them, and what they say."""

from zoneinfo import ZoneInfo

import pytest

from football_assets.domain.leagues import (
    CHALLENGE_LEAGUES,
    COUNTRIES,
    COUNTRY_ALIASES,
    NAMES,
    TIME_ZONES,
    League,
    extra_league,
    league_of,
    parse_league_id,
)
from football_assets.errors import UnknownLeague


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("en.1", "eng.1"),
        ("eng.1", "eng.1"),
        (" ENG.4 ", "eng.4"),
        ("de.cup", "de.cup"),
        ("en.cup", "eng.cup"),
        ("sc.2", "sco.2"),
        ("xy.3", "xy.3"),
        ("ger.1", "de.1"),
        ("DEU.2", "de.2"),
        ("esp.cup", "es.cup"),
        ("ned.1", "nl.1"),
        ("usa.1", "us.1"),
        ("E0", "eng.1"),
        ("sc3", "sco.4"),
        (" EC ", "eng.5"),
        ("mls", "us.1"),
    ],
)
def test_the_spellings_of_one_league_have_one_identifier(written: str, canonical: str) -> None:
    assert parse_league_id(written) == canonical
    assert parse_league_id(canonical) == canonical


@pytest.mark.parametrize(
    "text", ["", "eng", "eng.", ".1", "england.1", "eng.12", "eng.1.2", "e.1", "eng.١", "eng-1"]
)
def test_another_form_is_refused_and_the_form_is_told(text: str) -> None:
    with pytest.raises(UnknownLeague, match="country.tier, like eng.1, or country.cup"):
        parse_league_id(text)


def test_every_country_has_a_code_of_three_letters_which_is_that_of_no_other() -> None:
    of_three = {country for code, country in COUNTRY_ALIASES.items() if len(code) == 3}
    assert of_three | {"eng", "sco"} == {*COUNTRIES, "nie"}
    assert not COUNTRY_ALIASES.keys() & COUNTRIES.keys()


def test_an_identifier_tells_country_tier_and_name() -> None:
    assert league_of("en.2") == League("eng.2", "eng", 2, False, "Championship")
    assert league_of("de.cup") == League("de.cup", "de", None, True, "Germany, cup")
    assert league_of("fr.3") == League("fr.3", "fr", 3, False, "France, tier 3")
    assert league_of("xy.1").name == "xy, tier 1"


def test_every_named_league_is_canonical_and_of_a_known_country_and_no_two_share_a_name() -> None:
    assert [parse_league_id(league_id) for league_id in NAMES] == list(NAMES)
    assert {league_of(league_id).country for league_id in NAMES} <= set(COUNTRIES)
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize(
    ("country", "league", "league_id"),
    [
        ("Argentina", "Liga Profesional", "ar.1"),
        ("Argentina", "Copa De La Liga Profesional", "ar.1"),
        (" Denmark ", "superliga ", "dk.1"),
        ("Romania", "Superliga", "ro.1"),
        ("USA", "MLS", "us.1"),
        ("Denmark", "Serie A", None),
        ("", "", None),
    ],
)
def test_an_extra_league_is_known_by_country_and_league(
    country: str, league: str, league_id: str | None
) -> None:
    assert extra_league(country, league) == league_id


def test_the_51_leagues_of_the_prediction_challenge_are_leagues_of_known_countries() -> None:
    assert len(CHALLENGE_LEAGUES) == len(set(CHALLENGE_LEAGUES.values())) == 51
    assert {league_of(league_id).country for league_id in CHALLENGE_LEAGUES.values()} <= set(COUNTRIES)
    for code, league_id in CHALLENGE_LEAGUES.items():
        assert league_id.endswith(f".{code[-1]}")


@pytest.mark.parametrize(
    ("code", "league_id", "name", "country", "zone"),
    [
        ("AUS1", "au.1", "A-League Men", "Australia", "Australia/Sydney"),
        ("AUT1", "at.1", "Austrian Bundesliga", "Austria", "Europe/Vienna"),
        ("CHE1", "ch.1", "Switzerland, tier 1", "Switzerland", "Europe/Zurich"),
        ("CHL1", "cl.1", "Chilean Primera División", "Chile", "America/Santiago"),
        ("DZA1", "dz.1", "Algerian Ligue 1", "Algeria", "Africa/Algiers"),
        ("ECU1", "ec.1", "LigaPro Serie A", "Ecuador", "America/Guayaquil"),
        ("ENG5", "eng.5", "National League", "England", "Europe/London"),
        ("HOL1", "nl.1", "Eredivisie", "Netherlands", "Europe/Amsterdam"),
        ("ISR1", "il.1", "Israeli Premier League", "Israel", "Asia/Jerusalem"),
        ("KOR1", "kr.1", "K League 1", "South Korea", "Asia/Seoul"),
        ("MAR1", "ma.1", "Botola", "Morocco", "Africa/Casablanca"),
        ("NZL1", "nz.1", "New Zealand Premiership", "New Zealand", "Pacific/Auckland"),
        ("SPA2", "es.2", "Segunda División", "Spain", "Europe/Madrid"),
        ("TUN1", "tn.1", "Tunisian Ligue 1", "Tunisia", "Africa/Tunis"),
        ("VEN1", "ve.1", "Liga FUTVE", "Venezuela", "America/Caracas"),
        ("ZAF1", "za.1", "South African Premiership", "South Africa", "Africa/Johannesburg"),
    ],
)
def test_a_league_of_the_prediction_challenge_has_name_country_and_time_zone(
    code: str, league_id: str, name: str, country: str, zone: str
) -> None:
    assert CHALLENGE_LEAGUES[code] == league_id
    league = league_of(league_id)
    assert (league.name, COUNTRIES[league.country], TIME_ZONES[league.country]) == (name, country, zone)
    assert ZoneInfo(zone).key == zone
