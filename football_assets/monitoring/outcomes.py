"""Compare results with the forecasts made before them.

The tests are calibration in the large: observed sums are compared with expected sums, with the variance that the
forecasts imply plus the variance between ordinary months. A difference is drift if it is significant and large enough.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.domain.scoring_rules import OUTCOMES, log_loss_each
from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.summary import Finding

_SMALLEST = 1e-12


@dataclass(frozen=True)
class ResultTest:
    """One comparison of results with forecasts; means a match, what happened against what was expected."""

    name: str
    observed: float
    expected: float
    p_value: float
    effect: float
    drifted: bool

    @property
    def difference(self) -> float:
        """Mean difference a match."""
        return self.observed - self.expected


def result_tests(results: pl.DataFrame, config: DriftConfig) -> list[ResultTest]:
    """Goals, home advantage, outcomes and log loss of matches with results.

    Parameters
    ----------
    results
        Rows of `monitoring.results.with_results` with an outcome, each match once.
    """
    p = results.select(PROBABILITY_COLUMNS).cast(pl.Float64).to_numpy()  # [n, 3]
    p = np.clip(p, _SMALLEST, None) / np.clip(p, _SMALLEST, None).sum(axis=1, keepdims=True)
    xg = results.select(EXPECTED_GOALS_COLUMNS).cast(pl.Float64).to_numpy()  # [n, 2]
    goals = results.select("home_goals", "away_goals").cast(pl.Float64).to_numpy()
    outcome = results["outcome"].cast(pl.Int64).to_numpy()
    level = config.significance / 4
    logs = np.log(p)
    entropy = -(p * logs).sum(axis=1)
    poisson = xg.sum(axis=1)  # variance of the sum and of the difference of two Poisson counts
    return [
        _mean_test("goals", goals.sum(axis=1), poisson, poisson, config.goals_spread, config.goals, level),
        _mean_test(
            "home goal difference",
            goals[:, 0] - goals[:, 1],
            xg[:, 0] - xg[:, 1],
            poisson,
            config.home_advantage_spread,
            config.home_advantage,
            level,
        ),
        _outcome_test(p, outcome, config, level),
        _mean_test(
            "log loss",
            log_loss_each(p, outcome),
            entropy,
            (p * logs**2).sum(axis=1) - entropy**2,
            config.log_loss_spread,
            config.log_loss,
            level,
            tail=norm.sf,  # better than expected is no drift
        ),
    ]


def judge_results(tests: list[ResultTest]) -> tuple[Finding, Finding]:
    """Judge outcomes and scores."""
    worse = [test for test in tests if test.name == "log loss"]
    others = [test for test in tests if test.name != "log loss"]
    return (
        Finding(area="outcomes", drifted=any(test.drifted for test in others), note=_text(others)),
        Finding(area="scores", drifted=any(test.drifted for test in worse), note=_text(worse)),
    )


def _text(tests: list[ResultTest]) -> str:
    shown = [test for test in tests if test.drifted] or tests
    return (
        "; ".join(
            f"{test.name} {test.observed:.3f} a match where {test.expected:.3f} were expected"
            for test in shown
        )
        + "."
    ).replace("log loss ", "log loss of ", 1)


def _two_sided(z: float) -> float:
    return float(2 * norm.sf(abs(z)))


def _mean_test(
    name: str,
    observed: NDArray[np.float64],
    expected: NDArray[np.float64],
    variance: NDArray[np.float64],
    spread: float,
    least: float,
    level: float,
    tail: Callable[[float], float] = _two_sided,
) -> ResultTest:
    difference = float((observed - expected).mean())
    deviation = np.sqrt(max(variance.mean(), 0.0) / len(observed) + spread**2)
    p_value = float(tail(difference / max(float(deviation), _SMALLEST)))
    return ResultTest(
        name,
        float(observed.mean()),
        float(expected.mean()),
        p_value,
        abs(difference),
        p_value < level and abs(difference) >= least,
    )


def _outcome_test(
    p: NDArray[np.float64], outcome: NDArray[np.int64], config: DriftConfig, level: float
) -> ResultTest:
    """Frequencies of home win, draw and away win jointly; two of the three are free. Shows the one furthest off."""
    difference = (np.eye(3)[outcome] - p).mean(axis=0)
    covariance = (np.einsum("ni,ij->ij", p, np.eye(3)) - p.T @ p) / len(p) ** 2
    free = [0, 2]
    spread = config.outcomes_spread**2 * np.eye(2)
    statistic = difference[free] @ np.linalg.solve(covariance[np.ix_(free, free)] + spread, difference[free])
    p_value = float(chi2.sf(statistic, df=2))
    worst = int(np.abs(difference).argmax())
    expected = float(p[:, worst].mean())
    effect = float(np.abs(difference).max())
    return ResultTest(
        f"{OUTCOMES[worst]} wins" if OUTCOMES[worst] != "draw" else "draws",
        expected + float(difference[worst]),
        expected,
        p_value,
        effect,
        p_value < level and effect >= config.outcomes,
    )
