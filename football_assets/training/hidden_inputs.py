"""Hide odds from the network while it trains, so that one model serves matches with and without odds.

Another random share of the training matches loses all inputs of the group `odds` in every epoch: context, histories and
base rates. The odds of the match itself are hidden from all.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from football_assets.sequences.spec import FLAG, OBSERVED, Feature, FeatureGroup, FeatureSpec
from football_assets.training.inputs import Inputs

_STREAM = 1  # of the seed; stream 0 is the order of batches


class HiddenOdds:
    """Which matches have their odds hidden in an epoch; the same on every worker.

    Parameters
    ----------
    spec
        Names the group of each input.
    share
        Share of the matches whose inputs of the group `odds` are hidden.
    seed
        Seed of the draws.
    matches
        Number of matches in the tensors up to the last one of the training period.
    device
        Where the inputs are.
    """

    def __init__(
        self, spec: FeatureSpec, share: float, seed: int, matches: int, device: torch.device
    ) -> None:
        self._share, self._matches = share, matches
        self._random = np.random.default_rng((seed, _STREAM))
        self._observed = spec.history_names.index(OBSERVED)
        self._of_match = _columns(spec.context, "match_odds", device)
        self._context = _columns(spec.context, "odds", device)
        self._history = _columns(spec.history, "odds", device)
        self._fill_context, self._fill_history = (
            _fill(features, device) for features in (spec.context, spec.history)
        )
        self._hidden = np.zeros(matches, dtype=bool)

    @property
    def state(self) -> dict[str, Any]:
        """State of the draws: which matches the next epoch hides. JSON."""
        return dict(self._random.bit_generator.state)

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._random.bit_generator.state = state

    def draw(self) -> None:
        """Draw the matches whose odds are hidden in the next epoch."""
        self._hidden = self._random.random(self._matches) < self._share

    def hide(self, inputs: Inputs, rows: NDArray[np.int64]) -> Inputs:
        """Return the inputs of some rows as `hide_groups` does: NaN, flags 0, padding as it is."""
        home, away, context = inputs
        hidden = torch.from_numpy(self._hidden[rows]).to(context.device)[:, None]  # [n, 1]
        context = torch.where(self._of_match | (hidden & self._context), self._fill_context, context)
        return self._without_odds(home, hidden), self._without_odds(away, hidden), context

    def _without_odds(self, history: Tensor, hidden: Tensor) -> Tensor:
        observed = history[:, :, self._observed : self._observed + 1] > 0  # [n, length, 1]
        return torch.where(hidden[:, :, None] & observed & self._history, self._fill_history, history)


def _columns(features: tuple[Feature, ...], group: FeatureGroup, device: torch.device) -> Tensor:
    """Return which features are of a group, `[features]`."""
    return torch.tensor([feature.group == group for feature in features], device=device)


def _fill(features: tuple[Feature, ...], device: torch.device) -> Tensor:
    """Return the value of each feature where it is unknown, `[features]`."""
    return torch.tensor([0.0 if feature.unit == FLAG else torch.nan for feature in features], device=device)
