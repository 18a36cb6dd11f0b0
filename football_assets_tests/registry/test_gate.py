"""The promotion gate judges simulated seasons whose true probabilities are known."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from football_assets.registry.config import CLASS_PRIOR, ELO, PRODUCTION, GateConfig
from football_assets.registry.gate import GateDecision, bootstrap_interval, judge

CONFIG = GateConfig()
PRIOR = np.array([0.45, 0.26, 0.29])


def truth(matches: int, seed: int = 0, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """True probabilities [matches, 3] and outcomes drawn from them."""
    generator = np.random.default_rng(seed)
    logits = np.log(PRIOR) + generator.normal(0, spread, (matches, 1)) * np.array([1, 0, -1])
    probabilities = softmax(logits)
    outcome = (generator.random((matches, 1)) > probabilities.cumsum(axis=1)[:, :2]).sum(axis=1)
    return probabilities, outcome


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def blurred(probabilities: np.ndarray, amount: float, seed: int = 1) -> np.ndarray:
    """The same forecasts with noise in their logits: worse in the mean."""
    noise = np.random.default_rng(seed).normal(0, amount, probabilities.shape)
    return softmax(np.log(probabilities) + noise)


def frame(candidate: np.ndarray, elo: np.ndarray, outcome: np.ndarray, days: int = 200) -> pl.DataFrame:
    matches = len(outcome)
    columns: dict[str, object] = {
        "league_id": [f"eng.{i % 4 + 1}" for i in range(matches)],
        "kickoff_date": [date.fromordinal(738000 + i * days // matches) for i in range(matches)],
        "outcome": outcome,
    }
    prior = np.tile(PRIOR, (matches, 1))
    for prefix, values in (("", candidate), ("class_prior_", prior), ("elo_", elo)):
        columns |= {f"{prefix}p_{name}": values[:, i] for i, name in enumerate(("home", "draw", "away"))}
    return pl.DataFrame(columns)


def reason(decision: GateDecision, reference: str) -> str:
    return next(text for text in decision.reasons if reference in text)


def test_a_candidate_that_knows_more_than_prior_elo_and_production_is_accepted() -> None:
    best, outcome = truth(3000)
    decision = judge(frame(best, blurred(best, 0.4), outcome), blurred(best, 0.4, seed=2), CONFIG)
    assert decision.accepted
    assert [comparison.reference for comparison in decision.comparisons] == [CLASS_PRIOR, ELO, PRODUCTION]
    for comparison in decision.comparisons:
        assert comparison.passed
        assert comparison.upper < 0
        assert comparison.lower < comparison.difference < comparison.upper
        assert comparison.difference == pytest.approx(
            comparison.candidate_log_loss - comparison.reference_log_loss
        )
        assert (comparison.matches, comparison.days) == (3000, 200)


def test_a_candidate_no_better_than_the_class_prior_is_refused() -> None:
    best, outcome = truth(3000)
    prior = np.tile(PRIOR, (3000, 1))
    decision = judge(frame(prior, blurred(best, 2), outcome), None, CONFIG)
    assert not decision.accepted
    assert "not significantly better than the class prior" in reason(decision, CLASS_PRIOR)
    assert decision.refusals == [reason(decision, CLASS_PRIOR)]


def test_a_small_edge_over_the_prior_that_few_matches_cannot_prove_is_refused() -> None:
    best, outcome = truth(60, seed=4, spread=0.15)
    decision = judge(frame(best, best, outcome, days=20), None, CONFIG)
    prior, elo = decision.comparisons
    assert not prior.passed
    assert prior.upper > 0
    assert elo.passed
    assert not decision.accepted


def test_a_candidate_level_with_elo_and_production_is_accepted() -> None:
    best, outcome = truth(3000)
    level = blurred(best, 0.05)
    decision = judge(frame(level, blurred(best, 0.05, seed=2), outcome), blurred(best, 0.05, seed=3), CONFIG)
    assert decision.accepted
    assert "not worse than the Elo baseline" in reason(decision, ELO)


def test_the_very_model_in_production_is_accepted_again() -> None:
    best, outcome = truth(500)
    decision = judge(frame(best, best, outcome), best, CONFIG)
    assert decision.accepted
    assert (
        decision.comparisons[2].difference
        == decision.comparisons[2].lower
        == decision.comparisons[2].upper
        == 0
    )


def test_a_candidate_significantly_worse_than_elo_is_rejected_though_within_the_tolerance() -> None:
    best, outcome = truth(15000)
    decision = judge(frame(blurred(best, 0.12), best, outcome), None, CONFIG)
    elo = decision.comparisons[1]
    assert 0 < elo.lower < elo.difference < CONFIG.tolerance
    assert not decision.accepted
    assert "significantly worse than the Elo baseline" in reason(decision, ELO)


def test_a_large_loss_to_production_that_is_not_certain_is_refused() -> None:
    best, outcome = truth(300, seed=3, spread=0.9)
    production, worse = blurred(best, 0.15, seed=99), blurred(best, 0.25, seed=2)
    test = frame(worse, blurred(best, 1), outcome)
    decision = judge(test, production, CONFIG)
    comparison = decision.comparisons[2]
    assert comparison.difference > CONFIG.tolerance
    assert comparison.lower < 0
    assert not decision.accepted
    assert "worse beyond the tolerance than the production model" in reason(decision, PRODUCTION)
    tolerant = CONFIG.model_copy(update={"tolerance": comparison.difference + 0.001})
    assert judge(test, production, tolerant).accepted


def test_matches_that_production_has_no_forecast_for_are_left_out_of_its_comparison_only() -> None:
    best, outcome = truth(2000)
    production = blurred(best, 1)
    production[:900] = np.nan
    decision = judge(frame(best, best, outcome), production, CONFIG)
    assert [comparison.matches for comparison in decision.comparisons] == [2000, 2000, 1100]
    assert decision.accepted
    own = -np.log(best[np.arange(2000), outcome])
    assert decision.comparisons[2].candidate_log_loss == pytest.approx(own[900:].mean())


def test_a_production_model_without_comparable_forecasts_does_not_stop_a_candidate_but_is_mentioned() -> None:
    best, outcome = truth(2000)
    nothing = np.full((2000, 3), np.nan)
    decision = judge(frame(best, best, outcome), nothing, CONFIG)
    assert decision.accepted
    assert reason(decision, PRODUCTION) == (
        "Against the production model there are forecasts of only 0 days (at least "
        f"{CONFIG.least_days} are needed), so this comparison is skipped."
    )
    decision = judge(frame(best, best, outcome), None, CONFIG, not_comparable="Version 1 has other features.")
    assert decision.accepted
    assert decision.refusals == []
    assert decision.reasons[-1] == "Version 1 has other features."


def test_too_few_days_are_no_evidence() -> None:
    best, outcome = truth(400)
    decision = judge(frame(best, best, outcome, days=3), None, CONFIG)
    assert not decision.accepted
    assert decision.refusals == decision.reasons
    assert "only 3 days" in decision.reasons[0]
    assert decision.reasons[0].endswith("so the candidate is rejected.")


@pytest.mark.parametrize("broken", [np.nan, 0.9, -0.1])
def test_forecasts_that_are_no_probabilities_are_refused(broken: float) -> None:
    best, outcome = truth(500)
    best = best.copy()
    best[7, 0] = broken
    decision = judge(frame(best, best, outcome), None, CONFIG)
    assert not decision.accepted
    assert decision.reasons == decision.refusals
    assert "not probabilities" in decision.reasons[0]
    assert decision.comparisons == []


def test_an_empty_test_period_is_refused() -> None:
    best, outcome = truth(10)
    assert not judge(frame(best, best, outcome).clear(), None, CONFIG).accepted


def test_the_same_predictions_get_the_same_verdict() -> None:
    best, outcome = truth(800)
    test = frame(best, blurred(best, 0.3), outcome)
    assert judge(test, best, CONFIG) == judge(test, best, CONFIG)
    assert judge(test, best, CONFIG) != judge(test, best, CONFIG.model_copy(update={"seed": 21}))


def test_the_interval_of_independent_matches_agrees_with_the_normal_approximation() -> None:
    differences = np.random.default_rng(5).normal(0.01, 0.2, 6000)
    lower, upper = bootstrap_interval(differences, np.arange(6000), CONFIG)
    error = 1.96 * differences.std() / np.sqrt(6000)
    assert lower == pytest.approx(differences.mean() - error, abs=0.1 * error)
    assert upper == pytest.approx(differences.mean() + error, abs=0.1 * error)


def test_matches_of_one_day_that_move_together_widen_the_interval() -> None:
    day_effect = np.random.default_rng(6).normal(0, 0.2, 100)
    differences = np.repeat(day_effect, 20)
    by_day = bootstrap_interval(differences, np.repeat(np.arange(100), 20), CONFIG)
    by_match = bootstrap_interval(differences, np.arange(2000), CONFIG)
    ratio = (by_day[1] - by_day[0]) / (by_match[1] - by_match[0])
    assert ratio == pytest.approx(np.sqrt(20), rel=0.1)


@pytest.mark.parametrize(("matches", "days", "resamples"), [(15000, 700, [2000]), (3000, 3000, [1333, 667])])
def test_resamples_are_counts_of_days_drawn_at_most_four_million_numbers_at_a_time(
    matches: int, days: int, resamples: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, ...]] = []
    generator = np.random.default_rng(0)

    def multinomial(n: int, pvals: np.ndarray, size: int) -> np.ndarray:
        counts = generator.multinomial(n, pvals, size=size)
        drawn.append(counts.shape)
        return counts

    monkeypatch.setattr(np.random, "default_rng", lambda seed: SimpleNamespace(multinomial=multinomial))
    bootstrap_interval(np.zeros(matches), np.arange(matches) * days // matches, CONFIG)

    assert drawn == [(rows, days) for rows in resamples]
