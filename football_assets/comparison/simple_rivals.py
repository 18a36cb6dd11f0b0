"""The two simplest rivals: class prior and Elo, as every evaluation of the network has them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import class_prior, elo_logistic
from football_assets.training.split import TimeSplit


@dataclass(frozen=True)
class ClassPrior:
    """Frequencies of the outcomes in the training period."""

    name: str = "class prior"
    key: str = "class_prior"
    kind: RivalKind = "model"
    package: str | None = None

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Forecast the same probabilities for every match."""
        return RivalForecasts(class_prior(tensors, split.train, rows))


@dataclass(frozen=True)
class EloLogistic:
    """Multinomial logistic regression on the Elo difference."""

    name: str = "Elo, logistic"
    key: str = "elo"
    kind: RivalKind = "model"
    package: str | None = None

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Fit on the training period and forecast `rows`."""
        return RivalForecasts(elo_logistic(tensors, split.train, rows))
