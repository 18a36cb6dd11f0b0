"""The columns of `fixture_predictions`. The forecast fills them, the asset shows them."""

import polars as pl

from football_assets.sequences.fixture_days import OVERDUE
from football_assets.sequences.tier_names import TIER_COLUMN

FIXTURE_SCHEMA = pl.Schema(
    {
        "match_id": pl.String,
        "league_id": pl.String,
        "season": pl.String,
        "kickoff_date": pl.Date,
        "kickoff_time": pl.Time,
        "home_team": pl.String,
        "away_team": pl.String,
        "p_home": pl.Float64,
        "p_draw": pl.Float64,
        "p_away": pl.Float64,
        "xg_home": pl.Float64,
        "xg_away": pl.Float64,
        "likeliest_scores": pl.String,
        "model_version": pl.Int64,
        OVERDUE: pl.Boolean,
        TIER_COLUMN: pl.String,
        "odds_home": pl.Float64,
        "odds_draw": pl.Float64,
        "odds_away": pl.Float64,
    }
)
FIXTURE_DESCRIPTIONS = {
    "match_id": "Match, as in `raw_matches`.",
    "league_id": "Country and tier.",
    "season": "Season label.",
    "kickoff_date": "Day of the match.",
    "kickoff_time": "Local time of kick-off, where known.",
    "home_team": "Home team by its canonical name.",
    "away_team": "Away team by its canonical name.",
    "p_home": "Probability of a home win.",
    "p_draw": "Probability of a draw.",
    "p_away": "Probability of an away win.",
    "xg_home": "Expected goals of the home team after 90 minutes.",
    "xg_away": "Expected goals of the away team after 90 minutes.",
    "likeliest_scores": "The three likeliest scores with their probabilities.",
    "model_version": "Registry version that made the forecast.",
    OVERDUE: "Whether results of a later day are known: the day has passed without a result.",
    TIER_COLUMN: "What the forecast is based on: results, shots and odds of past matches, odds of the match itself.",
    "odds_home": "Odds of a home win before the match, decimal; null where the forecast uses no odds of the match.",
    "odds_draw": "Likewise of a draw.",
    "odds_away": "Likewise of an away win.",
}
