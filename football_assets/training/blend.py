"""The blend of the network's probabilities with those that the odds of the match itself imply.

It is the last layer of the network, after calibration, and has no trained weight: `calibration.py` fits its one number
on the validation matches that have odds. A match without odds keeps the network's own probabilities.
"""

import torch
from torch import Tensor, nn

from football_assets.sequences.spec import MATCH_ODDS, FeatureSpec

_SMALLEST = 1e-6  # probability


class MatchOddsBlend(nn.Module):
    """Mix log-probabilities: `(1 - weight) * own + weight * log odds`, a logarithmic opinion pool [1].

    Parameters
    ----------
    columns
        Columns of the context with the probabilities of home win, draw and away win that the match's odds imply.

    References
    ----------
    [1] Genest and Zidek, 1986, Combining probability distributions: a critique and an annotated bibliography.
    """

    def __init__(self, columns: list[int]) -> None:
        super().__init__()
        self.columns = columns
        self.register_buffer("weight", torch.zeros(()))

    weight: Tensor  # of the odds, 0 to 1; 0 until it is fitted

    def odds(self, context: Tensor) -> Tensor:
        """Return the probabilities that the matches' odds imply, `[n, 3]`; NaN where one of them is unknown."""
        odds = torch.stack([context[:, column] for column in self.columns], dim=1)
        return torch.where(torch.isnan(odds).any(dim=1, keepdim=True), torch.nan, odds)

    def forward(self, logits: Tensor, context: Tensor) -> Tensor:
        """Blend calibrated logits `[n, 3]` with the odds in the context; without odds they are returned as they are."""
        odds = self.odds(context)
        pooled = mix(torch.log_softmax(logits, dim=1), odds, self.weight)
        return torch.where(torch.isnan(odds), logits, pooled)


def mix(log_probabilities: Tensor, odds: Tensor, weight: Tensor) -> Tensor:
    """Compute logits `[n, 3]` of the pool of log-probabilities and the probabilities of the odds, both `[n, 3]`."""
    return (1 - weight) * log_probabilities + weight * odds.clamp(min=_SMALLEST).log()


def blend_for(spec: FeatureSpec) -> MatchOddsBlend | None:
    """Build the blend of a specification; None where it has no odds of the match itself."""
    names = spec.context_names
    if not set(MATCH_ODDS) <= set(names):
        return None
    return MatchOddsBlend([names.index(name) for name in MATCH_ODDS])
