"""Results that follow the forecasts raise no alarm; football that has changed does, with its own message."""

import numpy as np
import polars as pl
import pytest

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.outcomes import ResultTest, judge_results, result_tests
from football_assets_tests.builders.prediction_logs import reference_like

CONFIG = DriftConfig()
NAMES = ["goals", "home goal difference", "outcome", "log loss"]


def judged(results: pl.DataFrame, config: DriftConfig = CONFIG) -> dict[str, ResultTest]:
    return dict(zip(NAMES, result_tests(results, config), strict=True))


def with_goals(results: pl.DataFrame, home: np.ndarray, away: np.ndarray) -> pl.DataFrame:
    return results.with_columns(
        home_goals=pl.Series(home), away_goals=pl.Series(away), outcome=pl.Series(1 - np.sign(home - away))
    )


def test_results_drawn_from_the_forecasts_are_seldom_significant_and_never_drift() -> None:
    strict = CONFIG.model_copy(
        update={f"{name}_spread": 0.0 for name in ("goals", "home_advantage", "outcomes", "log_loss")}
    )
    found = [judged(reference_like(400, seed=seed), strict) for seed in range(100)]

    for name in NAMES:
        p_values = np.array([tests[name].p_value for tests in found])
        assert 0.02 < (p_values < 0.1).mean() < 0.2, name  # a tenth, if the variance is right
    assert not any(
        test.drifted for seed in range(100) for test in judged(reference_like(400, seed=seed)).values()
    )


def test_more_goals_are_found_and_said() -> None:
    results = reference_like(300)
    added = np.random.default_rng(1).poisson(0.35, (300, 2))
    home, away = (results[f"{side}_goals"].to_numpy() for side in ("home", "away"))

    outcomes, scores = judge_results(
        result_tests(with_goals(results, home + added[:, 0], away + added[:, 1]), CONFIG)
    )

    mean = (home + away + added.sum(axis=1)).mean()
    expected = results.select("xg_home", "xg_away").to_numpy().sum(axis=1).mean()
    assert outcomes.drifted
    assert outcomes.note.startswith(f"goals {mean:.4g} a match where {expected:.4g} were expected")
    assert not scores.drifted


def test_a_home_advantage_that_is_gone_is_found_and_said() -> None:
    results = reference_like(700)
    generator = np.random.default_rng(1)
    xg = results.select("xg_home", "xg_away").to_numpy()
    home, away = generator.poisson(xg[:, 0] * 0.88), generator.poisson(xg[:, 1] * 1.15)

    found = judged(with_goals(results, home, away))

    assert found["home goal difference"].drifted
    assert not found["goals"].drifted
    assert found["home goal difference"].observed == pytest.approx((home - away).mean())
    assert found["home goal difference"].expected == pytest.approx((xg[:, 0] - xg[:, 1]).mean())


def test_forecasts_that_are_too_sure_score_worse_than_they_expect() -> None:
    results = reference_like(600)
    p = results.select("p_home", "p_draw", "p_away").to_numpy() ** 3
    p /= p.sum(axis=1, keepdims=True)
    sure = results.with_columns(
        **{name: pl.Series(p[:, i]) for i, name in enumerate(("p_home", "p_draw", "p_away"))}
    )

    _, scores = judge_results(result_tests(sure, CONFIG))

    assert scores.drifted
    assert scores.note.startswith("log loss of ")


def test_the_outcome_that_is_furthest_off_is_named_with_its_frequency() -> None:
    results = reference_like(500).with_columns(outcome=pl.lit(1))

    found = judged(results)["outcome"]

    assert (found.name, found.drifted) == ("draws", True)
    assert found.observed == pytest.approx(1)
    assert found.expected == pytest.approx(0.26)


def test_a_certain_difference_that_does_not_matter_is_no_drift() -> None:
    results = reference_like(50_000)
    xg = results.select(pl.col("xg_home") * 1.05, pl.col("xg_away") * 1.05).to_numpy()
    goals = np.random.default_rng(3).poisson(xg)

    found = judged(
        with_goals(results, goals[:, 0], goals[:, 1]), CONFIG.model_copy(update={"goals_spread": 0.0})
    )["goals"]

    assert found.p_value < 1e-6
    assert found.effect == pytest.approx(0.13, abs=0.02)
    assert not found.drifted


def test_a_large_difference_of_few_matches_is_no_drift() -> None:
    results = reference_like(20)
    goals = np.round(results.select("xg_home", "xg_away").to_numpy() + 0.15)

    found = judged(with_goals(results, goals[:, 0], goals[:, 1]))["goals"]

    assert found.effect > CONFIG.goals
    assert not found.drifted


def test_a_forecast_of_zero_is_judged_too() -> None:
    results = reference_like(100).with_columns(p_home=pl.lit(0.0), p_draw=pl.lit(0.5), p_away=pl.lit(0.5))

    assert judged(results)["log loss"].drifted
