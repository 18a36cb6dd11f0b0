"""Bookmakers as rivals: one row per kind of odds, since averages before the match and at kick-off differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.domain.measures import CLOSING_ODDS, PRE_MATCH_ODDS
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import ODDS_COLUMNS, bookmaker
from football_assets.training.split import TimeSplit


@dataclass(frozen=True)
class BookmakerRival:
    """Decimal odds of three columns of the keys, inverted and scaled to a sum of 1; NaN where a match has none."""

    name: str
    key: str
    columns: tuple[str, str, str]
    kind: RivalKind = "bookmaker"
    package: str | None = None

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Read the odds of `rows`."""
        return RivalForecasts(bookmaker(tensors, rows, self.columns))


PRE_MATCH_AVERAGE = BookmakerRival("bookmaker, pre-match average", "bookmaker_pre_match", PRE_MATCH_ODDS)
CLOSING_AVERAGE = BookmakerRival("bookmaker, closing average", "bookmaker_closing", CLOSING_ODDS)
FIRST_ODDS = BookmakerRival("bookmaker, first odds on file", "bookmaker", ODDS_COLUMNS)
"""The first complete odds of the results, or those of a file: `odds_home`, `odds_draw`, `odds_away`."""
