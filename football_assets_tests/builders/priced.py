"""Tensors made up in memory whose odds know what results do not: half of each match's strength is in the odds alone."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import DEFAULT_SPEC, FLAG, MATCH_ODDS, Feature, FeatureGroup, FeatureSpec
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import SplitConfig
from football_assets_tests.builders.histories import packed
from football_assets_tests.builders.planted import MATCHES, SMALL, planted_tensors

# Enough validation matches with odds of their own for a blend.
PRICED = SMALL.model_copy(update={"split": SplitConfig(burn_in_days=0, validation_share=0.4)})
RATED_SHARE, MATCH_ODDS_SHARE = 0.8, 0.7
_SURPRISE = 0.5  # deviation of log goals that results do not show
_MOST_GOALS = 12


def _feature(name: str, group: FeatureGroup, unit: str, lower: float, upper: float) -> Feature:
    return Feature(name=name, group=group, unit=unit, lower=lower, upper=upper, description=name)


def _results_only(features: tuple[Feature, ...]) -> tuple[Feature, ...]:
    return tuple(feature for feature in features if feature.group == "results")


PRICED_SPEC = FeatureSpec(
    history_length=DEFAULT_SPEC.history_length,
    history=(
        *_results_only(DEFAULT_SPEC.history),
        _feature("odds_known", "odds", FLAG, 0, 1),
        _feature("implied_supremacy", "odds", "log goals", -3, 3),
        _feature("shots_known", "shots", FLAG, 0, 1),
        _feature("shots_for", "shots", "shots", 0, 40),
    ),
    context=(
        *_results_only(DEFAULT_SPEC.context),
        _feature("odds_rated", "odds", FLAG, 0, 1),
        _feature("odds_home_goals", "odds", "goals", 0.1, 6),
        _feature("odds_away_goals", "odds", "goals", 0.1, 6),
        _feature("shots_rated", "shots", FLAG, 0, 1),
        _feature("shots_supremacy", "shots", "log goals", -3, 3),
        *(_feature(name, "match_odds", "probability", 0, 1) for name in MATCH_ODDS),
    ),
)


def priced_tensors(
    matches: int = MATCHES, seed: int = 0, rated_share: float = RATED_SHARE
) -> SequenceTensors:
    """The planted tensors with odds and shots on four matches of five, and odds of the match itself on seven
    of ten.

    Past odds and shots hold the part of a match's strength that results do not. Its own odds are the truth.
    """
    planted = planted_tensors(matches, seed)
    generator = np.random.default_rng((seed, 1))
    results = planted.take(np.arange(matches))
    goals_for = planted.spec.history_names.index("goals_for")
    shown = 0.35 * (results.home_history - results.away_history)[:, -1, goals_for]
    surprise = generator.normal(0, _SURPRISE, matches)
    rates = np.stack([1.4 * np.exp(shown + surprise), 1.2 * np.exp(-shown - surprise)], axis=1)
    goals = np.minimum(generator.poisson(rates), 9).astype(np.int16)
    played = planted.played
    probabilities = outcome_probabilities(rates)
    market = np.concatenate([probabilities, rates], axis=1).astype(np.float32)
    market[~played | (generator.random(matches) > RATED_SHARE)] = np.nan
    rated, seen = (generator.random(matches) < rated_share for _ in range(2))
    priced = generator.random(matches) < MATCH_ODDS_SHARE
    columns = {
        "odds_rated": rated,
        "odds_home_goals": np.where(rated, rates[:, 0], np.nan),
        "odds_away_goals": np.where(rated, rates[:, 1], np.nan),
        "shots_rated": seen,
        "shots_supremacy": np.where(seen, surprise + generator.normal(0, _SURPRISE, matches), np.nan),
        **{name: np.where(priced, probabilities[:, i], np.nan) for i, name in enumerate(MATCH_ODDS)},
    }
    kept = [planted.spec.context_names.index(f.name) for f in _results_only(planted.spec.context)]
    context = [planted.context[:, kept], *(np.asarray(column)[:, None] for column in columns.values())]
    histories = [_with_past(history, planted.spec, generator, rated_share) for history in _histories(results)]
    past, (home_span, away_span) = packed(histories, PRICED_SPEC)
    return replace(
        planted,
        past=past,
        home_span=home_span,
        away_span=away_span,
        context=np.concatenate(context, axis=1).astype(np.float32),
        outcome=np.where(played, 1 - np.sign(goals[:, 0] - goals[:, 1]), -1).astype(np.int64),
        goals=np.where(played[:, None], goals, -1).astype(np.int16),
        market=market,
        keys=planted.keys.with_columns(
            pl.Series(f"odds_{side}", np.where(priced, 1 / probabilities[:, i], np.nan)).fill_nan(None)
            for i, side in enumerate(("home", "draw", "away"))
        ),
        spec=PRICED_SPEC,
    )


def outcome_probabilities(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities `[n, 3]` of home win, draw and away win of two independent Poisson counts with rates `[n, 2]`."""
    from scipy.stats import poisson

    home, away = (poisson.pmf(np.arange(_MOST_GOALS + 1), rates[:, side, None]) for side in range(2))
    joint = home[:, :, None] * away[:, None, :]
    home_goals, away_goals = np.indices(joint.shape[1:])
    masks = (home_goals > away_goals, home_goals == away_goals, home_goals < away_goals)
    sums = np.stack([joint[:, mask].sum(axis=1) for mask in masks], axis=1)
    probabilities: NDArray[np.float64] = sums / sums.sum(axis=1, keepdims=True)
    return probabilities


def _histories(batch: SequenceBatch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return batch.home_history, batch.away_history


def _with_past(
    history: NDArray[np.float32], spec: FeatureSpec, generator: np.random.Generator, rated_share: float
) -> NDArray[np.float32]:
    """A history with the features of results, then random odds and shots of a share of the past matches."""
    kept = [spec.history_names.index(feature.name) for feature in _results_only(spec.history)]
    shape = history.shape[:2]
    columns = []
    for values in (generator.normal(0, 0.5, shape), generator.uniform(0, 20, shape)):
        known = generator.random(shape) < rated_share
        columns += [known, np.where(known, values, np.nan)]
    wide = np.concatenate([history[..., kept], np.stack(columns, axis=-1)], axis=-1)
    wide[history[..., spec.history_names.index("observed")] == 0] = 0
    return wide.astype(np.float32)
