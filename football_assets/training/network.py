"""The network: one LSTM encodes both teams' last matches, and a goals model turns the encoding into probabilities.

Expected goals are a log-linear model of the context, corrected by the LSTM. They start from the goals that the ratings
from past odds imply. Where there are none they start from the mean goals of the league and the recent shift of home
advantage in all leagues. The shift enters without a weight: it hardly varies in the training period, so a weight learnt
there would be arbitrary when it does vary. The probabilities of two independent Poisson counts with these means are the
prior of the outcome head, which learns the difference from the observed outcomes, such as more draws. The odds of the
match itself enter without a weight too, as a blend of the calibrated probabilities (`blend.py`). Normalisation,
calibration and blend are buffers of the module: raw goals, days and odds go in and calibrated probabilities come out,
in PyTorch and in the exported graph alike.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from football_assets.errors import FootballError
from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT, MATCH_ODDS, OBSERVED, FeatureSpec
from football_assets.storage.model_files import CHECKPOINT, TRAINING
from football_assets.training.blend import blend_for
from football_assets.training.config import NetworkConfig
from football_assets.training.moments import Moments, Total

SCORE_GRID_GOALS = 12
ODDS_GOALS = ("odds_home_goals", "odds_away_goals")  # goals that the ratings from past odds imply
_LOG_RATE_BOUNDS = (-3.0, 2.0)  # 0.05 to 7.4 goals
_SMALLEST = 1e-9
_LEAST_VARIANCE = 1e-12  # of a feature that varies
_SCALE_TOLERANCE = 1e-6  # of the blend's scale, which earlier releases fitted


def _unchanged(values: Tensor) -> Tensor:
    return values


class Normaliser(nn.Module):
    """Clip raw features to their bounds, fill unknown ones with the mean, and scale to mean 0 and deviation 1.

    A feature that is constant in training gets an infinite deviation, so its normalised value stays 0 if it varies
    later, for example when the first odds land after training. The network has learnt nothing about it.
    """

    def __init__(self, lower: list[float], upper: list[float]) -> None:
        super().__init__()
        self.register_buffer("lower", torch.tensor(lower))
        self.register_buffer("upper", torch.tensor(upper))
        self.register_buffer("mean", torch.zeros(len(lower)))
        self.register_buffer("deviation", torch.ones(len(lower)))
        self._moments = Moments(len(lower))

    lower: Tensor
    upper: Tensor
    mean: Tensor
    deviation: Tensor

    @torch.no_grad()
    def observe(self, rows: Tensor) -> None:
        """Add a part of the training rows, `[n, features]`, from which `fit` computes mean and deviation."""
        self._moments.add(rows.clamp(self.lower.to(rows.device), self.upper.to(rows.device)))

    @torch.no_grad()
    def fit(self, total: Total = _unchanged) -> None:
        """Fit mean and deviation on the observed rows, ignoring NaN.

        Parameters
        ----------
        total
            Sums values over all processes, each of which has observed a part of the rows.
        """
        mean, variance = self._moments.joined(total)
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(variance > _LEAST_VARIANCE, variance.sqrt(), torch.inf))

    def forward(self, raw: Tensor) -> Tensor:
        """Normalise features `[..., features]`; an unknown one becomes 0, the mean."""
        filled = torch.where(torch.isnan(raw), self.mean, raw)
        return (filled.clamp(self.lower, self.upper) - self.mean) / self.deviation


class MatchForecaster(nn.Module):
    """Forecast the probabilities of home win, draw and away win, and both teams' expected goals.

    Inputs are in raw units, with the shapes of the specification: `home_history`, `away_history`
    `[n, length, features]`, `context` `[n, context features]`; NaN stands for unknown.
    """

    def __init__(self, spec: FeatureSpec, config: NetworkConfig) -> None:
        super().__init__()
        self.spec, self.config = spec, config
        self.observed = spec.history_names.index(OBSERVED)
        self.league_goals = [spec.context_names.index(f"league_{side}_goals") for side in ("home", "away")]
        names = spec.context_names
        self.odds_goals = [names.index(name) for name in ODDS_GOALS] if set(ODDS_GOALS) <= set(names) else []
        self.shift = names.index(HOME_ADVANTAGE_SHIFT) if HOME_ADVANTAGE_SHIFT in names else None
        self.normalise_history = Normaliser([f.lower for f in spec.history], [f.upper for f in spec.history])
        self.normalise_context = Normaliser([f.lower for f in spec.context], [f.upper for f in spec.context])
        width = config.hidden
        self.lstm = nn.LSTM(len(spec.history), width, config.layers, batch_first=True)
        self.attention = nn.Linear(width, 1)
        self.trunk = nn.Sequential(
            nn.Linear(4 * width + len(spec.context), config.trunk),
            nn.SiLU(),
            nn.Dropout(config.dropout),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.context_to_rates = nn.Linear(len(spec.context), 2)
        self.trunk_to_rates = nn.Linear(config.trunk, 2)
        self.context_to_logits = nn.Linear(len(spec.context), 3)
        self.trunk_to_logits = nn.Linear(config.trunk, 3)
        for layer in (
            self.context_to_rates,
            self.trunk_to_rates,
            self.context_to_logits,
            self.trunk_to_logits,
        ):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        counts = torch.arange(SCORE_GRID_GOALS + 1, dtype=torch.float32)
        self.register_buffer("counts", counts, persistent=False)
        self.register_buffer("log_factorials", torch.lgamma(counts + 1), persistent=False)
        self.register_buffer(
            "fewer", torch.ones(SCORE_GRID_GOALS + 1, SCORE_GRID_GOALS + 1).tril(-1), persistent=False
        )
        learnt = torch.tensor([float(name not in (HOME_ADVANTAGE_SHIFT, *MATCH_ODDS)) for name in names])
        self.register_buffer("learnt", learnt, persistent=False)
        self.register_buffer("calibration_scale", torch.ones(3))
        self.register_buffer("calibration_shift", torch.zeros(3))
        self.blend = blend_for(spec)

    counts: Tensor
    log_factorials: Tensor
    fewer: Tensor
    learnt: Tensor  # [context features] 1; 0 for features without a learnt weight
    calibration_scale: Tensor
    calibration_shift: Tensor

    def forward(self, home_history: Tensor, away_history: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Compute calibrated probabilities `[n, 3]` and expected goals `[n, 2]`."""
        logits, log_rates = self.raw_outputs(home_history, away_history, context)
        return self.probabilities(logits, context), log_rates.exp()

    def probabilities(self, logits: Tensor, context: Tensor) -> Tensor:
        """Calibrate logits `[n, 3]`, and blend them with the odds of the match where the context has them."""
        calibrated = self.calibrate(logits)
        if self.blend is not None:
            calibrated = self.blend(calibrated, context)
        return torch.softmax(calibrated, dim=1)

    def calibrate(self, logits: Tensor) -> Tensor:
        """Scale and shift the outcome's log-probabilities, by vector scaling."""
        return logits * self.calibration_scale + self.calibration_shift

    def raw_outputs(
        self, home_history: Tensor, away_history: Tensor, context: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compute uncalibrated outcome logits `[n, 3]` and log expected goals `[n, 2]`, without odds of the match."""
        base = self._base(context)  # [n, 2]
        known = self.normalise_context(context) * self.learnt
        both = self._read(torch.cat([home_history, away_history]))  # [2 * n, 2 * hidden]
        home, away = both.unflatten(0, (2, -1))
        joined = self.trunk(torch.cat([home + away, home - away, known], dim=1))  # [n, trunk]
        log_rates = base + self.context_to_rates(known) + self.trunk_to_rates(joined)
        log_rates = log_rates.clamp(*_LOG_RATE_BOUNDS)
        logits = (
            self._poisson_outcome(log_rates) + self.context_to_logits(known) + self.trunk_to_logits(joined)
        )
        return logits, log_rates

    def _base(self, context: Tensor) -> Tensor:
        """Compute the logarithms of expected goals that the network starts from, home and away `[n, 2]`."""
        base = self._league_base(context)
        if not self.odds_goals:
            return base
        goals, normaliser = self._columns(context, self.odds_goals), self.normalise_context
        lower, upper, deviation = (
            getattr(normaliser, name)[self.odds_goals] for name in ("lower", "upper", "deviation")
        )
        is_unknown = torch.isnan(goals) | torch.isinf(deviation)  # infinite: unknown in all of training
        return torch.where(is_unknown.any(dim=1, keepdim=True), base, goals.clamp(lower, upper).log())

    def _league_base(self, context: Tensor) -> Tensor:
        """Compute the logarithms of the league's mean goals, home and away `[n, 2]`, shifted by home advantage."""
        league = self._columns(context, self.league_goals)
        league = torch.where(torch.isnan(league), self.normalise_context.mean[self.league_goals], league)
        base = league.clamp(min=0.2).log()
        if self.shift is None:
            return base
        shift = context[:, self.shift].nan_to_num(0.0)
        half = (
            shift.clamp(self.normalise_context.lower[self.shift], self.normalise_context.upper[self.shift])
            / 2
        )
        return base + torch.stack([half, -half], dim=1)

    @staticmethod
    def _columns(context: Tensor, columns: list[int]) -> Tensor:
        return torch.stack([context[:, column] for column in columns], dim=1)

    def _read(self, history: Tensor) -> Tensor:
        """Encode last matches `[n, length, features]` as last state and attention-weighted mean `[n, 2 * hidden]`."""
        observed = history[:, :, self.observed : self.observed + 1]  # [n, length, 1]
        states, _ = self.lstm(self.normalise_history(history) * observed)  # [n, length, hidden]
        states = states * observed
        scores = self.attention(states) - (1.0 - observed) * 1e4
        pooled = (torch.softmax(scores, dim=1) * states).sum(dim=1)
        return self.dropout(torch.cat([states[:, -1], pooled], dim=1))

    def _poisson_outcome(self, log_rates: Tensor) -> Tensor:
        """Compute the log-probabilities `[n, 3]` of the outcome of two independent Poisson counts."""
        log_mass = self.counts * log_rates[:, :, None] - log_rates.exp()[:, :, None] - self.log_factorials
        mass = log_mass.exp()  # [n, 2, goals]
        home, away = mass[:, 0], mass[:, 1]
        home_win = (home @ self.fewer * away).sum(dim=1)
        away_win = (away @ self.fewer * home).sum(dim=1)
        draw = (home * away).sum(dim=1)
        return torch.stack([home_win, draw, away_win], dim=1).clamp(min=_SMALLEST).log()


def save_forecaster(network: MatchForecaster, description: dict[str, object], folder: Path) -> None:
    """Write weights (safetensors), specification and description into a folder."""
    save_file(
        {name: tensor.contiguous() for name, tensor in network.state_dict().items()}, folder / CHECKPOINT
    )
    network.spec.save(folder)
    text = json.dumps({"network": network.config.model_dump(), **description}, indent=1, default=str)
    (folder / TRAINING).write_text(text, encoding="utf-8")


def load_forecaster(folder: Path) -> MatchForecaster:
    """Load the network of a folder written by `save_forecaster`, in evaluation mode.

    Raises
    ------
    FootballError
        An earlier release trained the network with a scale of the blend, which this release does not support.
    """
    description = load_description(folder)
    network = MatchForecaster(FeatureSpec.load(folder), NetworkConfig.model_validate(description["network"]))
    weights = load_file(folder / CHECKPOINT)
    scale = weights.pop("blend.scale", torch.ones(()))
    if not torch.allclose(scale, torch.ones_like(scale), rtol=0.0, atol=_SCALE_TOLERANCE):
        raise FootballError(
            f"The network in {folder} was trained by an earlier release: train it again (materialize trained_lstm)."
        )
    network.load_state_dict(weights)
    return network.eval()


def load_description(folder: Path) -> dict[str, Any]:
    """Load the description of a network: configuration, periods, epochs."""
    description: dict[str, Any] = json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    return description


def count_parameters(network: nn.Module) -> int:
    """Count the trained weights."""
    return sum(math.prod(parameter.shape) for parameter in network.parameters() if parameter.requires_grad)
