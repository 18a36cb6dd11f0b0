"""The types of ablations: what each changes, and the result of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.errors import FootballError
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import TrainingConfig
from football_assets.training.losses import LossFunction, mean_losses
from football_assets.training.network import MatchForecaster
from football_assets.training.split import TimeSplit

DEFAULT = "default"

LOGITS = ("logit_home", "logit_draw", "logit_away")  # before calibration


Probabilities = NDArray[np.float64]


class AblationUnavailable(FootballError):
    """An ablation cannot run on these tensors."""


@dataclass(frozen=True)
class Result:
    """Forecasts of an ablation for a season, and their cost.

    `season` and `validation` have one row per match: `match_id`, `league_id`, `date`, `outcome`, the columns of
    `LOGITS`, and the calibrated `p_home`, `p_draw`, `p_away`. Derived ablations have no logits and no validation.
    """

    season: pl.DataFrame
    validation: pl.DataFrame
    parameters: int
    seconds: float
    temperature: float  # logits are divided by it
    best_epoch: int
    epochs: int


@dataclass(frozen=True)
class Setup:
    """The arguments of `fit_forecaster`."""

    tensors: SequenceTensors
    split: TimeSplit
    config: TrainingConfig
    network_factory: type[MatchForecaster] = MatchForecaster
    losses: LossFunction = mean_losses


@dataclass(frozen=True)
class Case:
    """The season that an ablation runs for: its first day, a work folder, and the results that the ablation needs."""

    start: date
    work: Path
    results: Mapping[str, Result]


Change = Callable[[Setup, Case], Setup]


@dataclass(frozen=True)
class Trained:
    """An ablation that trains a network."""

    name: str
    text: str
    change: Change
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Derived:
    """An ablation whose probabilities `[n, 3]` are computed from the results of others."""

    name: str
    text: str
    needs: tuple[str, ...]
    probabilities: Callable[[Mapping[str, Result]], Probabilities]


Ablation = Trained | Derived


def probabilities_of(forecasts: pl.DataFrame) -> Probabilities:
    """Return the calibrated probabilities `[n, 3]` of a result's matches."""
    return forecasts.select("p_home", "p_draw", "p_away").to_numpy()
