"""Compare all forecasters on the same matches, for `football compare`.

The forecasters: class prior, Elo, Dixon–Coles, boosted trees, the network, and the bookmaker where there are odds. All
walk forward as the backtest does: models are fitted on matches before the first day, and each match is forecast from
results of earlier days.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.dixon_coles import dixon_coles
from football_assets.comparison.trees import boosted_trees
from football_assets.domain.block_bootstrap import Difference, league_weeks, paired_differences
from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.domain.leagues import league_of
from football_assets.domain.scoring_rules import Scores, score
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.backtest import Backtest, outcomes_of, run_backtest
from football_assets.training.baselines import bookmaker
from football_assets.training.config import TrainingConfig
from football_assets.training.evaluation import probabilities_of
from football_assets.training.fit import Epoch

OURS = "LSTM"
BOOKMAKER = "bookmaker"
# Prefix of each forecaster's columns, from the simplest to the one with most information.
FORECASTERS = {
    "class prior": "class_prior_",
    "Elo, logistic": "elo_",
    "Dixon–Coles": "dixon_coles_",
    "boosted trees": "trees_",
    OURS: "",
    BOOKMAKER: "bookmaker_",
}
NOT_INSTALLED = (
    '{0} is not installed: `pip install -c constraints.txt -e ".[dev]"` installs it. Its row is missing.'
)

ReportProgress = Callable[[str, int, int], None]  # step, done so far, of how many


@dataclass(frozen=True)
class Row:
    """A forecaster's scores on the matches of a block, and their differences from the network's, by measure."""

    forecaster: str
    scores: Scores
    differences: dict[str, Difference]

    def as_dict(self) -> dict[str, Any]:
        """Return scores and differences by name."""
        return {
            **self.scores.as_dict(),
            "differences": {name: asdict(difference) for name, difference in self.differences.items()},
        }


@dataclass(frozen=True)
class Block:
    """A subset of the matches, and all forecasters' scores on them."""

    name: str
    matches: int
    league_weeks: int
    rows: list[Row]

    def as_dict(self) -> dict[str, Any]:
        """Return the block as JSON values."""
        return {
            "block": self.name,
            "matches": self.matches,
            "league_weeks": self.league_weeks,
            "forecasters": {row.forecaster: row.as_dict() for row in self.rows},
        }


@dataclass(frozen=True)
class ForecasterComparison:
    """All forecasts, the scores by block, notes for the reader, and the trees' feature importances."""

    forecasts: pl.DataFrame
    blocks: list[Block]
    notes: list[str]
    importances: dict[str, float]
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
    progress: ReportProgress | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> ForecasterComparison:
    """Forecast the played matches from `start` to `end` with every forecaster, and score them on the same matches.

    Parameters
    ----------
    start, end
        First and last day to forecast; an end of None is the last day with a result.
    config
        Hyperparameters of the network; the trees use the same split.

    Raises
    ------
    NotEnoughData
        No match lies in the period, or too few before it.
    """
    report = progress or _silent
    walked = run_backtest(tensors, start, end, config, on_epoch)
    rows, notes = walked.rows, []
    prior = probabilities_of(walked.forecasts, FORECASTERS["class prior"])
    found: dict[str, NDArray[np.float64]] = {BOOKMAKER: bookmaker(tensors, rows)}
    importances: dict[str, float] = {}
    if not is_installed("penaltyblog"):
        notes.append(NOT_INSTALLED.format("penaltyblog"))
    else:
        goals_model = dixon_coles(tensors, rows, progress=lambda *done: report("Dixon–Coles", *done))
        unknown = np.isnan(goals_model.probabilities)
        found["Dixon–Coles"] = np.where(unknown, prior, goals_model.probabilities)
        notes.append(
            f"Dixon–Coles: {goals_model.fits:,} fits. Of {len(rows):,} matches, {goals_model.unknown_teams:,} have "
            "a team without a match in the window, which gets the mean of its league, and "
            f"{goals_model.unknown_leagues:,} are of a league without one, which get the class prior."
        )
    if not is_installed("lightgbm"):
        notes.append(NOT_INSTALLED.format("lightgbm"))
    else:
        trees = boosted_trees(tensors, walked.split, rows, lambda *done: report("boosted trees", *done))
        found["boosted trees"] = trees.probabilities
        importances = trees.importances
        notes.append(f"Boosted trees: {trees.rounds} rounds, temperature {trees.temperature:.3f}.")
    forecasts = walked.forecasts.with_columns(
        *(
            pl.Series(f"{FORECASTERS[name]}{column}", values[:, i]).fill_nan(None)
            for name, values in found.items()
            for i, column in enumerate(PROBABILITY_COLUMNS)
        )
    )
    report("intervals", 0, 1)
    blocks = blocks_of(forecasts)
    report("intervals", 1, 1)
    return ForecasterComparison(forecasts, blocks, notes, importances, walked)


def is_installed(package: str) -> bool:
    """Check whether a development dependency is installed, without importing it."""
    return find_spec(package) is not None


def blocks_of(forecasts: pl.DataFrame) -> list[Block]:
    """Score all forecasters but the bookmaker over all matches, by tier and by season; then all where there are odds.

    Parameters
    ----------
    forecasts
        One row per match with `date`, `league_id`, `season`, goals, and the probabilities of `FORECASTERS`.
    """
    names = [name for name, prefix in FORECASTERS.items() if f"{prefix}p_home" in forecasts.columns]
    probabilities = {name: probabilities_of(forecasts, FORECASTERS[name]) for name in names}
    outcomes = outcomes_of(forecasts)
    weeks = league_weeks(forecasts["league_id"], forecasts["date"])
    without = [name for name in names if name != BOOKMAKER]
    blocks = [
        _block(name, chosen, {who: probabilities[who] for who in without}, outcomes, weeks)
        for name, chosen in _parts(forecasts, np.ones(len(forecasts), dtype=bool), "all matches")
    ]
    priced = np.zeros(len(forecasts), dtype=bool)
    if BOOKMAKER in probabilities:
        priced |= ~np.isnan(probabilities[BOOKMAKER][:, 0])
    if priced.any():
        blocks += [
            _block(name, chosen, probabilities, outcomes, weeks)
            for name, chosen in _parts(forecasts, priced, "with odds")
        ]
    return blocks


def _parts(
    forecasts: pl.DataFrame, wanted: NDArray[np.bool_], title: str
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the wanted matches, and their parts by tier and by season if there are several."""
    yield title, wanted
    tier_of = {league: _tier(league) for league in forecasts["league_id"].unique()}
    tiers = forecasts["league_id"].replace_strict(tier_of, return_dtype=pl.String)
    for labels in (tiers, forecasts["season"].cast(pl.String)):
        found = labels.filter(pl.Series(wanted)).unique().sort()
        for label in found if len(found) > 1 else ():
            yield f"{title}, {label}", wanted & (labels == label).to_numpy()


def _tier(league_id: str) -> str:
    league = league_of(league_id)
    return "cups" if league.tier is None else f"tier {league.tier}"


def _block(
    name: str,
    chosen: NDArray[np.bool_],
    probabilities: dict[str, NDArray[np.float64]],
    outcomes: NDArray[np.int64],
    weeks: NDArray[np.int64],
) -> Block:
    here = {who: values[chosen] for who, values in probabilities.items()}
    blocks = np.unique(weeks[chosen], return_inverse=True)[1]
    differences = paired_differences(here, OURS, outcomes[chosen], blocks)
    rows = [
        Row(who, score(values, outcomes[chosen]), differences.get(who, {})) for who, values in here.items()
    ]
    return Block(name, int(chosen.sum()), int(blocks.max()) + 1, rows)


def _silent(_: str, __: int, ___: int) -> None:
    """Ignore the progress."""
