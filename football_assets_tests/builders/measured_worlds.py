"""Odds and statistics of simulated matches, on file for some: what a country lands beside its results.

In the first tier most matches have all of them, in the second those of later seasons have one bookmaker's odds and none
of the statistics, and a cup has none. Of the fixtures half have pre-match odds.
"""

import zlib
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.measures import (
    BOOKMAKER_ODDS,
    CLOSING_ODDS,
    CLOSING_TOTAL_ODDS,
    MEASURE_COLUMNS,
    PRE_MATCH_ODDS,
    PRE_MATCH_TOTAL_ODDS,
    STATISTIC_COLUMNS,
)

MISSING = 0.15  # share of the matches of the first tier without odds, and without statistics
SECOND_TIER_FROM = date(2011, 7, 1)


def with_measures(raw_matches: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """The same matches of `raw_matches` with odds and statistics; which a match has depends on its own identifier."""
    lots = np.array([_lots(match_id[6:], seed) for match_id in raw_matches["match_id"]]).reshape(-1, 12)
    tier = raw_matches["league_id"].str.split(".").list.last().to_numpy()
    played = raw_matches["home_goals"].is_not_null().to_numpy()
    later = (raw_matches["kickoff_date"] >= SECOND_TIER_FROM).to_numpy()
    top, has_odds, has_statistics = tier == "1", lots[:, 0] >= MISSING, lots[:, 1] >= MISSING
    before = np.where(played, has_odds, lots[:, 0] >= 0.5)
    shown = {
        PRE_MATCH_ODDS: top & before,
        PRE_MATCH_TOTAL_ODDS: top & before & (lots[:, 3] >= MISSING),
        CLOSING_ODDS: top & played & has_odds & (lots[:, 2] >= MISSING),
        CLOSING_TOTAL_ODDS: top & played & has_odds & (lots[:, 2] >= 0.5),
        BOOKMAKER_ODDS: (top & before & (lots[:, 4] >= 0.5)) | ((tier == "2") & later & before),
        STATISTIC_COLUMNS: top & played & has_statistics,
    }
    values = _odds(raw_matches, lots) | _statistics(raw_matches, lots)
    columns = [
        pl.Series(name, np.where(rows, values[name], np.nan), nan_to_null=True).cast(
            pl.Int16 if names == STATISTIC_COLUMNS else pl.Float64
        )
        for names, rows in shown.items()
        for name in names
    ]
    return raw_matches.with_columns(columns)


def without_measures(raw_matches: pl.DataFrame, rows: pl.Expr) -> pl.DataFrame:
    """The same matches without the odds and statistics of some rows."""
    return raw_matches.with_columns(
        pl.when(~rows).then(name).alias(name) for name in MEASURE_COLUMNS if name in raw_matches.columns
    )


def permuted_from(raw_matches: pl.DataFrame, day: date, seed: int = 0) -> pl.DataFrame:
    """The same matches, with the scores, odds and statistics of `day` and later exchanged among the played ones."""
    later = (raw_matches["kickoff_date"] >= day).to_numpy() & raw_matches[
        "home_goals"
    ].is_not_null().to_numpy()
    order = np.arange(len(raw_matches))
    order[later] = np.random.default_rng(seed).permutation(order[later])
    facts = ["home_goals", "away_goals", "odds_home", "odds_draw", "odds_away", *MEASURE_COLUMNS]
    return raw_matches.with_columns(raw_matches.select(facts)[order])


def _lots(text: str, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng([zlib.crc32(text.encode()), seed]).random(12)


def _odds(raw_matches: pl.DataFrame, lots: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    strength = {
        team: np.random.default_rng(zlib.crc32(team.encode())).normal(0, 0.4)
        for team in {*raw_matches["home_team"], *raw_matches["away_team"]}
    }
    home, away = (
        np.array([strength[team] for team in raw_matches[f"{side}_team"]]) for side in ("home", "away")
    )
    supremacy = home - away + 0.3 + 0.2 * (lots[:, 5] - 0.5)
    draw = 0.28 * np.exp(-0.3 * supremacy**2)
    win = (1 - draw) / (1 + np.exp(-1.7 * supremacy))
    chances = np.stack([win, draw, 1 - draw - win], axis=1)
    over = np.stack([0.4 + 0.2 * lots[:, 6], 0.6 - 0.2 * lots[:, 6]], axis=1)
    odds: dict[str, NDArray[np.float64]] = {}
    for names, probabilities, margin in (
        (PRE_MATCH_ODDS, chances, 1.05),
        (BOOKMAKER_ODDS, chances, 1.07),
        (CLOSING_ODDS, chances, 1.03),
        (PRE_MATCH_TOTAL_ODDS, over, 1.05),
        (CLOSING_TOTAL_ODDS, over, 1.04),
    ):
        odds |= dict(zip(names, np.round(1 / (margin * probabilities), 2).T, strict=True))
    return odds


def _statistics(raw_matches: pl.DataFrame, lots: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    statistics: dict[str, NDArray[np.float64]] = {}
    for side, own in (("home", lots[:, 7]), ("away", lots[:, 8])):
        goals = raw_matches[f"{side}_goals"].fill_null(0).to_numpy().astype(np.float64)
        statistics |= {
            f"{side}_half_time_goals": np.floor(goals * own),
            f"{side}_shots": goals + 6 + np.floor(12 * own),
            f"{side}_shots_on_target": goals + np.floor(6 * own),
            f"{side}_corners": np.floor(11 * own),
            f"{side}_fouls": 8 + np.floor(8 * own),
            f"{side}_yellow_cards": np.floor(4 * own),
            f"{side}_red_cards": np.floor(1.1 * own),
        }
    return statistics
