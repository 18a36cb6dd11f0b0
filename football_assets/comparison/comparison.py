"""Compare all forecasters on the same matches, for `football compare`.

The network and its rivals (`rivals.RIVALS`) walk forward as the backtest does: models are fitted on matches before the
first day, or refitted as results arrive, and each match is forecast from results of earlier days.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.blocks import OURS, Block, blocks_of
from football_assets.comparison.rival import Rival
from football_assets.comparison.rivals import RIVALS
from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.backtest import Backtest, run_backtest
from football_assets.training.baselines import class_prior
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Epoch

NOT_INSTALLED = (
    '{0} is not installed: `pip install -c constraints.txt -e ".[dev]"` installs it. '
    "The row of {1} is missing."
)

ReportProgress = Callable[[str, int, int], None]  # step, units done, units in total


@dataclass(frozen=True)
class ForecasterComparison:
    """All forecasts, the scores by block, notes to print, and the feature importances of the trees.

    `prefixes` is the prefix of each forecaster's columns in `forecasts`, the network's empty.
    """

    forecasts: pl.DataFrame
    blocks: list[Block]
    notes: list[str]
    importances: dict[str, float]
    prefixes: dict[str, str]
    backtest: Backtest

    def as_dict(self) -> dict[str, Any]:
        """Return the figures that `--json` writes."""
        return {
            "train_matches": len(self.backtest.split.train),
            "validation_matches": len(self.backtest.split.validation),
            "test_matches": len(self.forecasts),
            "split": self.backtest.split.as_dict(),
            "blocks": [block.as_dict() for block in self.blocks],
            "notes": self.notes,
            "importances": self.importances,
        }


def compare_forecasters(
    tensors: SequenceTensors,
    start: date,
    end: date | None = None,
    config: TrainingConfig | None = None,
    rivals: Sequence[Rival] = RIVALS,
    progress: ReportProgress | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> ForecasterComparison:
    """Forecast the played matches from `start` to `end` with every forecaster, and score them on the same matches.

    Parameters
    ----------
    start, end
        First and last day to forecast; an end of None is the last day with a result.
    config
        Hyperparameters of the network; the rivals use the same split.
    rivals
        Rivals to compare with. Where a model has no forecast, it gets the class prior.

    Raises
    ------
    NotEnoughData
        No match lies in the period, or too few before it.
    """
    report = progress or _silent
    walked = run_backtest(tensors, start, end, config, on_epoch)
    rows, split = walked.rows, walked.split
    prior = class_prior(tensors, split.train, rows)
    columns: dict[str, NDArray[np.float64]] = {}
    notes: list[str] = []
    importances: dict[str, float] = {}
    prefixes = {OURS: ""}
    for rival in rivals:
        if rival.package is not None and not is_installed(rival.package):
            notes.append(NOT_INSTALLED.format(rival.package, rival.name))
            continue
        found = rival.forecast(tensors, split, rows, partial(report, rival.name))
        unknown = np.isnan(found.probabilities[:, 0])
        notes += [found.note] if found.note else []
        probabilities = found.probabilities
        if rival.kind == "model" and unknown.any():
            notes.append(f"{rival.name}: {unknown.sum():,} matches without a forecast get the class prior.")
            probabilities = np.where(unknown[:, None], prior, probabilities)
        importances = importances or found.importances
        prefixes[rival.name] = f"{rival.key}_"
        columns |= {f"{rival.key}_{name}": probabilities[:, i] for i, name in enumerate(PROBABILITY_COLUMNS)}
    forecasts = walked.forecasts.with_columns(
        pl.Series(name, values).fill_nan(None) for name, values in columns.items()
    )
    report("intervals", 0, 1)
    blocks = blocks_of(forecasts, rivals)
    report("intervals", 1, 1)
    return ForecasterComparison(forecasts, blocks, notes, importances, prefixes, walked)


def is_installed(package: str) -> bool:
    """Check whether a package of the extra `compare` is installed, without importing it."""
    return find_spec(package) is not None


def _silent(_: str, __: int, ___: int) -> None:
    """Ignore the progress."""
