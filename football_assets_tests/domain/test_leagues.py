"""League identifiers as sources write them, and what they say."""

import pytest

from football_assets.domain.leagues import COUNTRIES, NAMES, League, extra_league, league_of, parse_league_id
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
