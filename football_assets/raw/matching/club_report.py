"""Report how well the club names of several sources match.

The report lists clubs that a source lacks and their likely counterparts, and pairs of names of one club that play
different fixtures on one day. `football clubs` and an asset check use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from football_assets.raw.matching.canonical_clubs import clubs_named
from football_assets.raw.matching.merging import PLAYS_ALREADY

DAYS_APART = 1
"""The days by which sources may differ on the date of a match."""
MIN_COMMON = 2
MIN_SHARE_IN_COMMON = 0.5
_LEAGUE = ["season", "league_id"]
_RESULT = ["kickoff_date", "is_home", "goals_for", "goals_against"]
_PAIR = [*_LEAGUE, "club", "source", "other_club", "other_source", "in_common"]
_SOURCE = "^raw/(.+)/[^/]+/[^/]+$"
_SIDES = (("home", "away", True), ("away", "home", False))


@dataclass(frozen=True)
class ClubReport:
    """The agreement of several sources on club names.

    Attributes
    ----------
    leagues
        One row per season and league of two or more sources: `sources`, `clubs` in all, `shared` by all sources, and
        how many names are `canonical`, an `alias`, found by `spelling`, or `unknown`.
    spellings
        One row per name whose club was found by the spelling fallback, listed or not: `country`, `name`, `club`,
        `sources`, `first_season`, `last_season`, `matches`. An unlisted club is included if it has several names.
    mismatches
        One row per club and source of its league that does not have it: `season`, `league_id`, `club`, `known_to`,
        `missing_in`, `matches`, and the most likely `counterpart` there with the matches `in_common`, or null.
    contradictions
        One row per season and pair of names of one club that play `different` fixtures on more days than the `same`
        fixture: `country`, `club`, `name`, `how`, `other_name`, `other_how`.
    """

    leagues: pl.DataFrame
    spellings: pl.DataFrame
    mismatches: pl.DataFrame
    contradictions: pl.DataFrame

    def summary(self) -> dict[str, int]:
        """Return the counts of the report. A club counts once a season and league."""
        return {
            "leagues": self.leagues.height,
            "clubs": int(self.leagues["clubs"].sum()),
            "shared": int(self.leagues["shared"].sum()),
            "mismatches": self.mismatches.height,
            "spellings": self.spellings.height,
            "contradictions": self.contradictions.height,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a JSON-compatible dictionary."""
        tables: Mapping[str, pl.DataFrame] = vars(self)
        return {"summary": self.summary(), **{name: table.to_dicts() for name, table in tables.items()}}


def club_report(entries: pl.DataFrame) -> ClubReport:
    """Compare the clubs of all sources.

    Parameters
    ----------
    entries
        Rows with canonical clubs before merging, as `matches.named_entries` reads them.
    """
    names = clubs_named(entries.select("country", home_team="home_name", away_team="away_name"))
    sides = _sides(entries).join(names.select("country", "name", "how"), on=["country", "name"])
    shared = sides.filter(pl.col("source").n_unique().over(_LEAGUE) > 1)
    return ClubReport(
        leagues=_leagues(shared),
        spellings=_spellings(sides),
        mismatches=_mismatches(shared),
        contradictions=_contradictions(sides),
    )


def clubs_told_apart(matches: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    """Find clubs that one source of a league lacks while a club that only that source has plays the same matches.

    If both teams of a match have two names, the match is in `raw_matches` twice. If one has, the second entry is
    rejected, since the other team would play twice that day, and its second name is unknown: `other_club` is null.

    Parameters
    ----------
    matches
        `raw_matches`, in which a match that sources agree on has one row.
    rejected
        `raw_matches_rejected`.

    Returns
    -------
    pl.DataFrame
        One row per season, league and pair: `club`, `source`, `other_club`, `other_source`, `in_common`.
    """
    named = matches.with_columns(home_name="home_team", away_name="away_team", country=pl.lit(""))
    sides = _sides(named)
    shared = sides.filter(pl.col("source").n_unique().over(_LEAGUE) > 1)
    counted_twice = (
        _counterparts(shared, _missing(shared))
        .filter(
            pl.col("source") < pl.col("other_source"),
            pl.col("in_common") >= MIN_SHARE_IN_COMMON * pl.min_horizontal("matches", "other_matches"),
        )
        .select(_PAIR)
    )
    clubs = sides.group_by(*_LEAGUE, "club").agg(matches=pl.len())
    rejected_entries = (
        _rejected_beside_another_source(matches, rejected)
        .join(clubs, on=[*_LEAGUE, "club"])
        .filter(pl.col("in_common") >= MIN_SHARE_IN_COMMON * pl.col("matches"))
        .select(_PAIR)
    )
    found = pl.concat([counted_twice, rejected_entries]).filter(pl.col("in_common") >= MIN_COMMON)
    return found.sort(*_LEAGUE, "club", "other_source", "other_club")


def _rejected_beside_another_source(matches: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    """Count the entries of a source that were rejected since a team plays the `club` of another source that day."""
    origins = matches.select("source_object", *_LEAGUE, "source").unique("source_object")
    twice = rejected.select(
        pl.col("reason").str.extract_groups(PLAYS_ALREADY),
        other_source=pl.col("source_object").str.extract(_SOURCE),
    ).unnest("reason")
    return (
        twice.filter(pl.col("team").is_not_null())
        .join(origins, on="source_object")
        .filter(pl.col("source") != pl.col("other_source"))
        .with_columns(club=pl.when(pl.col("team") == pl.col("home")).then("away").otherwise("home"))
        .group_by(*_LEAGUE, "club", "source", "other_source")
        .agg(in_common=pl.len())
        .with_columns(other_club=pl.lit(None, pl.String))
    )


def _sides(entries: pl.DataFrame) -> pl.DataFrame:
    """Reshape entries to one row per entry and team."""
    return pl.concat(
        [
            entries.select(
                *_LEAGUE,
                "country",
                "source",
                "kickoff_date",
                is_home=pl.lit(is_home),
                club=f"{side}_team",
                name=f"{side}_name",
                opponent=f"{other}_team",
                goals_for=f"{side}_goals",
                goals_against=f"{other}_goals",
            )
            for side, other, is_home in _SIDES
        ]
    )


def _leagues(sides: pl.DataFrame) -> pl.DataFrame:
    hows = {"canonical": "name", "alias": "alias", "spelling": "spelling", "unknown": "unknown"}
    clubs = sides.group_by(*_LEAGUE, "club").agg(sources=pl.col("source").n_unique())
    of_all = sides.group_by(_LEAGUE).agg(
        pl.col("source").unique().sort().alias("sources"),
        *(
            pl.col("name").filter(pl.col("how") == how).n_unique().alias(column)
            for column, how in hows.items()
        ),
    )
    counted = (
        clubs.join(of_all.select(*_LEAGUE, all=pl.col("sources").list.len()), on=_LEAGUE)
        .group_by(_LEAGUE)
        .agg(clubs=pl.len(), shared=(pl.col("sources") == pl.col("all")).sum())
    )
    return (
        of_all.join(counted, on=_LEAGUE)
        .select(*_LEAGUE, "sources", "clubs", "shared", *hows)
        .sort("season", "league_id")
    )


def _spellings(sides: pl.DataFrame) -> pl.DataFrame:
    is_merged = (pl.col("how") == "unknown") & (pl.col("name").n_unique().over("country", "club") > 1)
    return (
        sides.filter((pl.col("how") == "spelling") | is_merged)
        .group_by("country", "name", "club")
        .agg(
            sources=pl.col("source").unique().sort(),
            first_season=pl.col("season").min(),
            last_season=pl.col("season").max(),
            matches=pl.len(),
        )
        .sort("country", "club", "name")
    )


def _mismatches(sides: pl.DataFrame) -> pl.DataFrame:
    missing = _missing(sides)
    best = (
        _counterparts(sides, missing)
        .filter(pl.col("in_common") >= MIN_COMMON)
        .sort("in_common", "other_club", descending=[True, False])
        .unique([*_LEAGUE, "club", "other_source"], keep="first")
        .select(*_LEAGUE, "club", "other_source", counterpart="other_club", in_common="in_common")
    )
    return (
        missing.group_by(*_LEAGUE, "club", "other_source")
        .agg(known_to=pl.col("source").sort(), matches=pl.col("matches").max())
        .join(best, on=[*_LEAGUE, "club", "other_source"], how="left")
        .rename({"other_source": "missing_in"})
        .select(*_LEAGUE, "club", "known_to", "missing_in", "matches", "counterpart", "in_common")
        .sort(*_LEAGUE, "club", "missing_in")
    )


def _missing(sides: pl.DataFrame) -> pl.DataFrame:
    """List each club with a `source` that has it, its `matches` there, and an `other_source` that lacks it."""
    clubs = sides.group_by(*_LEAGUE, "source", "club").agg(matches=pl.len())
    others = sides.select(*_LEAGUE, other_source="source").unique()
    known = clubs.select(*_LEAGUE, "club", other_source="source")
    return clubs.join(others, on=_LEAGUE).join(known, on=[*_LEAGUE, "club", "other_source"], how="anti")


def _counterparts(sides: pl.DataFrame, missing: pl.DataFrame) -> pl.DataFrame:
    """Pair clubs that two sources do not share, with the number of results `in_common`.

    Results are in common if side and score are the same and the dates at most DAYS_APART apart.
    """
    played = sides.filter(pl.col("goals_for").is_not_null())
    key = [*_LEAGUE, "source", "other_source"]
    own = missing.join(played, on=[*_LEAGUE, "source", "club"]).with_row_index("result")
    other = own.select(
        *_LEAGUE,
        *_RESULT,
        source="other_source",
        other_source="source",
        other_club="club",
        other_matches="matches",
    )
    days = [pl.col("kickoff_date") + pl.duration(days=days) for days in range(-DAYS_APART, DAYS_APART + 1)]
    near = other.with_columns(kickoff_date=pl.concat_list(days)).explode("kickoff_date")
    return (
        own.join(near, on=[*key, *_RESULT])
        .group_by(*key, "club", "matches", "other_club", "other_matches")
        .agg(in_common=pl.col("result").n_unique())
    )


def _contradictions(sides: pl.DataFrame) -> pl.DataFrame:
    """Find pairs of names of one club that play different fixtures on more days than the same one.

    Two names have the same fixture on a day if the opponent is the same, or the score, since the opponent may have two
    names as well.
    """
    of_club = ["country", "season", "club"]
    result = ["opponent", "is_home", "goals_for", "goals_against"]
    several = (
        sides.filter(pl.col("goals_for").is_not_null(), pl.col("name").n_unique().over(of_club) > 1)
        .select(*of_club, "kickoff_date", "name", "how", *result)
        .unique()
    )
    has_same = {name: pl.col(name) == pl.col(f"{name}_other") for name in result}
    is_same = has_same["is_home"] & (
        has_same["opponent"] | (has_same["goals_for"] & has_same["goals_against"])
    )
    return (
        several.join(several, on=[*of_club, "kickoff_date"], suffix="_other")
        .filter(pl.col("name") < pl.col("name_other"))
        .group_by(*of_club, "name", "how", other_name="name_other", other_how="how_other")
        .agg(
            same=pl.col("kickoff_date").filter(is_same).n_unique(),
            different=pl.col("kickoff_date").filter(~is_same).n_unique(),
        )
        .filter(pl.col("different") > pl.col("same"))
        .sort(*of_club, "name", "other_name")
    )
