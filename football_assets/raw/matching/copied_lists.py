"""Reject the copy where one list of matches is published under two leagues of a season.

openfootball, for example, published a list of Russia's first division as its second. Without this step such a file
could take every match from the right league, since no team plays twice a day.
"""

import polars as pl

from football_assets.domain.leagues import league_of
from football_assets.domain.seasons import overlapping_seasons

MIN_COMMON_SHARE = 0.5
"""Two objects hold one list if they share at least this share of the matches of the shorter one."""
MIN_COMMON_MATCHES = 3
_MATCH = ["season", "country", "kickoff_date", "home_team", "away_team"]
_OBJECT = ["season", "league_id", "source_object"]


def split_copied_lists(entries: pl.DataFrame, evidence: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split off the objects that hold the list of another league.

    Of two objects with one list, the object is kept whose league has more of the clubs in its other objects of this and
    the overlapping seasons; with equal counts the higher tier, then a league rather than a cup.

    Parameters
    ----------
    entries
        Valid rows of the seasons that are read, with `league_id`, `source_object` and canonical clubs.
    evidence
        Valid rows of these and the overlapping seasons.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The accepted entries, and one row per rejected object: `season`, `source_object`, `source_version`, `reason`.
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
    """Find pairs of objects of two leagues that share most matches, with the number of shared `matches`."""
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
    """Return the sort key of an object: of two objects with one list the first keeps it."""
    league, name = side
    seasons = clubs.get(league, {})
    known = [
        set().union(*(there for other, there in seasons.get(label, {}).items() if other not in suspects))
        for label in (season, *overlapping_seasons(season, seasons))
    ]
    tier = league_of(league).tier
    return -sum(len(listed & there) for there in known), tier is None, tier or 0, name
