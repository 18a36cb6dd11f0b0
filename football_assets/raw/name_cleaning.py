"""Normalise the names of teams, and repair those that were encoded twice."""

import html
import re
import unicodedata
from functools import partial

import polars as pl

from football_assets.raw.code_pages import letters_of_country

_UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
"""The bytes that Windows-1252 lacks. Their control codes are kept until names are repaired, since other code pages have
letters in these places."""
_WINDOWS_LETTERS = {
    byte: chr(byte) if byte in _UNDEFINED else bytes([byte]).decode("cp1252") for byte in range(0x80, 0x100)
}
_CONTROL_CODES = {byte: letter for byte, letter in _WINDOWS_LETTERS.items() if byte < 0xA0}
_WINDOWS_BYTES = {letter: byte for byte, letter in _WINDOWS_LETTERS.items()}
_CONTINUATION = "[" + "".join(letter for byte, letter in _WINDOWS_LETTERS.items() if byte < 0xC0) + "]"
_ENCODED_TWICE = re.compile(
    f"[ÂÃÄÅ]{_CONTINUATION}"  # U+0080 to U+017F
    "|Æ[¡¯°]|È[˜™š›]|É™"  # letters of Vietnamese, Romanian and Azerbaijani
    f"|á[¸¹º»]{_CONTINUATION}|â€{_CONTINUATION}"  # Latin Extended Additional; quotation marks and dashes
)
"""The bytes of one character in UTF-8, read as Windows-1252. Letters of other scripts than Latin are not among them."""
_READABLE = re.compile(
    "(?<![a-z])(?:[ÃÄÅ][\u00a0’]|Â’|[ÂÄÅ][‘“”–—])(?![a-z])"  # at the end of a word
    "|(?<=[A-Z])(?:[ÄÅ]\u00a0|[ÂÃÄÅ]’)"
)
"""What `_ENCODED_TWICE` also finds in upper case that was encoded once: `UMEÅ` before a space or an apostrophe."""
_CHARACTER_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}[0-9]{0,2});", re.IGNORECASE)
_INVISIBLE = ("Cc", "Cf")  # Unicode categories: control and format characters
_LOST_LETTERS = dict.fromkeys(_UNDEFINED, "\ufffd")
NO_LETTERS_OF_NAMES = (
    "[\ufffdƒˆ˜¤¦¬¯±¶¸¼½¾¥£¢¿¡§¨‰€]"  # anywhere
    r"|\p{L}[?‚„“”‹›«»•†‡™®©…²³¹]\p{L}"  # within a word
    r"|\?\p{L}|\p{L}\?"
)
"""Characters that a clean name has where its letters were lost, or were read in a wrong encoding.

`Malm?` and `K\ufffdln` were written by programs without these letters; `1. FC K”ln` is in DOS's code page 850. Of 2,320
names of football-data.co.uk, footballcsv and openfootball none has them.
"""


def clean_names(rows: pl.DataFrame) -> pl.DataFrame:
    r"""Normalise names: composed accents, single spaces, no invisible characters, text that was encoded once.

    football-data.co.uk has `King\x92s Lynn` in files of UTF-8, with a control code in place of Windows punctuation.
    Text that was read as Windows-1252 or Latin-1 and written as UTF-8 is `KÃ¶ln` in place of `Köln`. Text in the code
    page of the league's country that was read as Windows-1252 is `Beþiktaþ` in place of `Beşiktaş`. Names that were
    scraped from HTML have character references: `Brighton &amp; Hove Albion`.

    Parameters
    ----------
    rows
        Rows with `country`, `home_team` and `away_team`.
    """
    teams = ("home_team", "away_team")
    listed = pl.concat([rows.select("country", name=team) for team in teams]).drop_nulls().unique()
    changed = listed.with_columns(
        clean=pl.Series([_clean(name, country) for country, name in listed.iter_rows()], dtype=pl.String)
    ).filter(pl.col("clean") != pl.col("name"))
    if changed.is_empty():
        return rows
    for team in teams:
        rows = (
            rows.join(changed.rename({"name": team}), on=["country", team], how="left", maintain_order="left")
            .with_columns(pl.coalesce("clean", team).alias(team))
            .drop("clean")
        )
    return rows


def _clean(name: str, country: str) -> str:
    """Clean a name until nothing changes: a step can expose what an earlier step repairs."""
    while (clean := _clean_once(name, country)) != name:
        name = clean
    return name


def _clean_once(name: str, country: str) -> str:
    name = name.translate(_CONTROL_CODES)
    for repair in (_without_references, _repaired, partial(letters_of_country, country)):
        if (repaired := repair(name)) != name:
            return repaired  # which can be encoded twice again, or have control codes
    visible = (
        letter
        for letter in name.translate(_LOST_LETTERS)
        if letter.isspace() or unicodedata.category(letter) not in _INVISIBLE
    )
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).split())


def _without_references(name: str) -> str:
    """Replace character references of HTML, which scraped names have: `Brighton &amp; Hove Albion`."""
    return _CHARACTER_REFERENCE.sub(lambda reference: html.unescape(reference[0]), name)


def _repaired(name: str) -> str:
    """Return a name without its second encoding, if all its letters beyond ASCII were encoded twice.

    A name is kept if each of these sequences can be text that was encoded once.
    """
    is_twice = _ENCODED_TWICE.sub("", name).isascii() and _ENCODED_TWICE.search(_READABLE.sub(" ", name))
    if not is_twice:
        return name
    return _ENCODED_TWICE.sub(
        lambda sequence: bytes(_WINDOWS_BYTES[letter] for letter in sequence[0]).decode(), name
    )
