"""Code versions of the Python assets: raised when the code gives other values."""

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
from dagster import AssetKey

from football_assets.definitions import ASSETS
from football_assets.domain.measures import CLOSING_ODDS
from football_assets.features.market_ratings import rate_markets
from football_assets.features.ratings import rate_matches
from football_assets.features.shot_ratings import rate_shots
from football_assets.orchestration.code_versions import (
    MARKET_RATINGS_CODE,
    RAW_TABLES_CODE,
    SHOT_RATINGS_CODE,
    TEAM_RATINGS_CODE,
)
from football_assets.raw.matches import read_countries
from football_assets.sample import sample_folder
from football_assets.storage.local import LocalBucket

TODAY = date(2026, 1, 1)
COUNTRY = "at"


def digest(table: pl.DataFrame) -> str:
    """Digest of rows to six decimals, which no processor or release of Polars changes."""
    text = table.with_columns(pl.col(pl.Float32, pl.Float64).round(6)).write_csv()
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def staged(matches: pl.DataFrame) -> pl.DataFrame:
    """The columns of `stg_matches` that ratings read."""
    league = pl.col("league_id").str.split(".")
    return matches.with_columns(
        country=league.list.first(),
        tier=league.list.last().cast(pl.Int32, strict=False),
        home_team_id=pl.format("{}:{}", league.list.first(), "home_team"),
        away_team_id=pl.format("{}:{}", league.list.first(), "away_team"),
        is_played=pl.col("home_goals").is_not_null(),
    )


def with_measures(matches: pl.DataFrame) -> pl.DataFrame:
    """Invent odds and statistics, of which some are missing."""
    row = pl.int_range(pl.len())
    odds = (1.5 + row % 7 / 4, 3.2 + row % 3 / 4, 2.0 + row % 11 / 4)
    counts = {"shots_on_target": (3, 5), "shots": (9, 13), "corners": (4, 6), "red_cards": (0, 2)}
    has_odds, has_shots = row % 5 > 0, row % 4 > 0
    return matches.with_columns(
        *(pl.when(has_odds).then(odd).alias(name) for name, odd in zip(CLOSING_ODDS, odds, strict=True)),
        *(
            pl.when(has_shots).then(least + (row * (3 + i)) % span).alias(f"{side}_{name}")
            for name, (least, span) in counts.items()
            for i, side in enumerate(("home", "away"))
        ),
    )


def test_other_values_have_another_code_version(tmp_path: Path) -> None:
    """If it fails: raise the version where the code computes other values, then write the new digest here."""
    bucket = LocalBucket(tmp_path)
    folder = sample_folder()
    for path in sorted(folder.rglob(f"{COUNTRY}.*")):
        bucket.write(f"raw/sample/{path.relative_to(folder).as_posix()}", path.read_bytes())

    read = read_countries(bucket, [COUNTRY], TODAY)
    ratings = rate_matches(staged(read.matches))

    market, shots = (rate(with_measures(staged(read.matches))) for rate in (rate_markets, rate_shots))

    assert (RAW_TABLES_CODE, read.matches.height, digest(read.matches)) == ("3", 1118, "e420a7afe5f8")
    assert (TEAM_RATINGS_CODE, ratings.height, digest(ratings)) == ("1", 2236, "3d51294a3417")
    assert (MARKET_RATINGS_CODE, market.height, digest(market)) == ("1", 2236, "4cb1e1e370f5")
    assert (SHOT_RATINGS_CODE, shots.height, digest(shots)) == ("1", 2236, "80b63b31f283")


def test_assets_that_are_computed_from_others_have_a_code_version() -> None:
    versions = {spec.key: spec.code_version for definition in ASSETS for spec in definition.specs}

    without = {key.to_user_string() for key, version in versions.items() if version is None}

    assert without == {
        "synced_results",
        "sweep",
        "backtest",
        "registered_model",
        "prediction_log",
        "drift_report",
        "serving_deployment",
    }
    assert versions[AssetKey("raw_matches")] == RAW_TABLES_CODE
