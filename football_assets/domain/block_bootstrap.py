"""Estimate the interval of a difference of scores: a paired bootstrap over league-weeks.

Called by the comparison, the rolling backtest and the promotion gate. Single matches are not independent: those of a
league and week share form, ratings and home advantage, so forecasters make correlated errors on them. Whole weeks of a
league are resampled instead, which gives wider intervals with the right coverage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.scoring_rules import (
    OUTCOMES,
    Probabilities,
    log_loss_each,
    ranked_probability_score_each,
)

MEASURES = ("log_loss", "rps", "accuracy", "ece")
RESAMPLES = 2000
_BINS = 10  # as in the expected calibration error
_CHUNK = 250
_DRAWN_NUMBERS = 4_000_000  # counts of blocks held at a time: 32 MB
_ENDS = (0.025, 0.975)


@dataclass(frozen=True)
class Difference:
    """A score less the reference's on the same matches, and the ends of its 95 per cent interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def interval_text(difference: Difference) -> str:
    """Format a difference and its interval in thousandths, like `+4.2 [1.1, 7.3]`."""
    value, low, high = (1000 * end for end in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} [{low:.1f}, {high:.1f}]"


def league_weeks(league_ids: pl.Series, days: pl.Series) -> NDArray[np.int64]:
    """Return the number of each match's league-week, `[n]`. Weeks begin on Tuesday and contain a whole weekend."""
    week = (days.cast(pl.Date).to_physical().cast(pl.Int64) - 5) // 7  # 1970-01-06 was a Tuesday
    blocks = pl.DataFrame({"league": league_ids, "week": week}).select(
        pl.struct("league", "week").rank("dense")
    )
    return blocks.to_series().to_numpy().astype(np.int64) - 1


def paired_differences(
    forecasts: Mapping[str, Probabilities],
    reference: str,
    outcomes: NDArray[np.integer],
    blocks: NDArray[np.int64],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Difference]]:
    """Differences of log loss, RPS, accuracy and calibration error to a reference, by forecaster and measure.

    The interval is the basic one: what the draws are above the observed difference counts as what that is above the
    true one. For means it is as good as percentiles; a calibration error is larger in draws than in the data, and
    larger in the data than in truth, which percentiles would count twice.

    Parameters
    ----------
    forecasts
        Probabilities `[n, 3]` of each forecaster, the reference among them.
    blocks
        Which matches are drawn together, `[n]`, numbered from 0 without gaps.
    """
    names = list(forecasts)
    terms = [_terms(forecasts[name], outcomes) for name in names]  # [n, 3 + bins] each
    sums = np.stack([np.ones(len(outcomes))] + [column for part in terms for column in part.T], axis=1)
    totals = np.zeros((blocks.max() + 1, sums.shape[1]))
    np.add.at(totals, blocks, sums)
    observed = _measures(totals.sum(axis=0)[None], len(names))[0]  # [forecasters, measures]
    generator = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            _measures(_draws(generator, len(totals), min(_CHUNK, resamples - done)) @ totals, len(names))
            for done in range(0, resamples, _CHUNK)
        ]
    )  # [resamples, forecasters, measures]
    base = names.index(reference)
    apart = observed - observed[base]
    low, high = 2 * apart - np.quantile(drawn - drawn[:, base : base + 1], _ENDS[::-1], axis=0)
    return {
        name: {
            measure: Difference(float(apart[i, j]), float(low[i, j]), float(high[i, j]))
            for j, measure in enumerate(MEASURES)
        }
        for i, name in enumerate(names)
        if name != reference
    }


def mean_interval(
    values: NDArray[np.float64],
    blocks: NDArray[np.int64],
    seed: int = 0,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Estimate the percentile interval [1] of a mean over matches by resampling blocks [2].

    Parameters
    ----------
    values
        `[n]` one value per match.
    blocks
        `[n]` the block of each match, numbered from 0 without gaps.
    confidence
        Coverage of the interval.

    References
    ----------
    [1] Efron and Tibshirani, 1993, An introduction to the bootstrap. [2] Künsch, 1989, The jackknife and the bootstrap
    for general stationary observations.
    """
    totals = np.bincount(blocks, weights=values)  # [blocks]
    counts = np.bincount(blocks).astype(np.float64)
    generator = np.random.default_rng(seed)
    step = max(1, _DRAWN_NUMBERS // totals.size)
    means = []
    for done in range(0, resamples, step):
        drawn = _draws(generator, totals.size, min(step, resamples - done))
        means.append(drawn @ totals / (drawn @ counts))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def _draws(generator: np.random.Generator, blocks: int, resamples: int) -> NDArray[np.float64]:
    """Draw how often each block occurs in each resample, `[resamples, blocks]`."""
    counts = generator.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    return counts.astype(np.float64)


def _terms(probabilities: Probabilities, outcomes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the terms of the scores, `[n, 3 + outcomes * bins]`: log loss, RPS, hit, forecast less event by bin."""
    n = len(outcomes)
    bins = np.zeros((n, len(OUTCOMES), _BINS))
    place = np.minimum((probabilities.astype(np.float64) * _BINS).astype(int), _BINS - 1)
    happened = np.eye(len(OUTCOMES))[outcomes]
    np.put_along_axis(bins, place[:, :, None], (probabilities - happened)[:, :, None], axis=2)
    return np.column_stack(
        [
            log_loss_each(probabilities, outcomes),
            ranked_probability_score_each(probabilities, outcomes),
            probabilities.argmax(axis=1) == outcomes,
            bins.reshape(n, -1),
        ]
    )


def _measures(sums: NDArray[np.float64], forecasters: int) -> NDArray[np.float64]:
    """`[resamples, forecasters, measures]` from sums over matches."""
    matches = sums[:, :1, None]
    parts = sums[:, 1:].reshape(len(sums), forecasters, -1)
    gaps = np.abs(parts[:, :, 3:]).sum(axis=2, keepdims=True) / len(OUTCOMES)
    return np.concatenate([parts[:, :, :3], gaps], axis=2) / matches
