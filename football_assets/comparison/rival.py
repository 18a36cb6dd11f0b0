"""What every rival of the network is: a named forecaster that `rivals` lists."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit

RivalProgress = Callable[[int, int], None]
"""Called with the steps done and the number of steps."""
RivalKind = Literal["model", "published", "bookmaker"]
"""`model`: fitted here, forecasts every match; `published`: forecasts that somebody published; `bookmaker`: odds."""


@dataclass(frozen=True)
class RivalForecasts:
    """Probabilities `[n, 3]`, NaN where a rival has none; a sentence about them; shares of inputs, largest first."""

    probabilities: NDArray[np.float64]
    note: str = ""
    importances: dict[str, float] = field(default_factory=dict)


class Rival(Protocol):
    """A forecaster beside the network. Instances are frozen dataclasses; `rivals.RIVALS` lists them."""

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def key(self) -> str:
        """Name for `--rivals`; with `_`, the prefix of its columns."""

    @property
    def kind(self) -> RivalKind:
        """Where the forecasts come from."""

    @property
    def package(self) -> str | None:
        """Development dependency that it needs, or None."""

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Forecast `rows`, each from what was known before its day.

        Parameters
        ----------
        split
            What is fitted once is fitted on `split.train`, stopped and calibrated on `split.validation`.
        rows
            Rows of played matches, in order of time.
        progress
            Called with the steps done and the number of steps.
        """
