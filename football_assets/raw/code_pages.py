"""Repair names that were written in the Windows code page of a country and read as Windows-1252.

A file that is not UTF-8 is read as Windows-1252 (`formats.records.decode`). Spreadsheets of Türkiye, Poland or Russia
are saved in other code pages: `Beşiktaş` becomes `Beþiktaþ`. Files of UTF-8 have such names where another program has
read them as Windows-1252.
"""

_READ_AS = "cp1252"
_CENTRAL_EUROPEAN, _CYRILLIC, _GREEK, _TURKISH = "cp1250", "cp1251", "cp1253", "cp1254"
CODE_PAGES = {
    **dict.fromkeys(("cz", "hr", "hu", "pl", "ro", "si", "sk"), _CENTRAL_EUROPEAN),
    **dict.fromkeys(("bg", "ru", "ua"), _CYRILLIC),
    "gr": _GREEK,
    "tr": _TURKISH,
}
"""Code pages by country of the league, where it is not Windows-1252."""
_OTHER_SCRIPTS = (_CYRILLIC, _GREEK)
_MIN_SHARE_OF_SCRIPT = 0.5
"""A name in another script has this share of letters beyond ASCII; a Latin one with accents (`Ólympiakos`) has less."""


def letters_of_country(country: str, name: str) -> str:
    """Return a name with the letters of the country's code page, if it was read as Windows-1252.

    A name that was read rightly has a letter that Windows-1252 lacks, or only letters that both code pages have in one
    place, like `ü`.

    >>> letters_of_country("tr", "Beþiktaþ"), letters_of_country("pl", "Wis³a"), letters_of_country("tr", "Beşiktaş")
    ('Beşiktaş', 'Wisła', 'Beşiktaş')
    """
    code_page = CODE_PAGES.get(country)
    if code_page is None or name.isascii() or (code_page in _OTHER_SCRIPTS and not _is_of_script(name)):
        return name
    try:
        repaired = _bytes_of(name).decode(code_page)
    except UnicodeError:
        return name
    return name if _is_readable(repaired) else repaired


def _is_of_script(name: str) -> bool:
    foreign = sum(not letter.isascii() for letter in name if not letter.isspace())
    return foreign >= _MIN_SHARE_OF_SCRIPT * sum(letter.isalpha() or not letter.isascii() for letter in name)


def _is_readable(name: str) -> bool:
    """Return whether Windows-1252 has all letters of a name."""
    try:
        name.encode(_READ_AS)
    except UnicodeEncodeError:
        return False
    return True


def _bytes_of(name: str) -> bytes:
    """Return the bytes that were read as Windows-1252. The five that it lacks were read as Latin-1."""
    return b"".join(letter.encode("latin-1" if "\x80" <= letter <= "\x9f" else _READ_AS) for letter in name)
