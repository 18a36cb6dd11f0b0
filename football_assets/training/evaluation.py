"""Evaluate a fitted network on the test period, beside the baselines."""

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.domain.scoring_rules import OUTCOMES, score
from football_assets.errors import NotEnoughData
from football_assets.sequences.spec import FeatureGroup
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.storage.model_files import METRICS, TEST_PREDICTIONS
from football_assets.training.baselines import bookmaker, class_prior, elo_logistic
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import forecast
from football_assets.training.split import TimeSplit
from football_assets.training.tier_scores import tier_scores


def evaluate_forecaster(
    network: MatchForecaster, tensors: SequenceTensors, split: TimeSplit
) -> tuple[dict, pl.DataFrame]:
    """Score the network and the baselines on the test period, without the odds of the test matches themselves.

    Returns
    -------
    tuple
        The metrics as JSON values, and one row per test match with the probabilities of all forecasters. Where a test
        match has odds or shots, the metrics have the scores by tier of input, `tiers`.

    Raises
    ------
    NotEnoughData
        The test period has no match.
    """
    if len(split.test) == 0:
        raise NotEnoughData(
            "The test period has no played match: lower split.test_start or raise split.test_share."
        )
    predictions = forecasts_beside_baselines(network, tensors, split.train, split.test)
    outcomes = predictions["outcome"].to_numpy()
    ours = probabilities_of(predictions)
    baselines: dict[str, dict[str, float]] = {
        name: score(probabilities_of(predictions, f"{name}_"), outcomes).as_dict()
        for name in ("class_prior", "elo")
    }
    odds = probabilities_of(predictions, "odds_")
    priced = ~np.isnan(odds).any(axis=1)
    if priced.any():
        baselines["bookmaker"] = {
            **score(odds[priced], outcomes[priced]).as_dict(),
            "matches": int(priced.sum()),
            "model_log_loss": score(ours[priced], outcomes[priced]).log_loss,
        }
    metrics = {
        "train_matches": len(split.train),
        "validation_matches": len(split.validation),
        "test_matches": len(split.test),
        "split": split.as_dict(),
        "test": score(ours, outcomes).as_dict(),
        "baselines": baselines,
        "by_league": scores_by_league(predictions),
        "confusion": confusion(ours, outcomes).tolist(),
    }
    tiers = tier_scores(network, tensors, split.test)
    if tiers:
        metrics["tiers"] = tiers
    return metrics, predictions


def forecasts_beside_baselines(
    network: MatchForecaster,
    tensors: SequenceTensors,
    train: NDArray[np.int64],
    rows: NDArray[np.int64],
    hidden: Collection[FeatureGroup] = OWN_ODDS,
) -> pl.DataFrame:
    """Forecast `rows` with the network and the baselines, for the evaluation and the backtest.

    Parameters
    ----------
    train
        Rows of played matches that the class prior and the Elo regression are fitted on.
    rows
        Rows of played matches to forecast.
    hidden
        Groups of inputs that the network does not see, as in `forecast`.

    Returns
    -------
    pl.DataFrame
        One row per match: `match_id`, `league_id`, `season`, `kickoff_date`, `home_team`, `away_team`, `home_goals`,
        `away_goals`, `outcome`, `xg_home`, `xg_away`, `p_home`, `p_draw`, `p_away`, and the probabilities of the
        baselines: `class_prior_p_home`, `elo_p_home`, `odds_p_home`, …, null where there are no odds.
    """
    probabilities, goals = forecast(network, tensors, rows, hidden)
    prefixed = {
        "": probabilities,
        "class_prior_": class_prior(tensors, train, rows),
        "elo_": elo_logistic(tensors, train, rows),
        "odds_": bookmaker(tensors, rows),
    }
    keys = tensors.keys[rows].select(
        "match_id", "league_id", "season", "kickoff_date", "home_team", "away_team"
    )
    return keys.with_columns(
        pl.Series("home_goals", tensors.goals[rows, 0]),
        pl.Series("away_goals", tensors.goals[rows, 1]),
        pl.Series("outcome", tensors.outcome[rows]),
        *(pl.Series(name, goals[:, i]) for i, name in enumerate(EXPECTED_GOALS_COLUMNS)),
        *(
            pl.Series(f"{prefix}{name}", values[:, i]).fill_nan(None)
            for prefix, values in prefixed.items()
            for i, name in enumerate(PROBABILITY_COLUMNS)
        ),
    )


def probabilities_of(predictions: pl.DataFrame, prefix: str = "") -> NDArray[np.float64]:
    """Return the probabilities `[n, 3]` of one forecaster in a table of predictions; NaN where it has none."""
    columns = [pl.col(f"{prefix}{name}").cast(pl.Float64).fill_null(np.nan) for name in PROBABILITY_COLUMNS]
    return predictions.select(columns).to_numpy()


def scores_by_league(predictions: pl.DataFrame) -> list[dict]:
    """Score the model, and Elo's log loss, by league, the leagues with most matches first."""
    table = []
    for (league_id,), part in predictions.group_by("league_id"):
        outcomes = part["outcome"].to_numpy()
        table.append(
            {
                "league_id": league_id,
                "matches": len(part),
                **score(probabilities_of(part), outcomes).as_dict(),
                "elo_log_loss": score(probabilities_of(part, "elo_"), outcomes).log_loss,
            }
        )
    return sorted(table, key=lambda row: (-row["matches"], row["league_id"]))


def confusion(probabilities: NDArray[np.float64], outcomes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count matches by outcome (rows) and most probable outcome (columns), `[3, 3]`."""
    matrix = np.zeros((len(OUTCOMES), len(OUTCOMES)), dtype=np.int64)
    np.add.at(matrix, (outcomes, probabilities.argmax(axis=1)), 1)
    return matrix


def save_evaluation(metrics: dict, predictions: pl.DataFrame, folder: Path) -> None:
    """Write the metrics and the predictions into a folder."""
    (folder / METRICS).write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    predictions.write_parquet(folder / TEST_PREDICTIONS, compression="zstd")


def load_metrics(folder: Path) -> dict:
    """Load the metrics of a folder written by `save_evaluation`, or of a model bundle."""
    metrics: dict = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    return metrics
