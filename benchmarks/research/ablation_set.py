"""The ablations that `ablations.py` runs, one entry each: a change of the inputs, the training or the forecasts.

A trained ablation changes the arguments of `fit_forecaster`, never the code of the package. It leaves features out by a
view of the tensors with fewer columns, adds features by one with more (`ablation_inputs.py`), weights matches by
sampling them more or less often, or trains another network or other losses (`ablation_networks.py`). A derived ablation
combines the forecasts of others and costs no training.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.research.ablation_derived import by_league, mean_of_all, not_calibrated, scale_and_shift
from benchmarks.research.ablation_features import (
    FORM,
    MARKET_FILTER,
    MARKET_SPEEDS,
    PAST_ODDS,
    PAST_SHOTS,
    RATINGS,
    SHOT_FILTERS,
    without,
    without_group,
)
from benchmarks.research.ablation_inputs import (
    congestion,
    draw_surplus,
    groups,
    learnt_home_advantage,
    ratings_of_other_speeds,
    stakes,
)
from benchmarks.research.ablation_networks import (
    AttentionAlone,
    Embedded,
    GappyHistories,
    LastStateAlone,
    ShortenedHistories,
    TwoHeads,
    smoothed,
    with_rps,
    with_teacher,
)
from benchmarks.research.ablation_types import (
    DEFAULT,
    Ablation,
    AblationUnavailable,
    Case,
    Change,
    Derived,
    Probabilities,
    Setup,
    Trained,
)
from benchmarks.research.digests import code_digest
from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT, OBSERVED, Feature
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training import fit, passes
from football_assets.training.config import TrainingConfig
from football_assets.training.losses import LossFunction
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import forecast

DAYS_A_YEAR = 365.25
_TEACHERS = (11, 12, 13)  # seeds
_COPIES = 2  # of the training matches, from which weighted ones are drawn


# ---------------------------------------------------------------------------------------------------------- inputs


def context_only(setup: Setup, _: Case) -> Setup:
    """Leave out all past matches: the LSTM reads only padding, at a width of 1 and without gradient."""
    spec = setup.tensors.spec
    nothing = np.zeros((len(setup.tensors), 2), dtype=np.int32)
    observed = tuple(feature for feature in spec.history if feature.name == OBSERVED)
    tensors = replace(
        setup.tensors,
        past=np.zeros((1, 1), dtype=np.float32),
        home_span=nothing,
        away_span=nothing,
        spec=spec.model_copy(update={"history": observed, "history_length": 1}),
    )
    return _with_network(replace(setup, tensors=tensors), hidden=1)


def last_matches(length: int) -> Change:
    """Set the length of the histories."""

    def change(setup: Setup, _: Case) -> Setup:
        if setup.tensors.spec.history_names == [OBSERVED]:
            raise AblationUnavailable("The tensors have no feature of past matches.")
        spec = setup.tensors.spec.model_copy(update={"history_length": length})
        return replace(setup, tensors=replace(setup.tensors, spec=spec))

    return change


def constant_league_goals(setup: Setup, _: Case) -> Setup:
    """Replace the league's mean goals by their mean over the training matches, equal for all leagues and years."""
    names = setup.tensors.spec.context_names
    columns = [names.index(f"league_{side}_goals") for side in ("home", "away")]
    context = np.array(setup.tensors.context)
    context[:, columns] = np.nanmean(context[setup.split.train][:, columns], axis=0)
    return replace(setup, tensors=replace(setup.tensors, context=context))


def league_columns(setup: Setup, _: Case) -> Setup:
    """Add one indicator column per league: its weights are what an embedding of the league would learn."""
    leagues = setup.tensors.keys["league_id"]
    names = leagues[setup.split.train].unique().sort()
    is_league = np.stack([(leagues == name).to_numpy() for name in names], axis=1).astype(np.float32)
    features = tuple(
        Feature(name=f"is_{name}", unit="flag", lower=0, upper=1, description=f"1 for {name}.")
        for name in names
    )
    spec = setup.tensors.spec
    more = spec.model_copy(update={"context": (*spec.context, *features)})
    context = np.concatenate([setup.tensors.context, is_league], axis=1)
    return replace(setup, tensors=replace(setup.tensors, context=context, spec=more))


# -------------------------------------------------------------------------------------------------------- training


def training(**changes: Any) -> Change:
    """Change values of `TrainingConfig`."""
    return lambda setup, _: replace(setup, config=setup.config.model_copy(update=changes))


def network(**changes: Any) -> Change:
    """Change values of `NetworkConfig`."""
    return lambda setup, _: _with_network(setup, **changes)


def _with_network(setup: Setup, **changes: Any) -> Setup:
    changed = setup.config.network.model_copy(update=changes)
    return replace(setup, config=setup.config.model_copy(update={"network": changed}))


def recent_matches_count_more(half_life: float) -> Change:
    """Halve the weight of a training match for every `half_life` years before the season.

    Matches are weighted by sampling: the expected number of copies of a match is proportional to its weight, twice as
    many copies as matches in all. Half the epochs then take as many steps.
    """

    def change(setup: Setup, case: Case) -> Setup:
        rows = setup.split.train
        days = (np.datetime64(case.start) - setup.tensors.days[rows]).astype("timedelta64[D]").astype(int)
        weights = 0.5 ** (days / DAYS_A_YEAR / half_life)
        expected = _COPIES * weights / weights.mean()
        copies = np.floor(expected + np.random.default_rng(setup.config.seed).random(len(rows)))
        return replace(
            setup,
            split=replace(setup.split, train=np.repeat(rows, copies.astype(np.int64))),
            config=setup.config.model_copy(
                update={
                    "epochs": -(-setup.config.epochs // _COPIES),
                    "patience": -(-setup.config.patience // _COPIES),
                }
            ),
        )

    return change


def other_network(factory: type[MatchForecaster]) -> Change:
    """Train another network."""
    return lambda setup, _: replace(setup, network_factory=factory)


def other_losses(losses: LossFunction) -> Change:
    """Train with other losses."""
    return lambda setup, _: replace(setup, losses=losses)


def inputs(more: Callable[[SequenceTensors], SequenceTensors]) -> Change:
    """Add context features."""
    return lambda setup, _: replace(setup, tensors=more(setup.tensors))


def embedded(level: Callable[[pl.Expr], pl.Expr]) -> Change:
    """Add an embedding of each league, or of what `level` computes from its identifier."""

    def change(setup: Setup, _: Case) -> Setup:
        keys = setup.tensors.keys.select(level(pl.col("league_id"))).to_series()
        more = groups(setup.tensors, keys, setup.split.train)
        return replace(setup, tensors=more, network_factory=Embedded)

    return change


def country_of(league: pl.Expr) -> pl.Expr:
    """Return the country of a league's identifier."""
    return league.str.split(".").list.first()


def distilled(setup: Setup, case: Case) -> Setup:
    """Distil: half of the loss is against the mean probabilities of networks of three other seeds (the teachers).

    The teachers have been trained on the same matches; their few weights limit how much they memorise.
    """
    train = setup.split.train
    goals = np.zeros((len(setup.tensors), 5), dtype=np.float32)
    goals[:, :2] = setup.tensors.goals
    for seed in _TEACHERS:
        config = setup.config.model_copy(update={"seed": seed})
        goals[train, 2:] += _taught(setup, config, case.work / "teachers") / len(_TEACHERS)
    return replace(
        setup,
        tensors=replace(setup.tensors, goals=goals),  # type: ignore[arg-type]
        config=setup.config.model_copy(update={"soft_labels": 0.0}),  # the teachers have learnt from them
        losses=with_teacher,
    )


def _taught(setup: Setup, config: TrainingConfig, folder: Path) -> Probabilities:
    """Return a teacher's probabilities of the training matches, computed once."""
    of = hashlib.blake2b(setup.split.train.tobytes()).hexdigest()
    key = code_digest(
        Path(fit.__file__),
        Path(passes.__file__),
        config.model_dump_json(),
        setup.tensors.spec.model_dump_json(),
        of,
    )
    path = folder / f"{key}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        network = fit.fit_forecaster(setup.tensors, setup.split, config).network
        np.save(path, forecast(network, setup.tensors, setup.split.train)[0])
    return np.load(path)  # type: ignore[no-any-return]


# ---------------------------------------------------------------------------------------------------- the ablations

ABLATIONS: tuple[Ablation, ...] = (
    Trained(DEFAULT, "default", lambda setup, _: setup),
    Trained("seed_8", "another seed", training(seed=8)),
    Trained("seed_9", "a third seed", training(seed=9)),
    Trained("context_only", "no sequences: the context alone", context_only),
    Trained("refit", "refitted on validation too", training(refit=True)),
    Trained("refit_8", "another seed, refitted on validation too", training(seed=8, refit=True)),
    Trained("refit_9", "a third seed, refitted on validation too", training(seed=9, refit=True)),
    Trained("epochs_3", "3 epochs, not 7", training(epochs=3)),
    Trained("epochs_12", "12 epochs", training(epochs=12)),
    Trained(
        "epochs_12_refit",
        "12 epochs, refitted up to the best of them on validation too",
        training(epochs=12, refit=True),
    ),
    Trained("no_home_advantage", "no home advantage that all leagues share", without(HOME_ADVANTAGE_SHIFT)),
    Trained(
        "home_advantage_learnt",
        "the shared home advantage as an input like others",
        inputs(learnt_home_advantage),
    ),
    Derived("ensemble", "mean of three seeds", (DEFAULT, "seed_8", "seed_9"), mean_of_all),
    Derived("not_calibrated", "no calibration", (DEFAULT,), not_calibrated),
    Derived("shifted", "calibration with a shift for each outcome", (DEFAULT,), scale_and_shift),
    Derived("by_league", "calibration by league, shrunk to that of all", (DEFAULT,), by_league),
    Trained("no_goals_head", "goals' loss not weighed (0, not 0.5)", training(goals_weight=0.0)),
    Trained("goals_head_1", "goals' loss weighs 1", training(goals_weight=1.0)),
    Trained("no_averaging", "no running mean of the weights", training(averaging=0.0)),
    Trained("no_attack_defence", "no attack and defence ratings", without("attack", "defence")),
    Trained("no_elo", "no Elo ratings", without("elo")),
    Trained("no_ratings", "no ratings at all", without(*RATINGS)),
    Trained("no_form", "no means of the last matches", without(*FORM)),
    Trained("no_season", "no standing in the season", without("season_.*")),
    Trained("no_rest", "no days of rest", without("rest_days")),
    Trained("no_league_goals", "no goals of the league", constant_league_goals),
    Trained("no_opponents", "no opponents' ratings in the history", without("opponent_.*")),
    Trained("history_5", "histories of 5 matches, not 10", last_matches(5)),
    Trained("history_20", "histories of 20 matches", last_matches(20)),
    Trained("leagues", "a column for each league", league_columns),
    Trained("recency_8", "matches of 8 years before weigh half", recent_matches_count_more(8)),
    Trained("dropout_0.05", "dropout 0.05, not 0.15", network(dropout=0.05)),
    Trained("dropout_0.3", "dropout 0.3", network(dropout=0.3)),
    Trained("hidden_16", "LSTM of width 16, not 32", network(hidden=16)),
    Trained("hidden_64", "LSTM of width 64", network(hidden=64)),
    Trained("trunk_32", "trunk of width 32, not 64", network(trunk=32)),
    Trained("trunk_128", "trunk of width 128", network(trunk=128)),
    Trained("no_odds", "nothing from past odds", without_group("odds")),
    Trained("no_shots", "nothing from past shots", without_group("shots")),
    Trained("results_alone", "neither past odds nor past shots", without_group("odds", "shots")),
    Trained("no_past_odds", "no odds of the matches in the sequence", without(*PAST_ODDS)),
    Trained(
        "no_market_filter", "no Kalman filter over odds, nor its expected goals", without(*MARKET_FILTER)
    ),
    Trained("no_market_speeds", "no other speeds of that filter", without(*MARKET_SPEEDS)),
    Trained("no_market_steps", "no other ratings from odds", without("odds_step_.*", "odds_elo_difference")),
    Trained("no_residuals", "no residual form: results minus odds", without("odds_residual_.*")),
    Trained("no_result_filter", "no Kalman filter over results", without("result_supremacy(_variance)?")),
    Trained("no_past_shots", "no shots of the matches in the sequence", without(*PAST_SHOTS)),
    Trained("no_shot_filters", "no Kalman filters over shots and corners", without(*SHOT_FILTERS)),
    Trained("no_shot_means", "no weighted means of shots", without(r".*_margin_\d+", "shots_on_target_sum")),
    Trained("hard_labels", "results as labels, without odds", training(soft_labels=0.0)),
    Trained("soft_labels_1", "odds as labels, without results", training(soft_labels=1.0)),
    Trained("odds_always_shown", "odds never hidden in training", training(hidden_odds=0.0)),
    Trained("odds_hidden_0.05", "odds of 5 % of the matches hidden", training(hidden_odds=0.05)),
    Trained("odds_hidden_0.3", "odds of 30 % of the matches hidden, not 15 %", training(hidden_odds=0.3)),
    Trained("two_layers", "LSTM of two layers", network(layers=2)),
    Trained("weight_decay_0.01", "weight decay 0.01, not 0.1", training(weight_decay=0.01)),
    Trained("smoothed", "labels smoothed by 2 %", other_losses(smoothed(0.02))),
    Trained("with_rps", "RPS added to the loss", other_losses(with_rps)),
    Trained("distilled", "distilled from three other seeds", distilled),
    Trained("last_state", "last state alone, no attention", other_network(LastStateAlone)),
    Trained("attention", "attention alone, no last state", other_network(AttentionAlone)),
    Trained("two_heads", "other layers after the LSTM for matches without odds", other_network(TwoHeads)),
    Trained("shortened", "histories cut short at random in training", other_network(ShortenedHistories)),
    Trained("gappy", "past matches hidden at random in training", other_network(GappyHistories)),
    Trained("embedded_leagues", "an embedding of each league", embedded(lambda league: league)),
    Trained("embedded_countries", "an embedding of each country", embedded(country_of)),
    Trained("congestion", "matches in the last 14 and 30 days", inputs(congestion)),
    Trained("stakes", "share of the season, way to top and danger zone", inputs(stakes)),
    Trained("speeds", "attack and defence at two other speeds", inputs(ratings_of_other_speeds)),
    Trained("draw_surplus", "the league's surplus of draws", inputs(draw_surplus)),
)
