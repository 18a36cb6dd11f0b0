"""CatBoost on pi-ratings, the published recipe of the 2023 Soccer Prediction Challenge, as a rival [1, 2].

As published: pi-ratings with the constants of their paper are the only features, and the training matches are those of
the last five years. Not published, so chosen here: the expected goal difference beside the four ratings, and CatBoost's
own defaults, stopped on validation.

References
----------
[1] Razali, Mustapha, Arbaiy and Lin, 2022, Deep learning for football outcomes prediction based on football rating
system. [2] Yeung, Bunker, Umemoto and Fujii, 2023, Evaluating soccer match prediction models: a deep learning approach
and feature optimization for gradient-boosted trees.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.pi_ratings import pi_goal_difference, pi_ratings
from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit

if TYPE_CHECKING:
    from types import SimpleNamespace

TRAINING_DAYS = 5 * 365
_MAX_TREES, _PATIENCE_TREES = 1000, 50
_SEED = 7


@dataclass(frozen=True)
class PiCatBoostRival:
    """CatBoost on pi-ratings, fitted once."""

    name: str = "CatBoost on pi-ratings"
    key: str = "catboost"
    kind: RivalKind = "model"
    package: str | None = "catboost"

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Fit on the last five years of `split.train`, stop on `split.validation`, and forecast `rows`."""
        from catboost import CatBoostClassifier

        features = pi_features(tensors)
        train = recent_rows(tensors, split.train)
        model = CatBoostClassifier(
            loss_function="MultiClass",
            iterations=_MAX_TREES,
            random_seed=_SEED,
            allow_writing_files=False,
            verbose=False,
        )
        model.fit(
            features[train],
            tensors.outcome[train],
            eval_set=(features[split.validation], tensors.outcome[split.validation]),
            early_stopping_rounds=_PATIENCE_TREES,
            callbacks=[_Callback(progress)] if progress is not None else None,
        )
        probabilities = np.zeros((len(rows), 3))
        if len(rows):
            probabilities[:, model.classes_.astype(np.int64)] = model.predict_proba(features[rows])
        note = f"{self.name}: {len(train):,} matches of the last five years, {model.tree_count_} trees."
        return RivalForecasts(probabilities, note)


def pi_features(tensors: SequenceTensors) -> NDArray[np.float64]:
    """Return the inputs of every match, `[matches, 5]`: the four pi-ratings and the goal difference they expect."""
    names = [
        tensors.keys.select(
            pl.concat_str(pl.col("league_id").str.split(".").list.first(), side, separator=" ")
        ).to_series()
        for side in ("home_team", "away_team")
    ]
    teams = (
        pl.concat(names).rank("dense").to_numpy().astype(np.int64) - 1
    )  # clubs of two countries may share a name
    home, away = teams[: len(tensors)], teams[len(tensors) :]
    difference = tensors.goals[:, 0].astype(np.int64) - tensors.goals[:, 1]
    ratings = pi_ratings(tensors.days, home, away, difference, tensors.played)
    return np.column_stack([ratings, pi_goal_difference(ratings)])


def recent_rows(tensors: SequenceTensors, train: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the training rows of the last five years before the end of the training period."""
    days = tensors.days[train]
    return train[days > days.max() - np.timedelta64(TRAINING_DAYS, "D")]


@dataclass(frozen=True)
class _Callback:
    """Reports each tree to a progress."""

    progress: RivalProgress

    def after_iteration(self, info: "SimpleNamespace") -> bool:
        """Report the number of trees; True continues."""
        self.progress(info.iteration, _MAX_TREES)
        return True
