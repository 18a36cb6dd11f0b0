"""A paper exercise: what flat stakes on a forecaster's value bets would have won or lost at a bookmaker's odds.

No account is known that could have placed these bets: odds move, stakes are limited, and winners are shown the door.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.block_bootstrap import mean_interval

EDGE = 0.05  # expected profit a unit from which a bet is placed


@dataclass(frozen=True)
class PaperBets:
    """Bets of one unit each. `curve` has a row a day with bets: `date`, `bets`, `profit`, `equity`, in units."""

    bets: int
    won: int
    profit: float
    roi: float  # profit a unit staked
    roi_low: float  # 95 per cent, league-weeks drawn
    roi_high: float
    mean_odds: float
    worst_drawdown: float
    curve: pl.DataFrame

    def as_dict(self) -> dict[str, float | int]:
        """All but the curve."""
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
    """Stake a unit on the outcome of best expected profit of each match where that is above `edge`.

    Parameters
    ----------
    probabilities
        A forecaster's, `[n, 3]`.
    odds
        Decimal, `[n, 3]`; a match with a NaN is left out.
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
