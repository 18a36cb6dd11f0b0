"""Feature tables of a small league, as the registry and the forecasts read them."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl

from football_assets.sequences.spec import DEFAULT_SPEC

TEAMS = ("Arsenal", "Aston Villa", "Chelsea", "Everton", "Liverpool", "Sunderland")
FIRST_DAY = date(2015, 8, 1)
PLAYED_ROUNDS, ROUNDS = 12, 14
_FORM = [f"{name}_{n}" for name in ("points", "goals_for", "goals_against") for n in (5, 10)]
_RATINGS = (("elo", 1500, 80), ("attack", 0, 0.2), ("defence", 0, 0.2))
_VENUE = [
    f"{venue}_{name}_5" for venue in ("home", "away") for name in ("points", "goals_for", "goals_against")
]


@dataclass(frozen=True)
class FeatureTables:
    """The tables that the registry and the forecasts read. Forms and ratings are random: only names and keys matter."""

    stg_matches: pl.DataFrame
    team_matches: pl.DataFrame
    team_form: pl.DataFrame
    team_ratings: pl.DataFrame
    match_features: pl.DataFrame


@cache
def feature_tables() -> FeatureTables:
    """Twelve rounds played by six teams of `eng.1`, a week apart, and two rounds of fixtures."""
    generator = np.random.default_rng(0)
    rows: list[tuple[object, ...]] = []
    for number in range(ROUNDS):
        teams = [TEAMS[i] for i in generator.permutation(len(TEAMS))]
        for home, away in zip(teams[:3], teams[3:], strict=True):
            goals = generator.poisson(1.4, 2).tolist() if number < PLAYED_ROUNDS else [None, None]
            rows.append((f"{len(rows):016x}", FIRST_DAY + timedelta(days=7 * number), home, away, *goals))
    columns = ["match_id", "kickoff_date", "home_team", "away_team", "home_goals", "away_goals"]
    matches = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        pl.lit("eng.1").alias("league_id"),
        pl.lit("eng").alias("country"),
        pl.lit(1).alias("tier"),
        pl.lit("2015-16").alias("season"),
        pl.lit(False).alias("is_cup"),
        pl.time(pl.int_range(pl.len()) % 3 + 13, 30).alias("kickoff_time"),
        pl.col("home_goals").is_not_null().alias("is_played"),
        (1 - (pl.col("home_goals") - pl.col("away_goals")).sign()).alias("outcome"),
        *(pl.format("eng:{}", pl.col(f"{side}_team")).alias(f"{side}_team_id") for side in ("home", "away")),
        *(pl.lit(None, dtype=pl.Float64).alias(f"odds_{name}") for name in ("home", "draw", "away")),
    )
    sides = [
        matches.select(
            "match_id",
            "league_id",
            "season",
            "kickoff_date",
            "is_played",
            "is_cup",
            pl.col(f"{side}_team_id").alias("team_id"),
            pl.col(f"{other}_team_id").alias("opponent_id"),
            pl.lit(side == "home").alias("is_home"),
            pl.col(f"{side}_goals").alias("goals_for"),
            pl.col(f"{other}_goals").alias("goals_against"),
        )
        for side, other in (("home", "away"), ("away", "home"))
    ]
    team_matches = pl.concat(sides).sort("kickoff_date", "match_id", "is_home")
    team_matches = team_matches.with_columns(
        (pl.col("kickoff_date").diff().over("team_id")).dt.total_days().alias("rest_days")
    )
    count = len(team_matches)
    league = {
        "league_home_goals": 1.5,
        "league_away_goals": 1.1,
        "league_entry_elo": 1450.0,
        "league_entry_attack": -0.1,
        "league_entry_defence": -0.1,
    }
    ratings = {name: generator.normal(mean, sd, count) for name, mean, sd in _RATINGS}
    team_ratings = team_matches.select(
        "match_id", "team_id", "is_home", "kickoff_date", "league_id", "season", "is_played"
    ).with_columns(
        **ratings,
        **{f"{name}_after": values + 0.01 for name, values in ratings.items()},
        **{f"{name}{end}": pl.lit(value) for name, value in league.items() for end in ("", "_after")},
    )
    played = team_matches.filter("is_played")
    form = {name: generator.uniform(0, 3, len(played)) for name in (*_FORM, *_VENUE)}
    team_form = played.select("team_id", "match_id", "kickoff_date", "league_id", "season").with_columns(
        **form,
        matches_known=pl.int_range(pl.len()).over("team_id") + 1,
        season_played=pl.int_range(pl.len()).over("team_id") + 1,
        season_points=pl.lit(12),
        season_goal_difference=pl.lit(3),
        season_position=pl.lit(4),
    )
    made = set(matches.columns)
    context = {
        feature.name: generator.uniform(feature.lower, feature.upper, len(matches))
        for feature in DEFAULT_SPEC.context
        if feature.name not in made
    }
    match_features = matches.drop("kickoff_time").with_columns(**context)
    return FeatureTables(matches, team_matches, team_form, team_ratings, match_features)
