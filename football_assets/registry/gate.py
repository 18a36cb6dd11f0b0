"""The promotion gate: decide whether a candidate may become production, from its test predictions alone."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from football_assets.domain.block_bootstrap import league_weeks, mean_interval
from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.domain.scoring_rules import log_loss_each
from football_assets.registry.config import CLASS_PRIOR, ELO, PRODUCTION, GateConfig


@dataclass(frozen=True)
class GateComparison:
    """The candidate against one reference on the same matches: `difference` is candidate − reference, in log loss."""

    reference: str
    matches: int
    days: int
    candidate_log_loss: float
    reference_log_loss: float
    difference: float
    lower: float
    upper: float
    passed: bool
    rule: str


@dataclass(frozen=True)
class GateDecision:
    """The decision about a candidate.

    `reasons` has one sentence per comparison, made or skipped; those in `refusals` prevent promotion.
    """

    accepted: bool
    reasons: list[str]
    refusals: list[str]
    comparisons: list[GateComparison]

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON values."""
        return asdict(self)


def rejection(reason: str) -> GateDecision:
    """Return the decision about a candidate that cannot be compared."""
    return GateDecision(accepted=False, reasons=[reason], refusals=[reason], comparisons=[])


def judge(
    test: pl.DataFrame,
    production_probabilities: np.ndarray | None,
    config: GateConfig,
    *,
    not_comparable: str | None = None,
) -> GateDecision:
    """Decide whether a candidate may become production.

    A comparison is the paired difference of log loss on the same matches, with a bootstrap interval that resamples
    league-weeks, as the comparison's does: results of a league and week share what the model did not know, so they are
    not independent. The rules:

    - class prior: the whole interval lies below 0. Any useful model is significantly better than base rates.
    - Elo baseline and production model: the candidate is rejected if it is significantly worse (the whole interval
      lies above 0) or worse in the mean by more than `tolerance`. The first condition keeps a series of small losses,
      each within the tolerance, from adding up. The second rejects a large loss that is not significant on few
      matches. A candidate that is equally good passes: it has been trained on newer results.

    Parameters
    ----------
    test
        One row per test match: `league_id`, `kickoff_date`, `outcome` and the columns `p_*`, `class_prior_p_*` and
        `elo_p_*` for home, draw and away.
    production_probabilities
        `[n, 3]` forecasts of the same matches by the production model, NaN where it has none or was trained on the
        match; None if there is no production model to compare with.
    config
        Tolerance and bootstrap.
    not_comparable
        Why the production model could not be compared; it is added to the reasons.

    Returns
    -------
    GateDecision
    """
    outcome = test["outcome"].to_numpy()
    days = test["kickoff_date"].to_physical().to_numpy()
    weeks = league_weeks(test["league_id"], test["kickoff_date"])
    candidate = _probabilities(test, "")
    if not _are_probabilities(candidate):
        reason = "The candidate's test forecasts are not probabilities that sum to one."
        return rejection(reason)
    references = {CLASS_PRIOR: _probabilities(test, "class_prior_"), ELO: _probabilities(test, "elo_")}
    if production_probabilities is not None:
        references[PRODUCTION] = production_probabilities

    comparisons, reasons, refusals = [], [], []
    for reference, probabilities in references.items():
        known = np.isfinite(probabilities).all(axis=1)
        count = np.unique(days[known]).size
        if count < config.least_days:
            reason, passed = _too_few(reference, count, config), reference == PRODUCTION
        else:
            comparison = _compare(
                reference,
                candidate[known],
                probabilities[known],
                outcome[known],
                days[known],
                weeks[known],
                config,
            )
            comparisons.append(comparison)
            reason, passed = _sentence(comparison, config), comparison.passed
        reasons.append(reason)
        if not passed:
            refusals.append(reason)
    if not_comparable is not None:
        reasons.append(not_comparable)
    return GateDecision(accepted=not refusals, reasons=reasons, refusals=refusals, comparisons=comparisons)


def bootstrap_interval(
    differences: np.ndarray, blocks: np.ndarray, config: GateConfig
) -> tuple[float, float]:
    """Estimate an interval of the mean of paired differences, by a bootstrap over blocks.

    Parameters
    ----------
    differences
        `[n]` one value per match.
    blocks
        `[n]` the match's league-week; equal values form one block.

    Returns
    -------
    tuple
        Lower and upper end at `config.confidence`.

    References
    ----------
    [1] Efron and Tibshirani, 1993: percentile intervals; [2] Künsch, 1989: resampling of blocks.
    """
    return mean_interval(
        differences,
        np.unique(blocks, return_inverse=True)[1],
        seed=config.seed,
        resamples=config.resamples,
        confidence=config.confidence,
    )


def _compare(
    reference: str,
    candidate: np.ndarray,
    other: np.ndarray,
    outcome: np.ndarray,
    days: np.ndarray,
    weeks: np.ndarray,
    config: GateConfig,
) -> GateComparison:
    own, its = log_loss_each(candidate, outcome), log_loss_each(other, outcome)
    lower, upper = bootstrap_interval(own - its, weeks, config)
    difference = float((own - its).mean())
    if reference == CLASS_PRIOR:
        passed, rule = upper < 0, "interval below 0"
    else:
        passed = lower <= 0 and difference <= config.tolerance
        rule = f"interval not above 0 and difference ≤ {config.tolerance:g}"
    return GateComparison(
        reference=reference,
        matches=own.size,
        days=np.unique(days).size,
        candidate_log_loss=float(own.mean()),
        reference_log_loss=float(its.mean()),
        difference=difference,
        lower=lower,
        upper=upper,
        passed=bool(passed),
        rule=rule,
    )


def _sentence(comparison: GateComparison, config: GateConfig) -> str:
    if comparison.reference == CLASS_PRIOR:
        verdict = "better than" if comparison.passed else "not significantly better than"
    elif comparison.passed:
        verdict = "better than" if comparison.upper < 0 else "not worse than"
    else:
        verdict = "significantly worse than" if comparison.lower > 0 else "worse beyond the tolerance than"
    return (
        f"The candidate is {verdict} the {comparison.reference}: log loss {comparison.candidate_log_loss:.4f} against "
        f"{comparison.reference_log_loss:.4f} on {comparison.matches:,} matches, "
        f"difference {comparison.difference:+.4f} "
        f"({config.confidence:.0%} interval {comparison.lower:+.4f} to {comparison.upper:+.4f}; "
        f"rule: {comparison.rule})."
    )


def _too_few(reference: str, days: int, config: GateConfig) -> str:
    consequence = (
        "so this comparison is skipped" if reference == PRODUCTION else "so the candidate is rejected"
    )
    return (
        f"Against the {reference} there are forecasts of only {days} days (at least {config.least_days} are needed), "
        f"{consequence}."
    )


def _probabilities(test: pl.DataFrame, prefix: str) -> np.ndarray:
    return test.select(f"{prefix}{name}" for name in PROBABILITY_COLUMNS).cast(pl.Float64).to_numpy()


def _are_probabilities(probabilities: np.ndarray) -> bool:
    within = (probabilities >= 0).all() and (probabilities <= 1).all()  # False for NaN
    return bool(probabilities.size and within and np.allclose(probabilities.sum(axis=1), 1, atol=1e-4))
