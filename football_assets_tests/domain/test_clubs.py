"""Which club a name means: listed names, spellings, and clubs that must stay apart."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.domain.clubs import (
    ClubList,
    ClubNames,
    ClubSeedError,
    Naming,
    canonical_club,
    listed_clubs,
    name_club,
    plain_spelling,
    words_of,
)
from football_assets.domain.leagues import COUNTRIES

EVERY_CLUB = [club for clubs in listed_clubs().values() for club in clubs]
# Clubs that were refounded bear nearly the old name, and a city's name means the greater of its clubs: the bare name is
# listed, since nothing else would tell.
NAMED_BARELY = {("eng", "Hereford"), ("eng", "Macclesfield"), ("de", "Frankfurt")}


@pytest.mark.parametrize(
    ("country", "names", "club"),
    [
        ("eng", ["Man United", "Man Utd", "Manchester United FC"], "Manchester United"),
        ("eng", ["Man City", "Manchester City FC"], "Manchester City"),
        ("eng", ["Wolves", "Wolverhampton Wanderers FC"], "Wolverhampton Wanderers"),
        ("eng", ["Spurs", "Tottenham"], "Tottenham Hotspur"),
        ("de", ["Ein Frankfurt"], "Eintracht Frankfurt"),
        ("de", ["M'gladbach", "Borussia Mönchengladbach", "Bor. Mönchengladbach"], "Borussia M'gladbach"),
        ("es", ["Ath Madrid", "Club Atlético de Madrid"], "Atlético"),
        ("es", ["Ath Bilbao", "Athletic Club"], "Athletic"),
        ("es", ["Sp Gijon", "Sporting Gijón"], "Sporting"),
        ("fr", ["Paris SG", "Paris Saint-Germain FC"], "Paris Saint-Germain"),
        ("fr", ["St Etienne", "AS Saint-Étienne"], "AS Saint-Étienne"),
        ("pt", ["Sp Lisbon", "Sporting Clube de Portugal"], "Sporting CP"),
        # Names of FBref, Understat and ClubElo.
        ("eng", ["Nott'ham Forest", "Nott'm Forest"], "Nottingham Forest"),
        ("de", ["Borussia M.Gladbach", "Gladbach"], "Borussia M'gladbach"),
        ("de", ["Eint Frankfurt", "Frankfurt"], "Eintracht Frankfurt"),
        ("de", ["Frankfurt FSV", "FSV Frankfurt 1899"], "FSV Frankfurt"),
        ("de", ["Arminia", "Arminia Bielefeld"], "Bielefeld"),
        ("es", ["Bilbao"], "Athletic"),
        ("fr", ["Paris S-G", "Paris Saint Germain"], "Paris Saint-Germain"),
        ("fr", ["Evian"], "Évian Thonon Gaillard"),
        ("it", ["ChievoVerona"], "Chievo"),
        ("pt", ["B-SAD"], "Belenenses"),
        ("tr", ["Buyuksehyr", "İstanbul Başakşehir"], "İstanbul Başakşehir"),
    ],
)
def test_sources_and_people_mean_one_club(country: str, names: list[str], club: str) -> None:
    assert {canonical_club(country, name) for name in [club, *names]} == {club}
    assert name_club(country, club).how == "name"
    assert name_club(country, names[0]).how == "alias"


@pytest.mark.parametrize(
    ("country", "spelled", "club"),
    [
        ("eng", "MANCHESTER  UNITED", "Manchester United"),
        ("eng", "Manchester Utd. FC", "Manchester United"),
        ("eng", "FC Sunderland", "Sunderland"),
        ("eng", "Brighton and Hove Albion F.C.", "Brighton & Hove Albion"),
        ("sco", "Saint Mirren", "St Mirren"),
        ("de", "Fortuna Duesseldorf", "Fortuna Düsseldorf"),
        ("de", "1.FC Koeln", "1. FC Köln"),
        ("de", "TSG Hoffenheim 1899", "1899 Hoffenheim"),
        ("es", "Malaga C.F.", "Málaga"),
        ("fr", "RC LENS", "RC Lens"),
        ("tr", "Besiktas JK", "Beşiktaş"),
    ],
)
def test_a_name_that_is_not_listed_may_be_spelled_like_one_that_is(
    country: str, spelled: str, club: str
) -> None:
    naming = name_club(country, spelled)
    assert (naming.club, naming.how) == (club, "spelling")


@pytest.mark.parametrize(
    ("country", "names"),
    [
        ("eng", ["Manchester United", "Manchester City", "FC United of Manchester"]),
        ("eng", ["Wimbledon", "AFC Wimbledon", "Milton Keynes Dons"]),
        ("eng", ["Telford United", "AFC Telford United"]),
        ("eng", ["Hereford United", "Hereford FC"]),
        ("eng", ["Liverpool", "AFC Liverpool", "City of Liverpool FC"]),
        ("eng", ["Sheffield United", "Sheffield Weds", "Sheffield FC"]),
        ("sco", ["Dundee", "Dundee FC B", "Dundee United"]),
        ("sco", ["Airdrie", "Airdrie Utd"]),
        ("de", ["FC Köln", "Fortuna Köln", "Viktoria Köln", "1. FC Köln II"]),
        ("de", ["Leipzig", "RB Leipzig", "1. FC Lokomotive Leipzig"]),
        ("de", ["FC Bayern München", "FC Bayern München II", "1860 München", "TSV 1860 München II"]),
        ("es", ["Real Madrid", "Real Madrid B", "Ath Madrid", "Ath Madrid B", "Real Sociedad"]),
        ("es", ["Barcelona", "Barcelona B", "Espanol"]),
        ("es", ["Las Palmas", "U.Las Palmas"]),
        ("es", ["Granada", "Granada 74"]),
        ("es", ["Extremadura", "Extremadura UD"]),
        ("es", ["CD Logroñés", "UD Logroñés", "SD Logroñés"]),
        ("pt", ["Sp Lisbon", "Sp Braga", "Sporting Covilhã"]),
        ("pt", ["Maritimo", "Nacional", "Madeira"]),
        ("nl", ["Ajax", "Jong Ajax", "Sparta", "Excelsior"]),
        ("be", ["Club Brugge", "Cercle Brugge", "Club NXT"]),
        ("fr", ["Ajaccio", "Ajaccio GFCO", "Bastia", "CA Bastia", "Paris FC", "Paris SG"]),
        ("it", ["Milan", "Inter", "Milan U21", "Juventus", "Juventus U23"]),
        ("tr", ["Malatyaspor", "Yeni Malatyaspor", "Erzurum", "Erzurum BB", "Gaziantep", "Gaziantepspor"]),
        ("jp", ["Yamaga", "Montedio Yamagata"]),
    ],
)
def test_clubs_with_names_alike_stay_apart(country: str, names: list[str]) -> None:
    assert len({canonical_club(country, name) for name in names}) == len(names)


def test_a_spelling_that_does_not_decide_names_the_clubs_between_which_it_does_not() -> None:
    naming = name_club("es", "SD Logroñés")
    assert naming.club == "SD Logrones"
    assert naming.how == "unknown"
    assert naming.beside == ("CD Logroñés", "UD Logroñés")
    assert name_club("eng", "AFC Liverpool").beside == ("Liverpool",)


@pytest.mark.parametrize(
    ("names", "club"),
    [
        (
            ["Unión de Santa Fe", "Union De Santa Fe", "UNION DE SANTA FE", "union-de-santa-fe"],
            "Union de Santa Fe",
        ),
        (["A.C. Oulu", "AC Oulu", "ac oulu"], "AC Oulu"),
        (["St. Pat's", "ST PATS", "St Pat’s"], "St Pats"),
        (["Deportivo Alavés II", "DEPORTIVO ALAVES II"], "Deportivo Alaves II"),
        (["Bodø/Glimt", "Bodo Glimt"], "Bodo Glimt"),
        (["Динамо Київ", "ДИНАМО КИЇВ"], "Динамо Киів"),
        (["Town 2010-11"], "Town 2010-11"),
    ],
)
def test_unlisted_names_that_differ_in_case_accents_and_punctuation_are_one_club(
    names: list[str], club: str
) -> None:
    assert {name_club("xy", name) for name in names} == {Naming(club, "unknown")}
    assert plain_spelling(club) == club


def test_no_two_listed_clubs_would_become_one_without_the_list() -> None:
    clubs: dict[tuple[str, str], set[str]] = {}
    for club in EVERY_CLUB:
        for name in club.names:
            clubs.setdefault((club.country, plain_spelling(name)), set()).add(club.club)
    assert {spelling: named for spelling, named in clubs.items() if len(named) > 1} == {}


def test_unlisted_names_of_other_words_are_two_clubs() -> None:
    pairs = [("Rovers", "Rover"), ("Team 1", "Team 2"), ("Sport II", "Sport"), ("FC Union", "Union")]
    for one, other in pairs:
        assert canonical_club("xy", one) != canonical_club("xy", other)


def test_a_club_of_a_country_without_a_list_keeps_its_name() -> None:
    assert name_club("xy", "Kalevi FK").club == "Kalevi FK"
    assert name_club("sco", "Manchester United").how == "unknown"


def test_two_clubs_cannot_claim_a_name_nor_names_that_differ_in_accents_alone() -> None:
    with pytest.raises(ClubSeedError, match="in at the name 'C' is claimed by both 'A' and 'B'"):
        ClubList([ClubNames("at", "A", ("C",)), ClubNames("at", "B", ("C",))])
    alike = ClubList([ClubNames("at", "Köln"), ClubNames("at", "Koeln")])
    assert alike.name("Köln").club == "Köln"
    with pytest.raises(ClubSeedError, match="'Koeln' is claimed by both 'Köln' and 'Koeln'"):
        alike.name("cologne")


def test_words_are_compared_without_case_accents_and_punctuation() -> None:
    assert words_of("  Bristol RVS.") == ("bristol", "rovers")
    assert words_of("U.A.N.L.- Tigres") == ("uanl", "tigres")
    assert words_of("Queen's Park") == words_of("Queens Park")
    assert words_of("Brøndby IF") == ("brondby", "if")
    assert words_of("İstanbul Başakşehir") == ("istanbul", "basaksehir")


def test_every_listed_name_means_its_club_and_every_club_is_of_a_known_country() -> None:
    assert set(listed_clubs()) <= {*COUNTRIES, "cz"}
    for club in EVERY_CLUB:
        assert [canonical_club(club.country, name) for name in club.names] == [club.club] * len(club.names)
        assert all(name == " ".join(name.split()) and name for name in club.names)
        assert len(set(club.names)) == len(club.names)


def test_a_listed_name_left_out_of_the_list_is_found_by_its_spelling_or_not_at_all() -> None:
    wrong = set()
    found = 0
    for country, clubs in listed_clubs().items():
        for club in clubs:
            for alias in club.aliases:
                others = tuple(other for other in club.aliases if other != alias)
                naming = _without_alias(clubs, club, others).name(alias)
                found += naming.club == club.club
                if naming.club != club.club and naming.how != "unknown":
                    wrong.add((country, alias))
    assert wrong == NAMED_BARELY
    assert found > 0.35 * sum(len(club.aliases) for club in EVERY_CLUB)


def _without_alias(clubs: Sequence[ClubNames], club: ClubNames, others: tuple[str, ...]) -> ClubList:
    """The list, with the other aliases of one club alone."""
    return ClubList([replace(club, aliases=others) if other is club else other for other in clubs])


@st.composite
def respelled(draw: st.DrawFn) -> tuple[ClubNames, str]:
    """A listed club and one of its names in another case, with other accents, spaces and forms."""
    club = draw(st.sampled_from(EVERY_CLUB))
    name = draw(st.sampled_from(club.names))
    change = draw(st.sampled_from([str.upper, str.lower, str.title, " ".join, _spaced, _dotted]))
    before = draw(st.sampled_from(["", "", "", "FC ", "1. FC ", "SC ", "AFC ", "Real ", "Jong "]))
    after = draw(st.sampled_from(["", "", "", " FC", " CF", " 1909", " B", " II", " U21", " United"]))
    return club, f"{before}{change(name)}{after}"


def _spaced(name: str) -> str:
    return name.replace(" ", "  ")


def _dotted(name: str) -> str:
    return name.replace(" ", ". ")


@settings(max_examples=300, deadline=None)
@given(respelled())
def test_a_name_given_twice_through_is_as_once(pair: tuple[ClubNames, str]) -> None:
    club, name = pair
    once = canonical_club(club.country, name)
    assert canonical_club(club.country, once) == once


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EVERY_CLUB), st.sampled_from(["B", "II", "U21", "2", "Reserves", "Women"]))
def test_a_second_team_is_never_its_first(club: ClubNames, mark: str) -> None:
    for name in club.names:
        assert canonical_club(club.country, f"{name} {mark}") != club.club


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EVERY_CLUB), st.sampled_from([str.upper, str.lower, _spaced, _dotted]))
def test_case_and_punctuation_never_lead_to_another_club(club: ClubNames, change: object) -> None:
    assert callable(change)
    assert canonical_club(club.country, change(club.club)) == club.club


@pytest.mark.parametrize("name", ["Arsenal\x00", "\u202eArsenal", "Arse\u200bnal"])
def test_a_name_with_letters_that_cannot_be_seen_is_not_known(name: str) -> None:
    assert name_club("eng", name) == Naming(name, "unknown")
