"""One list of matches under two leagues of a season: the league to which the clubs belong keeps it.

A file that holds another league's matches (openfootball published one of Russia's first division as its second) would
take every match from the right league, since no team plays twice a day. Called by `matches.py`.
"""

import polars as pl

from football_assets.domain.leagues import league_of
from football_assets.domain.seasons import overlapping_seasons

MIN_COMMON_SHARE = 0.5
"""Share of the shorter list's matches that two leagues have in common where one list stands under both."""
MIN_COMMON_MATCHES = 3
_MATCH = ["season", "country", "kickoff_date", "home_team", "away_team"]
_OBJECT = ["season", "league_id", "source_object"]


def split_copied_lists(entries: pl.DataFrame, evidence: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off the objects that hold another league's list.

    Of two objects with one list the one stays whose league has more of the clubs in its other objects of the season
    and the seasons beside it; with equal evidence the higher tier, then a league rather than a cup.

    Parameters
    ----------
    entries
        Sound rows of the seasons that are read, with `league_id`, `source_object` and canonical clubs.
    evidence
        Sound rows of these seasons and of those beside them.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The entries that stay, and one row a rejected object: `season`, `source_object`, `source_version`, `reason`.
    """
    pairs = _objects_with_one_list(entries)
    if pairs.is_empty():
        return entries, entries.clear().select(*_OBJECT, "source_version", reason="source_object")
    clubs = _clubs(evidence)
    rejected: dict[tuple[str, str], str] = {}
    for pair in pairs.iter_rows(named=True):
        sides = [
            (pair["league_id"], pair["source_object"]),
            (pair["league_id_other"], pair["source_object_other"]),
        ]
        names = {name for _, name in sides}
        listed = _teams_of(entries, pair["season"], pair["source_object"])
        ranked = sorted(sides, key=lambda side: _rank(clubs, pair["season"], side, names, listed))
        (kept, kept_object), (league, name) = ranked
        if (pair["season"], kept_object) not in rejected:
            reason = (
                f"The file holds the matches of {kept}, not of {league}: {pair['matches']} of them are those of "
                f"{kept_object}. Remove the file, or land the matches of {league} in its place."
            )
            rejected.setdefault((pair["season"], name), reason)
    refused = pl.DataFrame(
        [(*key, reason) for key, reason in rejected.items()],
        schema={"season": pl.String, "source_object": pl.String, "reason": pl.String},
        orient="row",
    )
    of_object = ["season", "source_object"]
    origins = entries.select(*_OBJECT, "source_version").unique()
    return entries.join(refused, on=of_object, how="anti", maintain_order="left"), refused.join(
        origins, on=of_object
    ).select(*_OBJECT, "source_version", "reason")


def _objects_with_one_list(entries: pl.DataFrame) -> pl.DataFrame:
    """Pairs of objects of two leagues that share most matches, with the number of `matches` that they share."""
    fixture = pl.struct("kickoff_date", "home_team", "away_team").hash()
    listings = entries.select("league_id", fixture=fixture).unique()
    several = listings.filter(pl.col("fixture").is_duplicated())["fixture"].unique()
    listed = (
        entries.filter(fixture.is_in(several.implode()))
        .select(*_MATCH, "league_id", "source_object")
        .unique()
    )
    sizes = entries.group_by("season", "source_object").agg(size=pl.len())
    return (
        listed.join(listed, on=_MATCH, suffix="_other")
        .filter(pl.col("league_id") < pl.col("league_id_other"))
        .group_by("season", "league_id", "source_object", "league_id_other", "source_object_other")
        .agg(matches=pl.len())
        .join(sizes, on=["season", "source_object"])
        .join(
            sizes.rename({"source_object": "source_object_other", "size": "size_other"}),
            on=["season", "source_object_other"],
        )
        .filter(
            pl.col("matches") >= MIN_COMMON_MATCHES,
            pl.col("matches") >= MIN_COMMON_SHARE * pl.min_horizontal("size", "size_other"),
        )
        .sort("season", "league_id", "source_object", "league_id_other", "source_object_other")
    )


_Clubs = dict[str, dict[str, dict[str, set[str]]]]
"""Clubs by league, season and object."""


def _clubs(evidence: pl.DataFrame) -> _Clubs:
    origin = ["league_id", "season", "source_object"]
    sides = pl.concat([evidence.select(*origin, club=side) for side in ("home_team", "away_team")])
    found: _Clubs = {}
    for league, season, name, club in sides.unique().iter_rows():
        found.setdefault(league, {}).setdefault(season, {}).setdefault(name, set()).add(club)
    return found


def _teams_of(entries: pl.DataFrame, season: str, source_object: str) -> set[str]:
    rows = entries.filter(pl.col("season") == season, pl.col("source_object") == source_object)
    return {*rows["home_team"], *rows["away_team"]}


def _rank(
    clubs: _Clubs, season: str, side: tuple[str, str], suspects: set[str], listed: set[str]
) -> tuple[int, bool, int, str]:
    """Order in which two objects may keep their list: the first does."""
    league, name = side
    seasons = clubs.get(league, {})
    known = [
        set().union(*(there for other, there in seasons.get(label, {}).items() if other not in suspects))
        for label in (season, *overlapping_seasons(season, seasons))
    ]
    tier = league_of(league).tier
    return -sum(len(listed & there) for there in known), tier is None, tier or 0, name
