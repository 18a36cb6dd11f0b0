"""Networks and losses that an ablation passes to `fit_forecaster` in place of the default ones."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.research.ablation_inputs import GROUP
from football_assets.sequences.spec import Feature, FeatureSpec
from football_assets.training.config import NetworkConfig
from football_assets.training.losses import LossFunction
from football_assets.training.network import MatchForecaster, Normaliser

EMBEDDING = 4  # size of the embedding of a league or country

_SHARE_SHORTENED = 0.3  # of the histories, while training
_HEAD = ("trunk", "context_to_rates", "trunk_to_rates", "context_to_logits", "trunk_to_logits")
_SHARE_HIDDEN = 0.1  # of the past matches, while training


# -------------------------------------------------------------------------------------------------------- networks


class LastStateAlone(MatchForecaster):
    """Encodes a history by the LSTM's last state; the attention-weighted mean is set to 0."""

    def _read(self, history: Tensor) -> Tensor:
        last, pooled = super()._read(history).chunk(2, dim=1)
        return torch.cat([last, torch.zeros_like(pooled)], dim=1)


class AttentionAlone(MatchForecaster):
    """Encodes a history by the attention-weighted mean of the LSTM's states; the last state is set to 0."""

    def _read(self, history: Tensor) -> Tensor:
        last, pooled = super()._read(history).chunk(2, dim=1)
        return torch.cat([torch.zeros_like(last), pooled], dim=1)


class ShortenedHistories(MatchForecaster):
    """Hides the oldest matches of 30 % of the histories during training, a random number of each."""

    def _read(self, history: Tensor) -> Tensor:
        if self.training:
            count, length = history.shape[:2]
            is_shortened = torch.rand(count, 1, device=history.device) < _SHARE_SHORTENED
            hidden = torch.randint(0, length, (count, 1), device=history.device)
            is_seen = (torch.arange(length, device=history.device) >= hidden) | ~is_shortened
            history = torch.where(is_seen[:, :, None], history, 0.0)
        return super()._read(history)


class GappyHistories(MatchForecaster):
    """Hides each past match with a probability of 10 % during training."""

    def _read(self, history: Tensor) -> Tensor:
        if self.training:
            is_seen = torch.rand(history.shape[:2], device=history.device) >= _SHARE_HIDDEN
            history = torch.where(is_seen[:, :, None], history, 0.0)
        return super()._read(history)


class TwoHeads(MatchForecaster):
    """Has other layers after the LSTM for matches without rated odds, which is what training hides."""

    def __init__(self, spec: FeatureSpec, config: NetworkConfig) -> None:
        super().__init__(spec, config)
        self.rated = spec.context_names.index("odds_rated")
        self.without_odds = nn.ModuleDict({name: deepcopy(getattr(self, name)) for name in _HEAD})

    def raw_outputs(
        self, home_history: Tensor, away_history: Tensor, context: Tensor
    ) -> tuple[Tensor, Tensor]:
        base = self._base(context)
        known = self.normalise_context(context) * self.learnt
        both = self._read(torch.cat([home_history, away_history]))
        home, away = both.unflatten(0, (2, -1))
        joined = torch.cat([home + away, home - away, known], dim=1)

        def outputs(head: dict[str, nn.Module]) -> tuple[Tensor, Tensor]:
            trunk = head["trunk"](joined)
            rates = base + head["context_to_rates"](known) + head["trunk_to_rates"](trunk)
            rates = rates.clamp(-3.0, 2.0)
            logits = self._poisson_outcome(rates) + head["context_to_logits"](known)
            return logits + head["trunk_to_logits"](trunk), rates

        is_rated = context[:, self.rated : self.rated + 1] > 0
        with_odds = outputs({name: getattr(self, name) for name in _HEAD})
        without = outputs({name: self.without_odds[name] for name in _HEAD})
        return torch.where(is_rated, with_odds[0], without[0]), torch.where(
            is_rated, with_odds[1], without[1]
        )


class Embedded(MatchForecaster):
    """Passes the columns of `ablation_inputs.groups` to every layer as an embedding of `EMBEDDING` numbers."""

    def __init__(self, spec: FeatureSpec, config: NetworkConfig) -> None:
        own = [feature for feature in spec.context if not feature.name.startswith(GROUP)]
        numbers = [
            Feature(name=f"embedding_{i}", unit="", lower=0, upper=1, description="")
            for i in range(EMBEDDING)
        ]
        super().__init__(spec.model_copy(update={"context": (*own, *numbers)}), config)
        self.normalise_context = _EmbeddingNormaliser(own, len(spec.context) - len(own))


class _EmbeddingNormaliser(Normaliser):
    """Normalises the first columns and embeds the last ones, which are one-hot."""

    def __init__(self, own: list[Feature], groups: int) -> None:
        super().__init__([f.lower for f in own], [f.upper for f in own])
        self.embedding = nn.Linear(groups, EMBEDDING, bias=False)

    def observe(self, rows: Tensor) -> None:
        super().observe(rows[:, : len(self.mean)])

    def forward(self, raw: Tensor) -> Tensor:
        own = len(self.mean)
        return torch.cat([super().forward(raw[:, :own]), self.embedding(raw[:, own:])], dim=1)


# ---------------------------------------------------------------------------------------------------------- losses


def smoothed(share: float) -> LossFunction:
    """Return the log loss of the outcome with label smoothing: `share` is spread evenly over the outcomes."""

    def losses(logits: Tensor, log_rates: Tensor, outcome: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
        smoothing = share if logits.requires_grad else 0.0
        outcome_loss = functional.cross_entropy(logits, outcome, label_smoothing=smoothing)
        return outcome_loss, _goals_loss(log_rates, goals)

    return losses


def with_rps(logits: Tensor, log_rates: Tensor, outcome: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log loss of the outcome, to which training adds its ranked probability score."""
    loss = functional.cross_entropy(logits, outcome)
    if logits.requires_grad:
        happened = functional.one_hot(outcome, 3).float() if outcome.ndim == 1 else outcome  # soft labels
        error = (torch.softmax(logits, dim=1) - happened).cumsum(dim=1)[:, :2]
        loss = loss + (error**2).sum(dim=1).mean() / 2
    return loss, _goals_loss(log_rates, goals)


def with_teacher(logits: Tensor, log_rates: Tensor, outcome: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
    """Return, in training, the mean of the log losses against the outcome and a teacher's probabilities.

    The teacher's `[n, 3]` follow the goals, `[n, 2]`.
    """
    loss = functional.cross_entropy(logits, outcome)
    if logits.requires_grad:
        loss = (loss + functional.cross_entropy(logits, goals[:, 2:])) / 2
    return loss, _goals_loss(log_rates, goals[:, :2])


def _goals_loss(log_rates: Tensor, goals: Tensor) -> Tensor:
    return functional.poisson_nll_loss(log_rates, goals, log_input=True)
