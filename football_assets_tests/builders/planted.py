"""Tensors made up in memory: random inputs, and goals that follow from each team's last match alone."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, OBSERVED, Feature
from football_assets.sequences.tensors import ARRAYS, KEYS, MARKET, SequenceTensors
from football_assets.sequences.tiers import hide_groups
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets_tests.builders.histories import packed

FIRST_DAY = date(2014, 8, 1)
MATCHES, UNPLAYED, MATCHES_A_DAY = 1500, 30, 3
SMALL = TrainingConfig(
    network=NetworkConfig(hidden=8, trunk=8, dropout=0.1),
    split=SplitConfig(burn_in_days=0),
    epochs=6,
    batch_size=64,
    learning_rate=2e-2,
    averaging=0.9,
)


def planted_tensors(matches: int = MATCHES, seed: int = 0) -> SequenceTensors:
    """Inputs within the bounds of the specification, with padding and unknown values; the last matches are unplayed."""
    generator = np.random.default_rng(seed)
    spec = DEFAULT_SPEC
    rest, goals_for = (spec.history_names.index(name) for name in ("rest_days", "goals_for"))
    histories = []
    for _ in range(2):
        history = _draw(generator, (matches, spec.history_length), spec.history)
        padded = np.arange(spec.history_length) < generator.integers(0, spec.history_length, (matches, 1))
        first = padded.sum(axis=1)
        history[np.arange(matches), first, rest] = np.nan
        history[..., goals_for] = generator.integers(0, 5, padded.shape)
        history[..., spec.history_names.index(OBSERVED)] = 1
        history[padded] = 0
        histories.append(history)
    context = _draw(generator, (matches,), spec.context)
    context[generator.random(context.shape) < 0.05] = np.nan
    context[:, [spec.context_names.index(f"league_{side}_goals") for side in ("home", "away")]] = (1.5, 1.2)
    context[:, spec.context_names.index(HOME_ADVANTAGE_SHIFT)] = 0.0
    drawn = SequenceBatch(histories[0], histories[1], context)
    known = hide_groups(drawn, spec, ("odds", "shots", "match_odds"))
    histories, context = [known.home_history, known.away_history], known.context
    difference = (histories[0] - histories[1])[:, -1, goals_for]
    rates = np.stack([1.4 * np.exp(0.35 * difference), 1.2 * np.exp(-0.35 * difference)], axis=1)
    goals = np.minimum(generator.poisson(rates), 9).astype(np.int16)
    played = np.arange(matches) < matches - UNPLAYED
    elo = {side: context[:, spec.context_names.index(f"{side}_elo")] for side in ("home", "away")}
    teams = [generator.permutation(20)[:2] for _ in range(matches)]
    keys = pl.DataFrame(
        {
            "match_id": [f"{i:016x}" for i in range(matches)],
            "league_id": [f"eng.{1 + i % 2}" for i in range(matches)],
            "season": "2014-15",
            "kickoff_date": [FIRST_DAY + timedelta(days=i // MATCHES_A_DAY) for i in range(matches)],
            "home_team": [f"Team {home}" for home, _ in teams],
            "away_team": [f"Team {away}" for _, away in teams],
            "is_played": played,
            **{
                f"{side}_elo": np.nan_to_num(values, nan=2000.0).astype(float) for side, values in elo.items()
            },
            **{
                f"odds_{name}": pl.Series([None] * matches, dtype=pl.Float64)
                for name in ("home", "draw", "away")
            },
        }
    )
    past, (home_span, away_span) = packed(histories)
    return SequenceTensors(
        past,
        home_span,
        away_span,
        context,
        np.where(played, 1 - np.sign(goals[:, 0] - goals[:, 1]), -1).astype(np.int64),
        np.where(played[:, None], goals, -1).astype(np.int16),
        np.full((matches, len(MARKET)), np.nan, dtype=np.float32),
        keys,
        spec,
    )


def write_planted(folder: Path) -> Path:
    """The planted tensors as files, in the folder, as a run leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors_of(planted_tensors(), folder)
    return folder


def write_tensors_of(tensors: SequenceTensors, folder: Path) -> None:
    """Tensors as files in an existing folder."""
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(tensors, name))
    tensors.keys.write_parquet(folder / KEYS)
    tensors.spec.save(folder)


def poisoned(tensors: SequenceTensors, rows: NDArray[np.integer] | NDArray[np.bool_]) -> SequenceTensors:
    """The same tensors with nonsense in some rows: NaN and huge numbers as inputs, wrong results."""
    names = ("past", "home_span", "away_span", "context")
    past, home, away, context = (np.array(getattr(tensors, name)) for name in names)
    length = tensors.spec.history_length
    nonsense = np.repeat(np.array([np.nan, 1e30], dtype=np.float32), length)
    past = np.concatenate([past[:-1], np.tile(nonsense[:, None], (1, past.shape[1])), past[-1:]])
    first = len(past) - 1 - 2 * length
    outcome = np.array(tensors.outcome, dtype=np.int64)
    goals = np.array(tensors.goals, dtype=np.int16)
    home[rows], away[rows] = (first, first + length), (first + length, first + 2 * length)
    context[rows] = np.nan
    outcome[rows] = (outcome[rows] + 1) % 3
    goals[rows] = 99
    elo = np.array(tensors.keys["home_elo"])
    elo[rows] = 1e9
    return replace(
        tensors,
        past=past,
        home_span=home,
        away_span=away,
        context=context,
        outcome=outcome,
        goals=goals,
        keys=tensors.keys.with_columns(home_elo=pl.Series(elo)),
    )


def _draw(
    generator: np.random.Generator, shape: tuple[int, ...], features: tuple[Feature, ...]
) -> NDArray[np.float32]:
    low, high = (np.array([getattr(feature, end) for feature in features]) for end in ("lower", "upper"))
    return generator.uniform(low, high, (*shape, len(features))).astype(np.float32)
