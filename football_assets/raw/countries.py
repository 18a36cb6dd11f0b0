"""Which country partition a landing object belongs to, and the landing objects of countries.

An object belongs to the country of the league that its name says, cups included. An object in a season's folder whose
name says no country, such as records without a league or a stray file, belongs to NO_COUNTRY: its records are rejected
there, so that none is lost. An object in no season's folder belongs to no partition; the sensor and the asset check
`every_file_can_be_read` report it. Called by the raw assets, the read record, `quality.py` and the command line.
"""

from collections import defaultdict
from collections.abc import Collection

from football_assets.raw.landing import Inventory, LandingObject, StrayObject, in_order

NO_COUNTRY = "no_country"
"""Partition of objects whose name says no country. No code of a country is as long."""


def country_of(item: LandingObject | StrayObject) -> str | None:
    """Return the partition of an object; None for an object outside of the seasons' folders."""
    if isinstance(item, StrayObject):
        return None if item.season is None else NO_COUNTRY
    return item.league.country or NO_COUNTRY


def by_country_of(listed: Inventory) -> dict[str, list[LandingObject | StrayObject]]:
    """Return the objects of each country that has any, countries in order of name."""
    found: dict[str, list[LandingObject | StrayObject]] = defaultdict(list)
    items: list[LandingObject | StrayObject] = [*listed.objects, *listed.strays]
    for item in items:
        country = country_of(item)
        if country is not None:
            found[country].append(item)
    return dict(sorted(found.items()))


def landed_countries(listed: Inventory) -> list[str]:
    """Return the countries with any object, in order of name."""
    return list(by_country_of(listed))


def objects_of(listed: Inventory, countries: Collection[str]) -> list[LandingObject]:
    """Return the landing objects of countries, in order of source and name."""
    return in_order(item for item in listed.objects if country_of(item) in countries)
