"""Names of teams: accents, spaces, invisible characters, and text that was encoded twice."""

import csv
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.domain.clubs import SEED
from football_assets.raw.name_cleaning import clean_names

DEFINED = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x100)}


def seed_names() -> list[str]:
    with SEED.open(encoding="utf-8", newline="") as file:
        names = {
            name.strip() for row in csv.DictReader(file) for name in (row["club"], *row["aliases"].split(";"))
        }
    return sorted(names - {""})


NAMES = seed_names()


def read_as_windows_1252(name: str) -> str:
    return "".join(DEFINED[byte] for byte in name.encode())


def read_as_latin_1(name: str) -> str:
    return name.encode().decode("latin-1")


def cleaned(*names: str, country: str = "eng") -> list[str]:
    rows = pl.DataFrame({"home_team": names, "away_team": names}).with_columns(country=pl.lit(country))
    return clean_names(rows)["home_team"].to_list()


@pytest.mark.parametrize(
    ("listed_name", "name"),
    [
        ("K\u00c3\u00b6ln", "Köln"),  # read as Windows-1252, written as UTF-8
        ("K\u00c3\u0096LN", "KÖLN"),  # read as Latin-1
        ("K\u00c3\u2013LN", "KÖLN"),
        ("\u00c3\u0096sterreich", "Österreich"),
        ("\u00c3\u0081lava", "Álava"),  # a byte that Windows-1252 lacks
        ("K\u00c3\u0192\u00c2\u00b6ln", "Köln"),  # encoded three times
        ("\u00c3\u0083\u00c2\u0081lava", "Álava"),
        ("\u00c5\u00a0ibenik", "Šibenik"),
        ("Gimn\u00c3\u00a0stic", "Gimnàstic"),
        ("R\u00c4\u201czekne", "Rēzekne"),
        ("Q\u00c9\u2122b\u00c9\u2122l\u00c9\u2122", "Qəbələ"),
        ("H\u00c3\u00a0 N\u00e1\u00bb\u2122i", "Hà Nội"),
        ("Real\u00c2\u00a0Madrid", "Real Madrid"),
        ("King\u00e2\u20ac\u2122s Lynn", "King’s Lynn"),
        ("King\u00c2\u2019s Lynn", "King’s Lynn"),
        ("King\u0092s Lynn", "King’s Lynn"),
        ("Köln", "Köln"),
        ("São Paulo", "São Paulo"),
        ("\u202eNew\u200bton\u00ad", "Newton"),
        ("\ufeffNewton", "Newton"),
        ("New \u200b Town", "New Town"),
        ("Brighton &amp; Hove Albion", "Brighton & Hove Albion"),
        ("Brighton &amp;amp; Hove Albion", "Brighton & Hove Albion"),
        ("1. FC K&ouml;ln", "1. FC Köln"),
        ("King&#39;s&nbsp;Lynn", "King's Lynn"),
        ("King&#x27;s Lynn", "King's Lynn"),
        ("Dagenham &Redbridge; B&W", "Dagenham &Redbridge; B&W"),
        ("King&#146;s Lynn", "King’s Lynn"),
        ("Ma\u200b\u0301laga", "M\u00e1laga"),
        ("N" * 100, "N" * 100),
    ],
)
def test_a_name_has_no_second_encoding_and_no_invisible_characters(listed_name: str, name: str) -> None:
    rows = pl.DataFrame(
        {"home_team": [listed_name, "Hull", None], "away_team": ["Hull", listed_name, "Hull"]}
    ).with_columns(country=pl.lit("eng"))
    clean = clean_names(rows)
    assert clean["home_team"].to_list() == [name, "Hull", None]
    assert clean["away_team"].to_list() == ["Hull", name, "Hull"]


@pytest.mark.parametrize(
    "name",
    [
        "Blau-Weiß\u00a0Linz",
        "Rot-Weiß\u00a0Erfurt",
        "TROMSØ\u00a0IL",
        "SAN JOSÉ\u00a0EC",
        "MARACANÃ\u00a0EC",
        "UMEÅ\u00a0FC",
        "UMEÅ\u00a0fc",
        "UMEÅ’S",
        "UMEÅ’s",
        "SEINÄ–TORNIO",
        "TRNÍŠTE",
        "NOVÝŠAR",
        "ΑΕΚ Αθήνα",
        "Спартак",
    ],
)
def test_letters_that_could_be_bytes_of_a_second_encoding_are_kept(name: str) -> None:
    assert cleaned(name) == [name.replace("\u00a0", " ")]


@pytest.mark.parametrize(("space", "apostrophe"), [(" ", "'"), ("\u00a0", "'"), (" ", "’"), ("\u00a0", "’")])
@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_no_known_name_changes_but_for_its_spaces(
    change: Callable[[str], str], space: str, apostrophe: str
) -> None:
    names = [change(name).replace("'", apostrophe) for name in NAMES]
    assert (
        cleaned(*(name.replace(" ", space) for name in names))
        == pl.Series(names).str.normalize("NFC").to_list()
    )


@pytest.mark.parametrize("misread", [read_as_windows_1252, read_as_latin_1])
@pytest.mark.parametrize("space", [" ", "\u00a0"])
def test_each_known_name_that_was_encoded_twice_is_repaired(
    misread: Callable[[str], str], space: str
) -> None:
    names = [name for name in NAMES if not name.isascii()]
    assert len(names) > 200
    assert cleaned(*(misread(name.replace(" ", space)) for name in names)) == names


pieces = st.text(max_size=3) | st.sampled_from(
    [
        "Ã",
        "Â",
        "Å",
        "Ä",
        "â€",
        "á»",
        "¶",
        "’",
        "–",
        "\u0096",
        "\u0081",
        "\u00a0",
        "\u200b",
        "\u0301",
        "\u00ad",
        " ",
    ]
)


@given(st.lists(pieces, max_size=8).map("".join), st.sampled_from(["eng", "tr", "pl", "ru", "gr"]))
def test_a_clean_name_stays_as_it_is(name: str, country: str) -> None:
    (clean,) = cleaned(name, country=country)
    assert cleaned(clean, country=country) == [clean]


def test_names_in_the_code_page_of_their_country_are_repaired_there_alone() -> None:
    rows = pl.DataFrame(
        {
            "country": ["tr", "eng", "pl", "cz"],
            "home_team": ["Beþiktaþ", "Beþiktaþ", "\u008cl\u00b9sk Wroc\u00b3aw", "Ba\u009da"],
            "away_team": ["Kasýmpaþa", "Hull", "\u0152l¹sk", "KÃ¶ln"],
        }
    )
    clean = clean_names(rows)
    assert clean["home_team"].to_list() == ["Beşiktaş", "Beþiktaþ", "Śląsk Wrocław", "Baťa"]
    assert clean["away_team"].to_list() == ["Kasımpaşa", "Hull", "Śląsk", "Köln"]


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_a_name_in_ascii_keeps_its_letters(name: str) -> None:
    (clean,) = cleaned(name)
    assert [letter for letter in clean if letter > " "] == [
        letter for letter in name if " " < letter < "\x7f"
    ]
