"""Club vocabulary: which club a source or a person means by a name. One name of each club is canonical.

`seeds/clubs.csv` lists clubs by country with their other names. A name that is not in it may still be spelled like one
that is; `name_club` says how a club was found. Neither other data nor the season matters.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Literal

from football_assets.errors import FootballError

SEED = Path(__file__).with_name("seeds") / "clubs.csv"
SEPARATOR = ";"
How = Literal["name", "alias", "spelling", "unknown"]

_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ı": "i", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ß": "ss"}
)
_APOSTROPHES = re.compile(r"['’‘`´]")
_DOTTED_INITIALS = re.compile(r"\b(?:[a-z]\.){2,}")
_NOT_A_WORD = re.compile(r"[^\w]+|_")
_UMLAUT_SPELLED_OUT = re.compile(r"([aou])e")
# Words that two spellings of one club may differ in, wherever they stand.
_ABBREVIATIONS = {
    "utd": "united",
    "rvs": "rovers",
    "weds": "wednesday",
    "and": "",
    "saint": "st",
    "sankt": "st",
    "bor": "borussia",
    "eintr": "eintracht",
    "atl": "atletico",
    "rw": "rot weiss",
    "dep": "deportivo",
}
# In a name that is not listed: words that stay small within it, and words in capitals beside forms.
_SMALL_WORDS = """
    al am an and da das de del den der di do dos du e el en la las le los of the und van von y
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_ACRONYMS = frozenset(
    ["aek", "aik", "cska", "lafc", "ofi", "paok", "uanl", "unam", "usm", "ii", "iii", "iv", "vi"]
)
_CAPITALISED = frozenset(["club", "dr", "jr", "mr", "sp", "sr", "st"])
_VOWEL = re.compile(r"[aeiouy]|[^a-z]")
_BETWEEN_WORDS = re.compile(r"(?<=\d)([-/])(?=\d)|[^\w]+|_")
# Forms of a club's name that say what it is, not which: left out where only one club of a country remains.
_FORM_WORDS = """
    ac acf afc ad aj as asd bc bk bsc bv ca cd ce cf cfc club cp cs ea ec es ev fc fcv fk fsv fv gd if ifk jk kaa kas kf
    krc ksv kv kvc ogc osc pfc rc rcd rsc sc scr sd sg sk skn sl ss ssc ssv sv tsg tsv tus uc ud us usl vfb vfl vfr vv
"""
_FORMS = frozenset(_FORM_WORDS.split())
_PLAIN_FORM = "fc"


class ClubSeedError(FootballError):
    """`clubs.csv` names two clubs alike."""


@dataclass(frozen=True)
class ClubNames:
    """A club of a country: its canonical name and what else it is called."""

    country: str
    club: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the canonical one first."""
        return (self.club, *self.aliases)


@dataclass(frozen=True)
class Naming:
    """The club that a name means.

    `how` it was found: `name`, the canonical one; `alias`, in the list; `spelling`, spelled like one of the list;
    `unknown`, not found, and the club has the name in its plain spelling. `beside` are the clubs between which a
    spelling does not decide.
    """

    club: str
    how: How
    beside: tuple[str, ...] = ()


@dataclass
class _Spellings:
    """Index a country's clubs by all words of a name, and by the words without forms."""

    by_words: dict[tuple[str, ...], str]
    by_core: dict[tuple[str, ...], set[str]]
    forms: dict[str, set[str]]  # of a club


class ClubList:
    """Clubs of one country and the names that mean them.

    Raises
    ------
    ClubSeedError
        Two clubs have a name in common, or names that differ in case, accents and punctuation alone.
    """

    def __init__(self, clubs: Iterable[ClubNames]) -> None:
        self.clubs = tuple(clubs)
        self._by_name: dict[str, str] = {}
        for club in self.clubs:
            for name in club.names:
                other = self._by_name.setdefault(name, club.club)
                if other != club.club:
                    raise _claimed_twice(club.country, name, other, club.club)

    def name(self, name: str) -> Naming:
        """Say which club a name means.

        A listed name decides. Else the words of the name are compared with those of listed names, whatever the case,
        accents, punctuation and abbreviations. Else forms like FC and years are left out of both: the club must be
        the only one of the country with the words that remain, and the forms that were left out of the name must be
        among those of the club's own names, or be FC where it has none. A word for a second team is no form. Any other
        name is a club of its own, in its plain spelling.
        """
        club = self._by_name.get(name)
        if club is not None:
            return Naming(club, "name" if club == name else "alias")
        if not name.isprintable():  # with invisible characters it is a different text, and no listed name
            return Naming(name, "unknown")
        words = words_of(name)
        same = self._spellings.by_words.get(words)
        if same is not None:
            return Naming(same, "spelling")
        core, forms = _core_and_forms(words)
        found = sorted(self._spellings.by_core.get(core, ())) if core else []
        if len(found) == 1 and forms <= (self._spellings.forms[found[0]] or {_PLAIN_FORM}):
            return Naming(found[0], "spelling")
        return Naming(plain_spelling(name), "unknown", tuple(found))

    @cached_property
    def _spellings(self) -> _Spellings:
        spellings = _Spellings({}, {}, {})
        for club in self.clubs:
            forms = spellings.forms.setdefault(club.club, set())
            for name in club.names:
                words = words_of(name)
                other = spellings.by_words.setdefault(words, club.club)
                if other != club.club:
                    raise _claimed_twice(club.country, name, other, club.club)
                core, own_forms = _core_and_forms(words)
                forms |= own_forms
                if core:
                    spellings.by_core.setdefault(core, set()).add(club.club)
        return spellings


def name_club(country: str, name: str) -> Naming:
    """Find the club that a source or a person means by a name.

    Parameters
    ----------
    country
        As in a league's identifier, like `eng`. One without listed clubs knows no name.

    Raises
    ------
    ClubSeedError
        The list of clubs is not usable.
    """
    return _listed(country).name(name)


def canonical_club(country: str, name: str) -> str:
    """Return the canonical name of the club that is meant; for an unknown one the plain spelling of the name."""
    return name_club(country, name).club


def listed_clubs() -> Mapping[str, tuple[ClubNames, ...]]:
    """Return the clubs of `clubs.csv` by country."""
    return _read_seed()


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """Split a name into words without case, accents and punctuation: `Bristol Rvs` is `bristol rovers`.

    Abbreviations are expanded. An umlaut that is spelled out equals the letter: `Duesseldorf` is `Düsseldorf`.
    """
    words = (_ABBREVIATIONS.get(word, word) for word in _NOT_A_WORD.split(_without_accents(name)))
    return tuple(_UMLAUT_SPELLED_OUT.sub(r"\1", word) for word in " ".join(words).split())


def plain_spelling(name: str) -> str:
    """Write a name that is not listed without accents and punctuation, in one way of capitals.

    Names that differ in case, accents and punctuation alone have one plain spelling, which depends on nothing else:
    seasons that are read alone and together agree.

    >>> plain_spelling("Unión de Santa Fe"), plain_spelling("UNION DE SANTA FE"), plain_spelling("Kalevi F.K.")
    ('Union de Santa Fe', 'Union de Santa Fe', 'Kalevi FK')
    """
    spaced = _BETWEEN_WORDS.sub(lambda found: found[1] or " ", _without_accents(name))
    words = spaced.split()
    within = range(1, len(words) - 1)
    return " ".join(_capitalised(word, number in within) for number, word in enumerate(words)) or name


def _capitalised(word: str, is_within: bool) -> str:
    if word in _SMALL and is_within:
        return word
    is_short = word in _FORMS or word in _ACRONYMS or not _VOWEL.search(word)
    return word.upper() if is_short and word not in _CAPITALISED else word.capitalize()


def _without_accents(name: str) -> str:
    """Return a name in lower case without accents, apostrophes and the points of initials."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _DOTTED_INITIALS.sub(lambda initials: initials[0].replace(".", ""), _APOSTROPHES.sub("", plain))


def _core_and_forms(words: tuple[str, ...]) -> tuple[tuple[str, ...], set[str]]:
    """Separate the words that identify a club from the rest: forms and numbers."""
    forms = {word for word in words if word in _FORMS or word.isdigit()}
    return tuple(word for word in words if word not in forms), forms


def _claimed_twice(country: str, name: str, first: str, second: str) -> ClubSeedError:
    return ClubSeedError(
        f"{SEED.name}: in {country} the name {name!r} is claimed by both {first!r} and {second!r}. Leave it to one."
    )


@cache
def _listed(country: str) -> ClubList:
    return ClubList(_read_seed().get(country, ()))


@cache
def _read_seed() -> Mapping[str, tuple[ClubNames, ...]]:
    by_country: dict[str, list[ClubNames]] = {}
    with SEED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            aliases = tuple(alias for text in row["aliases"].split(SEPARATOR) if (alias := text.strip()))
            by_country.setdefault(row["country"], []).append(ClubNames(row["country"], row["club"], aliases))
    return {country: tuple(clubs) for country, clubs in by_country.items()}
