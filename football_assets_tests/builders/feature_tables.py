"""Feature tables of a small league, as the registry and the forecasts read them."""

from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.worlds import FeatureTables, MatchRow, build_tables, raw_matches

TEAMS = ("Arsenal", "Aston Villa", "Chelsea", "Everton", "Liverpool", "Sunderland")
FIRST_DAY = date(2015, 8, 1)
PLAYED_ROUNDS, ROUNDS = 12, 14


@cache
def feature_tables() -> FeatureTables:
    """Twelve rounds played by six teams of `eng.1`, a week apart, and two rounds of fixtures."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(ROUNDS):
        day = FIRST_DAY + timedelta(days=7 * number)
        teams = [TEAMS[i] for i in generator.permutation(len(TEAMS))]
        for home, away in zip(teams[:3], teams[3:], strict=True):
            goals = tuple(generator.poisson(1.4, 2).tolist()) if number < PLAYED_ROUNDS else None
            rows.append(MatchRow("1", "2015-16", day, home, away, goals))
    kickoffs = pl.Series([time(13 + i % 3, 30) for i in range(len(rows))])
    matches = raw_matches("eng", rows).with_columns(kickoff_time=kickoffs)
    with TemporaryDirectory() as scratch:
        return build_tables(LocalBucket(Path(scratch) / "bucket"), matches, Path(scratch))
