"""The losses of training, and its soft labels.

The odds of a played match say more about it than its result does: as labels they are less noisy. They are labels of
training only; validation and test are scored on results.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

# Logits [n, 3], log expected goals [n, 2], outcomes (int64 [n], or probabilities [n, 3]) and goals [n, 2] to the
# outcome's and the goals' mean loss.
LossFunction = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def mean_losses(logits: Tensor, log_rates: Tensor, outcome: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean log loss of the outcome and the mean Poisson loss of the goals."""
    return (
        functional.cross_entropy(logits, outcome),
        functional.poisson_nll_loss(log_rates, goals, log_input=True),
    )


def soft_labels(outcome: Tensor, goals: Tensor, market: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Mix results with what the odds of the same matches imply.

    Parameters
    ----------
    outcome
        `[n]`: 0 home win, 1 draw, 2 away win.
    goals
        `[n, 2]`.
    market
        `[n, 5]`: probabilities of the outcomes and goals of both sides, as `SequenceTensors.market`. Where one is NaN,
        the label is the result.
    share
        Weight of the odds.

    Returns
    -------
    tuple
        Probabilities `[n, 3]` and goals `[n, 2]`.
    """
    happened = functional.one_hot(outcome, 3).to(market.dtype)
    results = torch.cat([happened, goals], dim=1)  # [n, 5]
    labels = torch.lerp(results, market, share)
    labels = torch.where(torch.isnan(market).any(dim=1, keepdim=True), results, labels)
    return labels[:, :3], labels[:, 3:]
