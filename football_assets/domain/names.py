"""Compare names that people type with names that are known, and suggest the nearest."""

import unicodedata
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz, process

LIMIT = 3
_LEAST_SIMILARITY = 60  # per cent, as in `fuzz.ratio`


def nearest(name: str, known: Iterable[str], limit: int = LIMIT) -> list[str]:
    """Return the known names most similar to a name, the best first.

    Similarity is the normalized indel similarity of `rapidfuzz.fuzz.ratio`, ignoring case and accents. After the best
    match come the names that contain the whole name, then the other similar ones.

    Parameters
    ----------
    limit
        Most names to return.
    """
    by_key: dict[str, list[str]] = {}
    for other in sorted(set(known)):
        by_key.setdefault(plain(other), []).append(other)
    key = plain(name)
    if not key:
        return []
    matches = process.extract(
        key, list(by_key), scorer=fuzz.ratio, score_cutoff=_LEAST_SIMILARITY, limit=limit
    )
    similar = [match for match, _, _ in matches]
    containing = [other for other in by_key if key in other]
    ordered = dict.fromkeys([*similar[:1], *containing, *similar])
    return [other for match in ordered for other in by_key[match]][:limit]


def did_you_mean(names: Sequence[str]) -> str:
    """Return the end of an error message that suggests names; empty without any."""
    return f" Did you mean {' or '.join(repr(name) for name in names)}?" if names else ""


def plain(text: str) -> str:
    """Return a text without case and accents, for comparisons."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
