"""Losses of training, and labels that mix results with what the odds implied."""

import math

import numpy as np
import torch

from football_assets.training.losses import mean_losses, soft_labels

MARKET = torch.tensor([[0.5, 0.3, 0.2, 1.8, 0.9], [0.2, 0.3, 0.5, 1.0, 1.6]])
OUTCOME = torch.tensor([0, 1])
GOALS = torch.tensor([[3.0, 1.0], [2.0, 2.0]])


def test_labels_are_four_fifths_odds_and_one_fifth_result() -> None:
    outcome, goals = soft_labels(OUTCOME, GOALS, MARKET, 0.8)

    np.testing.assert_allclose(outcome, [[0.6, 0.24, 0.16], [0.16, 0.44, 0.4]], rtol=1e-5)
    np.testing.assert_allclose(goals, [[0.8 * 1.8 + 0.6, 0.8 * 0.9 + 0.2], [1.2, 1.68]], rtol=1e-5)


def test_a_match_without_odds_keeps_its_result() -> None:
    market = MARKET.clone()
    market[0] = math.nan
    market[1, 4] = math.nan

    outcome, goals = soft_labels(OUTCOME, GOALS, market, 0.8)

    assert outcome.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert goals.tolist() == GOALS.tolist()


def test_results_as_probabilities_lose_what_results_as_classes_lose() -> None:
    logits, log_rates = torch.randn(2, 3), torch.randn(2, 2)

    outcome, goals = soft_labels(OUTCOME, GOALS, torch.full((2, 5), math.nan), 0.8)

    for soft, hard in zip(
        mean_losses(logits, log_rates, outcome, goals),
        mean_losses(logits, log_rates, OUTCOME, GOALS),
        strict=True,
    ):
        np.testing.assert_allclose(soft, hard, rtol=1e-6)


def test_the_goals_loss_is_least_at_the_goals() -> None:
    def loss(factor: float) -> float:
        return mean_losses(torch.zeros(2, 3), (GOALS * factor).log(), OUTCOME, GOALS)[1].item()

    assert loss(1.0) < min(loss(0.9), loss(1.1))
