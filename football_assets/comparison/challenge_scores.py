"""Score forecasts as the organisers of the 2023 Soccer Prediction Challenge did, with intervals.

Their tasks: probabilities of win, draw and loss, scored by the mean ranked probability score, and goals, scored by the
root mean squared error over the goals of both teams.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.block_bootstrap import mean_interval
from football_assets.domain.scoring_rules import ranked_probability_score_each


@dataclass(frozen=True)
class ChallengeScores:
    """RPS and RMSE over the matches with a result, and the ends of their 95 per cent intervals."""

    matches: int
    rps: float
    rps_low: float
    rps_high: float
    rmse: float
    rmse_low: float
    rmse_high: float

    def as_dict(self) -> dict[str, Any]:
        """Return the scores by name."""
        return asdict(self)


def challenge_scores(
    probabilities: NDArray[np.floating],
    predicted_goals: NDArray[np.floating],
    goals: NDArray[np.integer],
    blocks: NDArray[np.int64],
) -> ChallengeScores:
    """Score forecasts of played matches.

    Parameters
    ----------
    probabilities
        `[n, 3]` home win, draw, away win.
    predicted_goals, goals
        `[n, 2]` home and away.
    blocks
        `[n]` numbers of the blocks that the bootstrap draws, from 0 without gaps.
    """
    rps = ranked_probability_score_each(probabilities, outcomes_of_goals(goals))
    squares = squared_error_each(predicted_goals, goals)
    rps_low, rps_high = mean_interval(rps, blocks)
    square_low, square_high = mean_interval(squares, blocks)
    return ChallengeScores(
        len(goals),
        float(rps.mean()),
        rps_low,
        rps_high,
        float(np.sqrt(squares.mean())),
        float(np.sqrt(square_low)),
        float(np.sqrt(square_high)),
    )


def squared_error_each(
    predicted_goals: NDArray[np.floating], goals: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the squared error of each match, `[n]`, summed over the goals of both teams `[n, 2]`."""
    errors: NDArray[np.float64] = ((goals - predicted_goals.astype(np.float64)) ** 2).sum(axis=1)
    return errors


def whole_goals(expected_goals: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the whole numbers with the least expected squared error: the nearest to the expected goals.

    The expectation of (goals - k)² is the variance plus (mean - k)², so only the distance from the mean counts.

    >>> whole_goals(np.array([[1.49, 0.5], [0.2, 2.51]])).tolist()
    [[1, 1], [0, 3]]
    """
    return np.floor(expected_goals + 0.5).astype(np.int64)


def outcomes_of_goals(goals: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the outcomes `[n]` of results `[n, 2]`: 0 home win, 1 draw, 2 away win."""
    outcomes: NDArray[np.int64] = 1 - np.sign(goals[:, 0].astype(np.int64) - goals[:, 1])
    return outcomes
