"""Paper bets: simulated profit of flat stakes on a forecaster's value bets at a bookmaker's odds.

Real bets would not give the same profit: odds move, and bookmakers limit stakes and close the accounts of winners.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.block_bootstrap import mean_interval

EDGE = 0.05  # least expected profit per unit of a bet


@dataclass(frozen=True)
class PaperBets:
    """Bets of one unit each. `curve` has one row per day with bets: `date`, `bets`, `profit`, `equity`, in units."""

    bets: int
    won: int
    profit: float
    roi: float  # profit per unit staked
    roi_low: float  # 95 per cent interval, league-weeks resampled
    roi_high: float
    mean_odds: float
    worst_drawdown: float
    curve: pl.DataFrame

    def as_dict(self) -> dict[str, float | int]:
        """Return all figures except the curve."""
        names = ("bets", "won", "profit", "roi", "roi_low", "roi_high", "mean_odds", "worst_drawdown")
        return {name: round(getattr(self, name), 5) for name in names}


def paper_bets(
    probabilities: NDArray[np.floating],
    odds: NDArray[np.float64],
    outcomes: NDArray[np.integer],
    days: pl.Series,
    blocks: NDArray[np.int64],
    edge: float = EDGE,
) -> PaperBets:
    """Bet a unit on the outcome with the highest expected profit of each match, where it is above `edge`.

    Parameters
    ----------
    probabilities
        `[n, 3]` of a forecaster.
    odds
        Decimal odds `[n, 3]`; a match with a NaN is skipped.
    blocks
        League-week of each match, `[n]`.
    """
    expected = np.where(np.isnan(odds).any(axis=1, keepdims=True), -1.0, probabilities * odds - 1)
    pick = expected.argmax(axis=1)
    placed = expected[np.arange(len(pick)), pick] > edge
    taken = odds[placed, pick[placed]]
    won = pick[placed] == outcomes[placed]
    profit = np.where(won, taken - 1, -1.0)
    curve = (
        pl.DataFrame({"date": days.filter(pl.Series(placed)), "profit": profit})
        .group_by("date")
        .agg(bets=pl.len(), profit=pl.sum("profit"))
        .sort("date")
        .with_columns(equity=pl.col("profit").cum_sum())
    )
    equity = np.concatenate([[0.0], curve["equity"].to_numpy()])
    if not len(profit):
        return PaperBets(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, curve)
    low, high = mean_interval(profit, np.unique(blocks[placed], return_inverse=True)[1])
    return PaperBets(
        bets=len(profit),
        won=int(won.sum()),
        profit=float(profit.sum()),
        roi=float(profit.mean()),
        roi_low=low,
        roi_high=high,
        mean_odds=float(taken.mean()),
        worst_drawdown=float((np.maximum.accumulate(equity) - equity).max()),
        curve=curve,
    )
