"""Recognise a file whose clubs are those of another country than its name says.

Only football-data.co.uk's and FiveThirtyEight's files name their divisions. In the other formats each club of a list
under the name of another league would become a second club, in the country of that league.
"""

from collections.abc import Collection

import polars as pl

from football_assets.domain.clubs import listed_clubs, name_club

MIN_CLUBS = 6
"""Fewer names of clubs prove nothing."""
MAX_SHARE_AT_HOME = 0.2
MIN_SHARE_ABROAD = 0.8
"""The clubs of a file are those of another country if at most and at least these shares of its names are listed."""


def countries_of_clubs(matches: pl.DataFrame) -> dict[int, str]:
    """Return the country of the clubs of each file whose clubs are not of its own country, by `object_order`.

    Parameters
    ----------
    matches
        Rows with `object_order`, `country`, `home_name` and `away_name`.
    """
    names = pl.concat(
        matches.select("object_order", "country", name=side) for side in ("home_name", "away_name")
    ).unique()
    by_file = (
        names.group_by("object_order", "country").agg("name").filter(pl.col("name").list.len() >= MIN_CLUBS)
    )
    found = {order: country_of_clubs(country, listed) for order, country, listed in by_file.iter_rows()}
    return {order: country for order, country in found.items() if country is not None}


def country_of_clubs(country: str, names: Collection[str]) -> str | None:
    """Return the other country of which nearly all names are clubs; None if the names may be of `country`.

    >>> country_of_clubs("eng", ["FC Bayern München", "Hamburger SV", "1. FC Köln", "Mainz 05", "Hertha BSC", "Aue"])
    'de'
    """
    if _listed(country, names) > MAX_SHARE_AT_HOME * len(names):
        return None
    others = {other: _listed(other, names) for other in listed_clubs() if other != country}
    best = max(others, key=lambda other: others[other], default=None)
    return best if best is not None and others[best] >= MIN_SHARE_ABROAD * len(names) else None


def _listed(country: str, names: Collection[str]) -> int:
    return sum(name_club(country, name).how != "unknown" for name in names)
