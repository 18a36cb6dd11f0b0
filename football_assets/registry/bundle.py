"""The model bundle: collect the files of one version from the assets, and check that it is complete."""

import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.errors import FootballError, RegistryError
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.model_card import library_versions, summarise_data, write_model_card
from football_assets.registry.predictor import load_feature_spec, load_predictor
from football_assets.sequences.tensors import SequenceTensors, open_tensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.sequences.tiers import hide_groups, hide_in_context
from football_assets.storage.model_files import (
    CHECKPOINT,
    EXPORT_REPORT,
    FEATURE_SPEC,
    METRICS,
    MODEL,
    MODEL_CARD,
    MODEL_INT8,
    REFERENCE,
    TEAM_STATE,
    TEST_PREDICTIONS,
    TRAINING,
)

REQUIRED = (
    MODEL,
    FEATURE_SPEC,
    TEAM_STATE,
    REFERENCE,
    TEST_PREDICTIONS,
    METRICS,
    MODEL_CARD,
    CHECKPOINT,
    TRAINING,
)
REFERENCE_ROWS = 20_000
REFERENCE_DAYS = 3 * 365

# What the network can be rebuilt from. Times of epochs are left out: equal models are equal bundles.
_TRAINING_FIELDS = ("network", "config", "best_epoch")


@dataclass(frozen=True)
class BundleSources:
    """Folders of the assets `trained_lstm`, `model_evaluation`, `onnx_model` and `sequence_tensors`."""

    trained_lstm: Path
    model_evaluation: Path
    onnx_model: Path
    sequence_tensors: Path


@dataclass(frozen=True)
class ProductionForecasts:
    """The production model's probabilities `[n, 3]` of the candidate's test matches, NaN where not comparable.

    None, with the reason, if it cannot forecast any of them.
    """

    probabilities: np.ndarray | None
    not_comparable: str | None


def assemble_bundle(sources: BundleSources, team_state: pl.DataFrame, folder: Path) -> None:
    """Collect the files of a version in an empty folder. The same sources give the same bytes.

    Parameters
    ----------
    sources
        Folders of the assets that the version consists of.
    team_state
        Each team's last matches and ratings, from `sequences.state`.
    folder
        Receives the files of `REQUIRED`, and `model.int8.onnx` if it was accepted.

    Raises
    ------
    RegistryError
        The bundle is incomplete or a file is unusable.
    """
    for source, names in (
        (sources.onnx_model, (MODEL, FEATURE_SPEC)),
        (sources.model_evaluation, (METRICS, TEST_PREDICTIONS)),
        (sources.trained_lstm, (CHECKPOINT,)),
    ):
        for name in names:
            shutil.copyfile(source / name, folder / name)
    if (sources.onnx_model / MODEL_INT8).is_file():
        shutil.copyfile(sources.onnx_model / MODEL_INT8, folder / MODEL_INT8)
    tensors = open_tensors(sources.sequence_tensors)
    metrics, training = _json(folder / METRICS), _json(sources.trained_lstm / TRAINING)
    training = {name: training[name] for name in _TRAINING_FIELDS if name in training}
    (folder / TRAINING).write_text(json.dumps(training, indent=1), encoding="utf-8")
    team_state.write_parquet(folder / TEAM_STATE, compression="zstd")
    drift_reference(folder, tensors, metrics["split"]).write_parquet(folder / REFERENCE, compression="zstd")
    card = write_model_card(
        metrics=metrics,
        training=training,
        export=_json(sources.onnx_model / EXPORT_REPORT),
        spec=tensors.spec,
        data=summarise_data(tensors.keys),
        packages=library_versions(),
    )
    (folder / MODEL_CARD).write_text(card, encoding="utf-8")
    check_bundle(ModelBundle.of_folder(folder))


def drift_reference(bundle: Path, tensors: SequenceTensors, split: dict[str, str]) -> pl.DataFrame:
    """Build the reference of the drift report: inputs, forecasts and results of the last three years of training.

    Older matches differ from any window for reasons that are part of training: ratings had not converged, leagues
    scored more or less. Three years contain every phase of a season several times.

    Parameters
    ----------
    bundle
        Folder that holds the model.
    tensors
        The matches.
    split
        `train_end`, and `train_start` where training left out the first matches; ISO dates, inclusive.

    The odds of the matches themselves are hidden: most fixtures are forecast without them.

    Returns
    -------
    pl.DataFrame
        At most 20,000 rows, a random sample where there are more, in order of time: `match_id`, `league_id`,
        `kickoff_date`, the context features by name, `p_home`, `p_draw`, `p_away`, `xg_home`, `xg_away`, `outcome`,
        `home_goals`, `away_goals`.
    """
    rows = reference_rows(tensors, split)
    batch = hide_groups(tensors.take(rows), tensors.spec, OWN_ODDS)
    probabilities, goals = load_predictor(bundle).predict(
        batch.home_history, batch.away_history, batch.context
    )
    return reference_table(tensors, rows, probabilities, goals)


def reference_rows(tensors: SequenceTensors, split: dict[str, str]) -> NDArray[np.int64]:
    """Select the rows of the matches of the drift reference."""
    last = date.fromisoformat(split["train_end"])
    first = last - timedelta(days=REFERENCE_DAYS)
    if "train_start" in split:
        first = max(first, date.fromisoformat(split["train_start"]))
    in_training = tensors.keys["is_played"] & tensors.keys["kickoff_date"].is_between(
        pl.lit(first), pl.lit(last)
    )
    rows = np.flatnonzero(in_training.to_numpy())
    if rows.size > REFERENCE_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, REFERENCE_ROWS, replace=False))
    return rows


def reference_table(
    tensors: SequenceTensors,
    rows: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    goals: NDArray[np.floating],
) -> pl.DataFrame:
    """Build the drift reference of some rows, with probabilities `[n, 3]` and expected goals `[n, 2]`.

    The odds of the matches themselves are hidden, as they must be in the forecasts.
    """
    context = hide_in_context(tensors.context[rows], tensors.spec, OWN_ODDS)
    return (
        tensors.keys[rows]
        .select("match_id", "league_id", "kickoff_date")
        .hstack(
            [
                *pl.DataFrame(context, schema=tensors.spec.context_names).fill_nan(None).get_columns(),
                *pl.DataFrame(probabilities, schema=list(PROBABILITY_COLUMNS)).get_columns(),
                *pl.DataFrame(goals, schema=["xg_home", "xg_away"]).get_columns(),
                pl.Series("outcome", tensors.outcome[rows]),
                *pl.DataFrame(tensors.goals[rows], schema=["home_goals", "away_goals"]).get_columns(),
            ]
        )
    )


def check_bundle(bundle: ModelBundle) -> None:
    """Check that a bundle has all its files and that each can be read.

    Raises
    ------
    RegistryError
        A file is missing or unusable; the message names it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_weights

    for name in REQUIRED:
        bundle.read(name)
    name = FEATURE_SPEC
    try:
        spec = load_feature_spec(bundle)
        for name in (METRICS, TRAINING):
            json.loads(bundle.read(name))
        for name in (TEAM_STATE, REFERENCE, TEST_PREDICTIONS):
            pl.read_parquet(bundle.read(name))
        name = CHECKPOINT
        if not load_weights(bundle.read(CHECKPOINT)):
            raise ValueError("it has no weights")
        name = MODEL
        history = np.zeros((2, spec.history_length, len(spec.history)), dtype=np.float32)
        context = np.full((2, len(spec.context)), np.nan, dtype=np.float32)
        probabilities, goals = load_predictor(bundle).predict(history, history, context)
        if not (np.isfinite(goals).all() and np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)):
            raise ValueError("its forecast of two unknown teams is not a probability")
    except (
        FootballError,
        ValueError,
        OSError,
        RuntimeError,
        pl.exceptions.PolarsError,
        SafetensorError,
    ) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RegistryError(
            f"{name} of model bundle {bundle} is unusable: {reason}. Materialize it again."
        ) from error


def production_forecasts(
    production: ModelBundle, tensors_folder: Path, test: pl.DataFrame
) -> ProductionForecasts:
    """Forecast a candidate's test matches with the production model.

    Matches up to the end of the production model's validation period are left out: it was trained on them. If both
    models have the same inputs, its ONNX model runs; otherwise its stored test predictions are joined.

    Parameters
    ----------
    production
        Bundle of the production version.
    tensors_folder
        Folder of `sequence_tensors`.
    test
        The candidate's test predictions: `match_id` and `kickoff_date`.
    """
    tensors = open_tensors(tensors_folder)
    probabilities = np.full((len(test), 3), np.nan)
    if load_feature_spec(production) == tensors.spec:
        numbered = tensors.keys.select("match_id", row=pl.int_range(pl.len(), dtype=pl.Int64))
        rows = test.select("match_id").join(numbered, on="match_id", how="left", maintain_order="left")["row"]
        known = rows.is_not_null().to_numpy()
        # As the candidate's test predictions: without the odds of the matches themselves.
        batch = hide_groups(tensors.take(rows.drop_nulls().to_numpy()), tensors.spec, OWN_ODDS)
        predictor = load_predictor(production)
        probabilities[known], _ = predictor.predict(batch.home_history, batch.away_history, batch.context)
    else:
        stored = pl.read_parquet(
            production.read(TEST_PREDICTIONS), columns=["match_id", *PROBABILITY_COLUMNS]
        )
        joined = test.select("match_id").join(stored, on="match_id", how="left", maintain_order="left")
        probabilities = joined.drop("match_id").cast(pl.Float64).to_numpy().copy()
    learnt_until = date.fromisoformat(json.loads(production.read(METRICS))["split"]["validation_end"])
    probabilities[(test["kickoff_date"] <= learnt_until).to_numpy()] = np.nan
    if np.isnan(probabilities).all():
        return ProductionForecasts(
            None,
            "The production model could not be compared: it was trained on these matches, or has other inputs and no "
            "stored forecasts of them.",
        )
    return ProductionForecasts(probabilities, None)


def _json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
