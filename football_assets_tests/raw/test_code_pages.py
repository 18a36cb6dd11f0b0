"""Names that were written in the code page of a country and read as Windows-1252."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.domain.clubs import listed_clubs
from football_assets.raw.code_pages import CODE_PAGES, letters_of_country
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

COUNTRIES = st.sampled_from(["eng", *CODE_PAGES])


def misread(name: str, code_page: str) -> str:
    data = name.encode(code_page)
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@pytest.mark.parametrize(
    ("league", "code_page", "row", "teams"),
    [
        ("tr.1", "cp1254", "Beşiktaş,2-1,1-0,Kasımpaşa", ("Beşiktaş", "Kasımpaşa")),
        ("tr.1", "cp1254", "GENÇLERBİRLİĞİ,2-1,1-0,Fenerbahçe", ("Gençlerbirliği", "Fenerbahçe")),
        ("pl.1", "cp1250", "Śląsk Wrocław,2-1,1-0,Lech Poznań", ("Slask Wroclaw", "Lech Poznan")),
        ("ru.1", "cp1251", "Динамо,2-1,1-0,Зенит", ("Динамо", "Зенит")),
        ("de.1", "cp1252", "1. FC Köln,2-1,1-0,Mainz 05", ("1. FC Köln", "1. FSV Mainz 05")),
    ],
)
def test_a_spreadsheet_of_a_country_has_the_clubs_of_the_same_file_in_utf_8(
    bucket: Bucket, league: str, code_page: str, row: str, teams: tuple[str, str]
) -> None:
    text = csv_of(f"2014-08-16,{row}")
    put(bucket, f"a/2014-15/{league}.csv", text.encode(code_page))
    put(bucket, f"b/2014-15/{league}.csv", text)
    found = read_season(bucket, "2014-15", TODAY)
    assert found.matches.select("home_team", "away_team").rows() == [teams]
    assert found.rejected.is_empty()


def test_no_known_name_changes() -> None:
    names = [
        (country, name) for country, clubs in listed_clubs().items() for club in clubs for name in club.names
    ]
    assert len(names) > 3000
    assert [letters_of_country(country, name) for country, name in names] == [name for _, name in names]


def test_each_known_name_in_its_code_page_is_repaired() -> None:
    repaired = 0
    for country, code_page in CODE_PAGES.items():
        for name in (name for club in listed_clubs().get(country, ()) for name in club.names):
            try:
                wrong = misread(name, code_page)
            except UnicodeEncodeError:
                continue
            assert letters_of_country(country, wrong) == name
            repaired += wrong != name
    assert repaired > 20


@pytest.mark.parametrize("name", ["Panathinaïkós", "Zenít", "Köln", "AEK"])
@pytest.mark.parametrize("country", ["ru", "gr"])
def test_latin_names_with_accents_are_no_cyrillic_or_greek(country: str, name: str) -> None:
    assert letters_of_country(country, name) == name


@given(
    COUNTRIES,
    st.text(max_size=8) | st.text(st.characters(min_codepoint=0x80, max_codepoint=0x192), max_size=4),
)
def test_a_repaired_name_is_not_repaired_again(country: str, name: str) -> None:
    repaired = letters_of_country(country, name)
    assert letters_of_country(country, repaired) == repaired
