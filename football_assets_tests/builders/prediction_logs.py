"""Prediction logs for the tests of monitoring: records as serving writes them, and versions that name their inputs."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from football_assets.registry.store import Registry
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, FeatureSpec
from football_assets.sequences.tier_names import RATED
from football_assets.storage.bucket import Bucket
from football_assets.storage.log_segments import SEGMENTS
from football_assets.storage.model_files import FEATURE_SPEC, REFERENCE, TEAM_STATE
from football_assets.storage.tables import read_table

DAY = "2015-11-21"
SCORES = {"home_goals": pl.Int16, "away_goals": pl.Int16, "outcome": pl.Int8}
INPUTS = len(DEFAULT_SPEC.context)


def record(number: int, **changes: Any) -> dict[str, Any]:
    """What serving logs of a forecast."""
    return {
        "request_id": f"request-{number}",
        "time": f"{DAY}T12:00:{number % 60:02}.000000Z",
        "model_version": 1,
        "kind": "predict",
        "league_id": "eng.1",
        "home_team_id": "eng:Arsenal",
        "away_team_id": f"eng:Team {number}",
        "kickoff_date": "2015-11-28",
        "features": [float(number), None, *[0.5] * (INPUTS - 2)],
        "p": [0.5, 0.25, 0.25],
        "xg": [1.5, 1.0],
        "inputs": "results",
        "latency_ms": 1.5,
        **changes,
    }


def lines(*records: Mapping[str, Any]) -> bytes:
    """Records as a segment has them."""
    return b"".join(orjson.dumps(item) + b"\n" for item in records)


def upload(bucket: Bucket, name: str, content: bytes, day: str = DAY) -> str:
    """Upload a segment; returns the object's name."""
    return bucket.write(f"{SEGMENTS}/{day}/{name}.jsonl", content).name


def publish_inputs(bucket: Bucket, folder: Path, spec: FeatureSpec = DEFAULT_SPEC) -> int:
    """Publish a version that says what its inputs are, and nothing else."""
    folder.mkdir()
    spec.save(folder)
    return Registry(bucket).publish(folder, {})


def publish_production(
    bucket: Bucket,
    folder: Path,
    reference: pl.DataFrame,
    as_of: date = date(2015, 11, 8),
    spec: FeatureSpec = DEFAULT_SPEC,
) -> int:
    """Publish and promote a version with all that the drift report reads."""
    folder.mkdir()
    spec.save(folder)
    reference.write_parquet(folder / REFERENCE)
    pl.DataFrame({"last_kickoff_date": [as_of]}).write_parquet(folder / TEAM_STATE)
    assert (folder / FEATURE_SPEC).is_file()
    registry = Registry(bucket)
    version = registry.publish(folder, {})
    registry.promote(version)
    return version


def table(bucket: Bucket) -> pl.DataFrame:
    """The compacted log."""
    return read_table(bucket, "prediction_log")


def ids(bucket: Bucket) -> list[str]:
    """Requests in the compacted log, in order."""
    return sorted(table(bucket)["request_id"].to_list())


def reference_like(
    matches: int, *, seed: int = 0, leagues: Iterable[str] = ("eng.1", "de.1")
) -> pl.DataFrame:
    """Rows of a model's reference: leagues of sixty teams that odds and shots rate, results drawn from forecasts."""
    generator = np.random.default_rng(seed)
    names = list(leagues)
    league = generator.integers(0, len(names), matches)
    level = league * 2.0  # leagues differ, in standard deviations
    inputs = {
        feature.name: generator.normal(
            (feature.lower + feature.upper) / 2 + level * (feature.upper - feature.lower) / 12,
            (feature.upper - feature.lower) / 12,
        )
        for feature in DEFAULT_SPEC.context
        if feature.name != HOME_ADVANTAGE_SHIFT
    } | {HOME_ADVANTAGE_SHIFT: np.zeros(matches), **dict.fromkeys(RATED.values(), np.ones(matches))}
    played = generator.integers(0, 38, matches).astype(float)
    strength = generator.normal(0, 0.25, matches)
    xg = np.column_stack([1.5 * np.exp(strength), 1.15 * np.exp(-strength)])
    draw = np.full(matches, 0.26)
    home = 0.74 * xg[:, 0] ** 1.4 / (xg**1.4).sum(axis=1)
    p = np.column_stack([home, draw, 1 - draw - home])
    outcome = (generator.random((matches, 1)) > p.cumsum(axis=1)[:, :2]).sum(axis=1)
    goals = generator.poisson(xg)
    teams = generator.integers(0, 60, (matches, 2))
    return pl.DataFrame(
        {
            "match_id": [f"match-{seed}-{number}" for number in range(matches)],
            "league_id": [names[number] for number in league],
            "kickoff_date": [date(2012, 8, 1)] * matches,
            "home_team_id": [f"{names[i]}:{t}" for i, t in zip(league, teams[:, 0], strict=True)],
            "away_team_id": [f"{names[i]}:{t}" for i, t in zip(league, teams[:, 1], strict=True)],
            **inputs,
            "home_rest_days": np.full(matches, 7.0),
            "away_rest_days": np.full(matches, 7.0),
            "home_season_played": played,
            "away_season_played": played,
            "p_home": p[:, 0],
            "p_draw": p[:, 1],
            "p_away": p[:, 2],
            "xg_home": xg[:, 0],
            "xg_away": xg[:, 1],
            "outcome": outcome,
            "home_goals": goals[:, 0],
            "away_goals": goals[:, 1],
        }
    )


def records_of(window: pl.DataFrame, now: datetime, **changes: Any) -> list[dict[str, Any]]:
    """What serving would have logged for the matches of `reference_like`, asked at one time."""
    features = window.select(DEFAULT_SPEC.context_names).rows()
    return [
        record(
            number,
            time=now.isoformat().replace("+00:00", "Z"),
            league_id=row["league_id"],
            home_team_id=f"{row['home_team_id']}",
            away_team_id=f"{row['away_team_id']} {number}",
            kickoff_date=str(now.date()),
            features=list(features[number]),
            p=[row["p_home"], row["p_draw"], row["p_away"]],
            xg=[row["xg_home"], row["xg_away"]],
            **changes,
        )
        for number, row in enumerate(window.iter_rows(named=True))
    ]


def results_of(window: pl.DataFrame, day: date) -> pl.DataFrame:
    """`stg_matches` with the results of the matches of `records_of`."""
    return window.select(
        pl.col("match_id"),
        "league_id",
        season=pl.lit("2015-16"),
        kickoff_date=pl.lit(day),
        home_team_id=pl.col("home_team_id"),
        away_team_id=pl.format("{} {}", "away_team_id", pl.int_range(pl.len())),
        home_goals=pl.col("home_goals").cast(pl.Int16),
        away_goals=pl.col("away_goals").cast(pl.Int16),
        outcome=pl.col("outcome").cast(pl.Int8),
        is_played=pl.lit(value=True),
    )


def fixtures_of(window: pl.DataFrame, day: date) -> pl.DataFrame:
    """`stg_matches` with the matches of `records_of` as fixtures."""
    unknown = (pl.lit(None, dtype=SCORES[name]).alias(name) for name in SCORES)
    return results_of(window, day).with_columns(*unknown, is_played=pl.lit(value=False))


def no_matches() -> pl.DataFrame:
    """`stg_matches` before any result."""
    return results_of(reference_like(2), date(2015, 1, 1)).clear()
