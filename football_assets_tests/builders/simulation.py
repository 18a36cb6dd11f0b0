"""A small world in the folder layouts of the learning assets: results drawn from a random network's own forecasts.

So the network is the true model of its world: it beats any baseline, as far as the matches can tell.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from football_assets.sequences.encoder import read_histories
from football_assets.sequences.spec import DEFAULT_SPEC, OBSERVED, Feature
from football_assets.sequences.tensors import MARKET
from football_assets.sequences.tiers import hide_in_context
from football_assets_tests.builders.histories import packed

FIRST_DAY = date(2014, 8, 1)
MATCHES, UNPLAYED, MATCHES_A_DAY = 1500, 20, 3
TRAIN, VALIDATION = slice(0, 600), slice(600, 900)
TEST_INDEX = np.arange(900, MATCHES - UNPLAYED)


@dataclass(frozen=True)
class LearntFolders:
    """One folder an asset."""

    trained_lstm: Path
    sequence_tensors: Path
    model_evaluation: Path


def write_learnt_folders(root: Path) -> LearntFolders:
    """The world in new folders under `root`."""
    folders = LearntFolders(*(root / name for name in ("model", "tensors", "evaluation")))
    write_random_network(folders.trained_lstm)
    write_simulated_tensors(folders.sequence_tensors, folders.trained_lstm)
    write_evaluation(folders)
    return folders


def write_simulated_tensors(folder: Path, model: Path, seed: int = 0) -> None:
    """Random inputs within the bounds of the specification, with padding and unknown values, three matches a day."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    spec, matches = DEFAULT_SPEC, MATCHES
    histories = []
    for _ in range(2):
        history = _draw(generator, (matches, spec.history_length), spec.history)
        padded = np.arange(spec.history_length) < generator.integers(0, spec.history_length + 1, (matches, 1))
        history[padded] = 0
        history[..., spec.history_names.index(OBSERVED)] = ~padded
        first = padded.sum(axis=1)
        rest = spec.history_names.index("rest_days")
        rows = np.flatnonzero(first < spec.history_length)
        history[rows, first[rows], rest] = np.nan
        histories.append(history)
    past, spans = packed(histories)
    np.save(folder / "past.npy", past)
    for side, span in zip(("home", "away"), spans, strict=True):
        np.save(folder / f"{side}_span.npy", span)
    context = _draw(generator, (matches,), spec.context)
    context[generator.random(context.shape) < 0.05] = np.nan
    np.save(folder / "context.npy", context)
    probabilities, _ = network_forecasts(model, folder)
    played = np.arange(matches) < matches - UNPLAYED
    drawn = (generator.random((matches, 1)) > probabilities.cumsum(axis=1)[:, :2]).sum(axis=1)
    goals = np.array([[1, 0], [1, 1], [0, 1]], dtype=np.int16)[drawn]
    np.save(folder / "goals.npy", np.where(played[:, None], goals, -1).astype(np.int16))
    np.save(folder / "outcome.npy", np.where(played, drawn, -1).astype(np.int64))
    np.save(folder / "market.npy", np.full((matches, len(MARKET)), np.nan, dtype=np.float32))
    teams = generator.permuted(np.tile(np.arange(20), (matches, 1)), axis=1)[:, :2]
    pl.DataFrame(
        {
            "match_id": [f"{i:016x}" for i in range(matches)],
            "league_id": "eng.1",
            "season": "2014-15",
            "kickoff_date": [FIRST_DAY + timedelta(days=i // MATCHES_A_DAY) for i in range(matches)],
            "home_team": [f"Team {home}" for home, _ in teams],
            "away_team": [f"Team {away}" for _, away in teams],
            "home_team_id": [f"eng:Team {home}" for home, _ in teams],
            "away_team_id": [f"eng:Team {away}" for _, away in teams],
            "is_played": played,
            "is_cup": False,
            "home_elo": context[:, spec.context_names.index("home_elo")].astype(float),
            "away_elo": context[:, spec.context_names.index("away_elo")].astype(float),
        }
    ).with_columns(odds_home=None, odds_draw=None, odds_away=None).write_parquet(folder / "keys.parquet")
    spec.save(folder)


def write_evaluation(folders: LearntFolders) -> None:
    """`model_evaluation` of the network. The Elo baseline is the network's own forecast with noise."""
    from football_assets.domain.scoring_rules import score

    folder = folders.model_evaluation
    folder.mkdir(parents=True)
    keys = pl.read_parquet(folders.sequence_tensors / "keys.parquet")
    outcome = np.load(folders.sequence_tensors / "outcome.npy")
    goals = np.load(folders.sequence_tensors / "goals.npy")
    probabilities, expected_goals = network_forecasts(folders.trained_lstm, folders.sequence_tensors)
    prior = np.bincount(outcome[TRAIN], minlength=3) / len(outcome[TRAIN])
    noise = np.exp(np.random.default_rng(1).normal(0, 0.5, probabilities.shape))
    elo = probabilities * noise / (probabilities * noise).sum(axis=1, keepdims=True)
    forecasts = {"": probabilities, "class_prior_": np.tile(prior, (len(outcome), 1)), "elo_": elo}
    names = ("p_home", "p_draw", "p_away")
    columns = {
        f"{prefix}{name}": values[TEST_INDEX, i]
        for prefix, values in forecasts.items()
        for i, name in enumerate(names)
    }
    keys[TEST_INDEX].select(
        "match_id", "league_id", "season", "kickoff_date", "home_team", "away_team"
    ).with_columns(
        home_goals=goals[TEST_INDEX, 0],
        away_goals=goals[TEST_INDEX, 1],
        outcome=outcome[TEST_INDEX],
        xg_home=expected_goals[TEST_INDEX, 0],
        xg_away=expected_goals[TEST_INDEX, 1],
        **columns,
    ).write_parquet(folder / "test_predictions.parquet")
    scores = {
        prefix: score(values[TEST_INDEX], outcome[TEST_INDEX]).as_dict()
        for prefix, values in forecasts.items()
    }
    days = keys["kickoff_date"]
    metrics = {
        "train_matches": len(outcome[TRAIN]),
        "validation_matches": len(outcome[VALIDATION]),
        "test_matches": len(TEST_INDEX),
        "split": {
            "train_end": str(days[TRAIN.stop - 1]),
            "validation_end": str(days[VALIDATION.stop - 1]),
            "test_end": str(days[int(TEST_INDEX[-1])]),
        },
        "test": scores[""],
        "baselines": {"class_prior": scores["class_prior_"], "elo": scores["elo_"]},
        "by_league": [{"league_id": "eng.1", "matches": len(TEST_INDEX), **scores[""]}],
        "confusion": [[100, 10, 50], [60, 10, 40], [70, 10, 230]],
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))


def network_forecasts(model: Path, tensors: Path) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities [matches, 3] and expected goals [matches, 2] by the network, without the matches' own odds."""
    import torch

    from football_assets.training.network import load_forecaster

    past, home, away, context = (
        np.load(tensors / f"{name}.npy") for name in ("past", "home_span", "away_span", "context")
    )
    histories = (read_histories(past, span, DEFAULT_SPEC.history_length) for span in (home, away))
    inputs = (*histories, hide_in_context(context, DEFAULT_SPEC, ["match_odds"]))
    with torch.inference_mode():
        outputs = load_forecaster(model)(*(torch.from_numpy(values) for values in inputs))
    probabilities, expected_goals = (output.double().numpy() for output in outputs)
    return probabilities, expected_goals


def write_random_network(folder: Path, seed: int = 0, scale: float = 0.5) -> None:
    """A network whose every layer matters, with normalisation and calibration that are not the identity."""
    import torch

    from football_assets.training.config import NetworkConfig
    from football_assets.training.network import MatchForecaster, save_forecaster

    torch.manual_seed(seed)
    network = MatchForecaster(DEFAULT_SPEC, NetworkConfig(hidden=24, trunk=24))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * scale / max(1, parameter[0].numel()) ** 0.5)
        for normaliser, features in (
            (network.normalise_history, DEFAULT_SPEC.history),
            (network.normalise_context, DEFAULT_SPEC.context),
        ):
            low, high = (torch.tensor([getattr(f, end) for f in features]) for end in ("lower", "upper"))
            normaliser.mean.copy_((low + high) / 2)
            normaliser.deviation.copy_((high - low) / 4)
        network.calibration_scale.fill_(1.2)
        network.calibration_shift.copy_(torch.tensor([0.1, 0.05, -0.1]))
    folder.mkdir(parents=True, exist_ok=True)
    save_forecaster(
        network.eval(), {"config": {"epochs": 1, "network": {"hidden": 24}}, "best_epoch": 1}, folder
    )


def _draw(
    generator: np.random.Generator, shape: tuple[int, ...], features: tuple[Feature, ...]
) -> np.ndarray:
    low, high = (np.array([getattr(feature, end) for feature in features]) for end in ("lower", "upper"))
    return generator.uniform(low, high, (*shape, len(features))).astype(np.float32)
