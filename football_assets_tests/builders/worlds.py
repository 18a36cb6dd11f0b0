"""Football countries for the tests of several stages: written by hand, or drawn from Poisson strengths, by seed.

A simulated country has two tiers with promotion and relegation, newcomers, a cup with a village team, and fixtures to
come, some of teams that never played. `build_tables` makes the feature tables of a country as the asset graph does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from football_assets.domain.implied_goals import outcome_probabilities
from football_assets.features.dbt_build import build_features
from football_assets.raw.schema import Match
from football_assets.sequences.columns import columns_read
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec
from football_assets.sequences.state_table import build_team_state
from football_assets.sequences.tensors import SequenceTensors, open_tensors, write_tensors
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table
from football_assets_tests.builders.measured_worlds import with_measures
from football_assets_tests.builders.rated_tables import rated_tables
from football_assets_tests.builders.tables import write_by_country

STRENGTH = 0.35  # deviation of the log goals between teams of a tier
TIER_STEP = 0.3
HOME_GOALS, AWAY_GOALS = 1.5, 1.1
ODDS_MARGIN = 1.05
VILLAGE = "Village"
NEVER_PLAYED = ("Debutants", "Upstarts", "Novices")


@dataclass
class MatchRow:
    """A match of a country, or a fixture, which has no goals. Its league is a tier or `cup`."""

    league: str
    season: str
    day: date
    home: str
    away: str
    goals: tuple[int, int] | None = None
    odds: tuple[float, float, float] | None = None


def simulated_country(
    country: str = "eng", *, seed: int = 0, seasons: int = 6, teams: int = 8, unplayed_rounds: int = 3
) -> pl.DataFrame:
    """The country's `raw_matches`: one row per match, played or not.

    Parameters
    ----------
    seasons
        From 2010-11 on.
    teams
        Of each tier; of an odd number, one rests in every round.
    unplayed_rounds
        Rounds at the end that are fixtures, with a tie of the cup and matches of teams that never played.
    """
    generator = np.random.default_rng(seed)
    tiers = [[f"Town {tier}{number}" for number in range(teams)] for tier in (1, 2)]
    strength = {VILLAGE: -3 * TIER_STEP, **dict.fromkeys(NEVER_PLAYED, -2 * TIER_STEP)}
    for tier, names in enumerate(tiers):
        strength |= {name: generator.normal(-tier * TIER_STEP, STRENGTH) for name in names}
    rows: list[MatchRow] = []
    for number in range(seasons):
        season = f"{2010 + number}-{11 + number}"
        start = date(2010 + number, 8, 7)
        last = number == seasons - 1
        rounds = 2 * (teams - 1 + teams % 2)
        played_until = start + timedelta(days=7 * (rounds - unplayed_rounds)) if last else date.max
        made = list(_season_matches(tiers, season, start, generator))
        if last:
            end = start + timedelta(days=7 * rounds)
            first, second, third = NEVER_PLAYED
            made += [
                MatchRow("2", season, end, first, tiers[1][0]),
                MatchRow("1", season, end, tiers[0][1], second),
                MatchRow("3", season, end + timedelta(days=2), second, third),
                MatchRow("cup", season, end + timedelta(days=4), first, VILLAGE),
            ]
        for row in made:
            if row.day < played_until:
                rates = _rates(strength[row.home], strength[row.away])
                row.goals = (int(generator.poisson(rates[0])), int(generator.poisson(rates[1])))
                row.odds = _odds(rates) if row.league == "1" else None
        rows += made
        tiers = _promoted(tiers, made, f"Newcomers {season}")
        strength |= {
            name: generator.normal(-TIER_STEP, STRENGTH) for name in tiers[1] if name not in strength
        }
    return raw_matches(country, rows)


def match_id(country: str, number: int) -> str:
    """Identifier of a country's match of that number, counted from 0."""
    return f"{_prefix(country)}{number:010x}"


def raw_matches(country: str, rows: list[MatchRow]) -> pl.DataFrame:
    """Rows in the schema of `raw_matches`, their identifiers in the order given."""
    records = [
        {
            "match_id": match_id(country, number),
            "league_id": f"{country}.{row.league}",
            "season": row.season,
            "kickoff_date": row.day,
            "home_team": row.home,
            "away_team": row.away,
            "home_goals": row.goals[0] if row.goals else None,
            "away_goals": row.goals[1] if row.goals else None,
            "is_cup": row.league == "cup",
            **dict(zip(("odds_home", "odds_draw", "odds_away"), row.odds or (None,) * 3, strict=True)),
            "source": "simulated",
            "source_object": "raw/simulated.json",
            "source_version": "1",
        }
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(records, schema=Match.create_empty().schema)


def in_country(matches: pl.DataFrame, country: str) -> pl.DataFrame:
    """The same matches in another country, their identifiers in the same order."""
    return matches.with_columns(
        match_id=pl.lit(_prefix(country)) + pl.col("match_id").str.slice(6),
        league_id=pl.lit(f"{country}.") + pl.col("league_id").str.split(".").list.last(),
    )


def unplayed_from(matches: pl.DataFrame, day: date) -> pl.DataFrame:
    """The same matches before any result of `day` or later is known."""
    known = pl.col("kickoff_date") < day
    return matches.with_columns(
        pl.when(known).then(f"{side}_goals").alias(f"{side}_goals") for side in _SIDES
    )


def rewritten_from(matches: pl.DataFrame, day: date, seed: int = 1) -> pl.DataFrame:
    """The same matches until `day`; from that day on scores are changed, withdrawn and deleted, and matches added."""
    generator = np.random.default_rng(seed)
    kept = matches.filter(pl.col("kickoff_date") < day)
    later = matches.filter(pl.col("kickoff_date") >= day)
    fate = pl.Series(generator.choice(["changed", "withdrawn", "deleted", "kept"], len(later)))
    later = later.with_columns(
        pl.when((fate == "changed") & pl.col(f"{side}_goals").is_not_null())
        .then(pl.Series(generator.integers(0, 9, len(later))))
        .when(fate != "withdrawn")
        .then(f"{side}_goals")
        .cast(pl.Int16)
        .alias(f"{side}_goals")
        for side in _SIDES
    ).filter(fate != "deleted")
    season = str(later["season"][0])
    country = str(matches["league_id"][0]).split(".")[0]
    added = raw_matches(
        country,
        [
            MatchRow("1", season, day, "Phantoms", "Ghosts", (7, 0)),
            MatchRow("4", season, day, "Spectres", "Shades", (1, 1)),
            MatchRow("2", season, day + timedelta(days=1), "Ghosts", "Wraiths", (0, 5)),
        ],
    ).with_columns(match_id=pl.col("match_id").str.slice(0, 6) + "f" + pl.col("match_id").str.slice(7))
    return pl.concat([kept, later, added])


@dataclass(frozen=True)
class FeatureTables:
    """What the feature stage makes of results."""

    stg_matches: pl.DataFrame
    team_matches: pl.DataFrame
    team_form: pl.DataFrame
    team_ratings: pl.DataFrame
    team_market_ratings: pl.DataFrame
    team_shot_ratings: pl.DataFrame
    match_features: pl.DataFrame

    def of(self, country: str) -> "FeatureTables":
        """The tables of one country."""
        mine = pl.col("league_id").str.starts_with(f"{country}.")
        return FeatureTables(*(getattr(self, field.name).filter(mine) for field in fields(self)))

    def write_tensors(self, folder: Path, spec: FeatureSpec = DEFAULT_SPEC) -> None:
        """Encode the tables into an empty folder."""
        tables = {name: getattr(self, name) for name in columns_read(spec)}
        write_tensors(**tables, folder=folder, spec=spec)

    def team_state(self, spec: FeatureSpec = DEFAULT_SPEC) -> pl.DataFrame:
        """The table of the team state."""
        return build_team_state(
            self.team_matches,
            self.team_form,
            self.team_ratings,
            self.team_market_ratings,
            self.team_shot_ratings,
            spec,
        )


def several(tables: FeatureTables, *countries: str) -> FeatureTables:
    """The tables of some countries."""
    parts = [tables.of(country) for country in countries]
    return FeatureTables(
        *(pl.concat([getattr(part, field.name) for part in parts]) for field in fields(FeatureTables))
    )


def home_teams_lose(tables: FeatureTables) -> FeatureTables:
    """The same with every result a 0-5, in the tables that have goals; form and ratings stay as they were."""
    played = pl.col("is_played")
    home, away = pl.lit(0, pl.Int16), pl.lit(5, pl.Int16)
    scored, conceded = (
        pl.when("is_home").then(home).otherwise(away),
        pl.when("is_home").then(away).otherwise(home),
    )
    return replace(
        tables,
        match_features=tables.match_features.with_columns(
            pl.when(played).then(home).alias("home_goals"), pl.when(played).then(away).alias("away_goals")
        ),
        team_matches=tables.team_matches.with_columns(
            pl.when(played).then(scored).alias("goals_for"),
            pl.when(played).then(conceded).alias("goals_against"),
        ),
    )


def build_tables(bucket: Bucket, matches: pl.DataFrame, scratch: Path) -> FeatureTables:
    """Build the feature tables in a bucket as the asset graph does: dbt, ratings, dbt."""
    countries = write_by_country(bucket, "raw_matches", Match.validate(matches))
    build_features(bucket, ["stg_matches", "team_matches", "team_form"], countries, scratch)
    for name, table in rated_tables(read_table(bucket, "stg_matches")).items():
        write_by_country(bucket, name, table, countries)
    build_features(bucket, ["match_features"], countries, scratch)
    return read_tables(bucket)


def read_tables(bucket: Bucket) -> FeatureTables:
    """The feature tables of a bucket."""
    return FeatureTables(*(read_table(bucket, field.name) for field in fields(FeatureTables)))


_SIDES = ("home", "away")


def _prefix(country: str) -> str:
    return f"{country.encode().hex():0<6}"


def _season_matches(
    tiers: list[list[str]], season: str, start: date, generator: np.random.Generator
) -> Iterator[MatchRow]:
    for tier, names in enumerate(tiers):
        order = [names[i] for i in generator.permutation(len(names))]
        for week, pairs in enumerate(_double_round_robin(order)):
            for number, (home, away) in enumerate(pairs):
                day = start + timedelta(days=7 * week + (number + tier) % 2)
                yield MatchRow(str(tier + 1), season, day, home, away)
    for week in range(0, 2 * len(tiers[0]) - 2, 3):
        day = start + timedelta(days=7 * week + 4)
        first, second = (names[int(generator.integers(len(names)))] for names in tiers)
        third = next(name for name in tiers[1] if name != second)
        yield MatchRow("cup", season, day, first, second)
        yield MatchRow("cup", season, day, VILLAGE, third)


def _double_round_robin(teams: list[str]) -> list[list[tuple[str, str]]]:
    ring: list[str | None] = [*teams, None] if len(teams) % 2 else [*teams]
    rounds = []
    for turn in range(len(ring) - 1):
        pairs = [(ring[i], ring[-1 - i]) for i in range(len(ring) // 2)]
        swapped = [(away, home) if turn % 2 else (home, away) for home, away in pairs]
        rounds.append([(home, away) for home, away in swapped if home is not None and away is not None])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds + [[(away, home) for home, away in pairs] for pairs in rounds]


def _promoted(tiers: list[list[str]], played: list[MatchRow], newcomer: str) -> list[list[str]]:
    points = dict.fromkeys([*tiers[0], *tiers[1]], 0)
    for row in played:
        if row.goals is not None and row.league != "cup":
            home, away = row.goals
            points[row.home] += 3 if home > away else home == away
            points[row.away] += 3 if away > home else home == away
    top, second = (sorted(names, key=lambda name: (points[name], name)) for names in tiers)
    return [[*top[1:], second[-1]], [*second[1:-1], top[0], newcomer]]


def _rates(home: float, away: float) -> tuple[float, float]:
    difference = home - away
    return HOME_GOALS * float(np.exp(difference)), AWAY_GOALS * float(np.exp(-difference))


def _odds(rates: tuple[float, float]) -> tuple[float, float, float]:
    """Odds of a bookmaker who knows the rates and prices draws as real ones do."""
    chances = outcome_probabilities(*(np.array([rate]) for rate in rates))
    home, draw, away = (
        max(round(1 / (ODDS_MARGIN * float(chance[0])), 3), 1.01)
        for chance in (chances.home, chances.draw, chances.away)
    )
    return home, draw, away


TRUTH = "eng"
REWRITTEN = "it"  # other results from REWRITTEN_FROM on
REWRITTEN_FROM = date(2014, 9, 18)
TRUNCATED = {  # results are known until the day before
    "de": date(2014, 9, 20),
    "es": date(2012, 8, 7),
    "fr": date(2010, 8, 15),
}
NO_RESULTS = "se"


@dataclass(frozen=True)
class SimulatedCountries:
    """One history under several conditions, each in a country of its own: read, do not write.

    Some matches have odds and statistics. Those of REWRITTEN differ from REWRITTEN_FROM on.
    """

    bucket: Bucket
    tables: FeatureTables

    def tensors(self, country: str, folder: Path) -> SequenceTensors:
        """The sequence tensors of one country, written to an empty folder."""
        mine = self.tables.of(country)
        mine.write_tensors(folder)
        return open_tensors(folder)


def simulated_countries(folder: Path) -> SimulatedCountries:
    """Build the features of TRUTH, REWRITTEN, TRUNCATED and NO_RESULTS, or read those that a folder has already."""
    bucket, ready = open_bucket(str(folder / "bucket")), folder / "ready"
    if ready.exists():
        return SimulatedCountries(bucket, read_tables(bucket))
    truth = simulated_country(TRUTH)
    rewritten = rewritten_from(truth, REWRITTEN_FROM)
    conditions = {
        REWRITTEN: rewritten,
        NO_RESULTS: unplayed_from(truth, date.min),
    }
    conditions |= {country: unplayed_from(truth, day) for country, day in TRUNCATED.items()}
    measured = {country: with_measures(world) for country, world in conditions.items()}
    later = pl.col("kickoff_date") >= REWRITTEN_FROM
    measured[REWRITTEN] = pl.concat(
        [measured[REWRITTEN].filter(~later), with_measures(rewritten, seed=1).filter(later)]
    )
    matches = [with_measures(truth), *(in_country(world, country) for country, world in measured.items())]
    tables = build_tables(bucket, pl.concat(matches), folder / "scratch")
    ready.touch()
    return SimulatedCountries(bucket, tables)
