"""The columns of `prediction_log`. Compaction fills them, the asset shows them, the drift report reads them."""

import polars as pl

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.sequences.tier_names import TIER_COLUMN

LOG_TABLE = "prediction_log"
UNNAMED = "unnamed_features"

_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "request_id": pl.String,
    "time": pl.Datetime("us", "UTC"),
    "model_version": pl.Int64,
    "kind": pl.String,
    "league_id": pl.String,
    "home_team_id": pl.String,
    "away_team_id": pl.String,
    "kickoff_date": pl.Date,
    "p_home": pl.Float64,
    "p_draw": pl.Float64,
    "p_away": pl.Float64,
    "xg_home": pl.Float64,
    "xg_away": pl.Float64,
    "latency_ms": pl.Float64,
    TIER_COLUMN: pl.String,
    "traceparent": pl.String,
    "tracestate": pl.String,
    "segment": pl.String,
    "line": pl.Int64,
    UNNAMED: pl.List(pl.Float32),
}
LOG_SCHEMA = pl.Schema(_TYPES)
LOG_DESCRIPTIONS = {
    "request_id": "Request that asked.",
    "time": "When it was answered, UTC.",
    "model_version": "Registry version that answered.",
    "kind": "`predict`, `batch`, or `sequences`: a match between custom histories.",
    "league_id": "Country and tier.",
    "home_team_id": "Home team; null for custom histories.",
    "away_team_id": "Away team; null for custom histories.",
    "kickoff_date": "Day of the match as it was asked.",
    "p_home": "Probability of a home win.",
    "p_draw": "Probability of a draw.",
    "p_away": "Probability of an away win.",
    "xg_home": "Expected goals of the home team.",
    "xg_away": "Expected goals of the away team.",
    "latency_ms": "Time that the answer took, in milliseconds.",
    TIER_COLUMN: "What the forecast is based on: results, shots and odds of past matches, odds that the request gave.",
    "traceparent": "W3C trace context of the request: trace, parent span, flags; null where it had none.",
    "tracestate": "Data of the request's tracing systems; null where it had none.",
    "segment": "Segment that serving wrote the record to.",
    "line": "Line of the segment, counted from 1.",
    UNNAMED: "Inputs in the version's order, where its feature specification is gone; else null and in columns.",
}
FORECAST = (*PROBABILITY_COLUMNS, *EXPECTED_GOALS_COLUMNS)


def feature_columns(predictions: pl.DataFrame) -> list[str]:
    """Return the names of the input columns in a part of the log."""
    return [name for name in predictions.columns if name not in LOG_SCHEMA]
