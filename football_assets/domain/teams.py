"""Team vocabulary: a team is its country and its name, canonical where `clubs` knows it."""

import difflib
import unicodedata
from collections.abc import Iterable


def team_id(country: str, team_name: str) -> str:
    """Identifier of a team: `eng:Arsenal`."""
    return f"{country}:{team_name}"


def nearest(name: str, choices: Iterable[str], n: int = 3) -> list[str]:
    """Up to `n` choices spelled most like `name`, whatever the case and the accents; the best first."""
    by_key: dict[str, list[str]] = {}
    for choice in sorted(set(choices)):
        by_key.setdefault(plain(choice), []).append(choice)
    key = plain(name)
    close = difflib.get_close_matches(key, by_key, n=n, cutoff=0.55)
    containing = [other for other in by_key if key and key in other]
    ordered = dict.fromkeys([*close[:1], *containing, *close])
    return [choice for other in ordered for choice in by_key[other]][:n]


def did_you_mean(names: list[str]) -> str:
    """The end of an error message that offers spellings; empty without any."""
    return f" Did you mean {' or '.join(repr(name) for name in names)}?" if names else ""


def plain(text: str) -> str:
    """A name without case and accents, for comparison."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
