"""Fitting: repeatable, stopped at the best epoch, independent of the test period, and able to learn."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch.nn import functional

from football_assets.domain.scoring_rules import log_loss
from football_assets.errors import FootballError
from football_assets.sequences.spec import MATCH_ODDS, FeatureGroup, FeatureSpec
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.training.baselines import class_prior
from football_assets.training.config import NetworkConfig, SplitConfig, TrainingConfig
from football_assets.training.fit import Epoch, Fit, fit_forecaster
from football_assets.training.inputs import MappedReader, targets
from football_assets.training.losses import mean_losses
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import forecast, raw_outputs
from football_assets.training.split import split_by_time
from football_assets_tests.builders.fits import Fitted, fitted
from football_assets_tests.builders.planted import SMALL, planted_tensors, poisoned
from football_assets_tests.builders.priced import PRICED, PRICED_SPEC, priced_tensors

CPU = torch.device("cpu")
BRIEF = SMALL.model_copy(update={"epochs": 2})


def assert_same_weights(left: MatchForecaster, right: MatchForecaster) -> None:
    expected = right.state_dict()
    for name, tensor in left.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def validation_loss(fit: Fitted) -> float:
    logits, _ = raw_outputs(fit.fit.network, MappedReader(fit.tensors, CPU), fit.split.validation)
    return functional.cross_entropy(logits, targets(fit.tensors, fit.split.validation)[0]).item()


def test_a_signal_in_the_histories_is_learnt(planted: Fitted) -> None:
    test = planted.split.test
    outcomes = planted.tensors.outcome[test]
    probabilities, goals = forecast(planted.fit.network, planted.tensors, test)

    prior = log_loss(class_prior(planted.tensors, planted.split.train, test), outcomes)
    assert log_loss(probabilities, outcomes) < prior - 0.1
    scored = planted.tensors.goals[test]
    for side in range(2):
        assert np.corrcoef(goals[:, side], scored[:, side])[0, 1] > 0.4


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_network(planted: Fitted) -> None:
    first, again = (fitted(planted.tensors, BRIEF).fit for _ in range(2))
    other = fitted(planted.tensors, BRIEF.model_copy(update={"seed": 8})).fit

    assert_same_weights(first.network, again.network)
    assert [epoch.validation_log_loss for epoch in first.epochs] == [
        e.validation_log_loss for e in again.epochs
    ]
    assert not torch.equal(first.network.lstm.weight_hh_l0, other.network.lstm.weight_hh_l0)


def test_what_is_in_the_test_period_and_in_fixtures_does_not_reach_the_network(planted: Fitted) -> None:
    unseen = np.setdiff1d(
        np.arange(len(planted.tensors)), np.concatenate([planted.split.train, planted.split.validation])
    )
    assert len(unseen) > 200
    garbage = poisoned(planted.tensors, unseen)
    clean = fitted(planted.tensors, BRIEF)

    fit = fit_forecaster(garbage, clean.split, BRIEF)

    assert_same_weights(fit.network, clean.fit.network)
    assert fit.epochs[-1].validation_log_loss == clean.fit.epochs[-1].validation_log_loss


def test_validation_reaches_calibration_and_stopping_but_no_weight(planted: Fitted) -> None:
    one_epoch = SMALL.model_copy(update={"epochs": 1})
    clean = fitted(planted.tensors, one_epoch)
    outcome = np.array(planted.tensors.outcome)
    outcome[clean.split.validation] = (outcome[clean.split.validation] + 1) % 3

    fit = fit_forecaster(replace(planted.tensors, outcome=outcome), clean.split, one_epoch)

    expected = clean.fit.network.state_dict()
    differing = {
        name for name, tensor in fit.network.state_dict().items() if not torch.equal(tensor, expected[name])
    }
    assert differing == {"calibration_scale"}


def test_the_network_kept_is_that_of_the_epoch_with_the_least_validation_loss(planted: Fitted) -> None:
    losses = [epoch.validation_log_loss for epoch in planted.fit.epochs]

    assert planted.fit.best_epoch == 1 + int(np.argmin(losses))
    assert validation_loss(planted) == pytest.approx(min(losses), abs=1e-6)


def test_a_short_training_period_has_small_batches_and_their_learning_rate() -> None:
    """Batches of 64 in place of the configured 1,024."""
    tensors = planted_tensors(matches=700, seed=5)

    of_small, of_large = (
        fitted(tensors, BRIEF.model_copy(update={"batch_size": size})).fit.epochs for size in (64, 1024)
    )

    for small, large in zip(of_small, of_large, strict=True):
        assert large.learning_rate == pytest.approx(small.learning_rate / 4)


def test_training_stops_when_validation_has_not_improved_for_the_patience() -> None:
    """A wide network without dropout learns a few matches by heart."""
    config = TrainingConfig(
        network=NetworkConfig(hidden=32, trunk=32, dropout=0),
        split=SplitConfig(burn_in_days=0, validation_share=0.6),
        epochs=40,
        patience=2,
        batch_size=64,
        learning_rate=3e-2,
        averaging=0.5,
        weight_decay=0,
    )
    overfitted = fitted(planted_tensors(matches=350, seed=5), config)
    fit = overfitted.fit

    assert len(fit.epochs) == fit.best_epoch + config.patience < config.epochs
    assert fit.epochs[-1].train_log_loss < fit.epochs[fit.best_epoch - 1].train_log_loss
    best = fit.epochs[fit.best_epoch - 1].validation_log_loss
    assert fit.epochs[-1].validation_log_loss > best
    assert validation_loss(overfitted) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "is_stopped"),
    [
        ({"epochs": 2}, False),  # to the end of the schedule
        ({"epochs": 8, "patience": 1, "learning_rate": 5e-2}, True),  # up to the best epoch
    ],
)
def test_a_second_network_learns_from_validation_too_and_keeps_epochs_and_calibration(
    planted: Fitted, changes: dict[str, float], is_stopped: bool
) -> None:
    config, first, on_both = fits_that_end_alike(planted, SMALL.model_copy(update=changes), is_stopped)

    seen: list[Epoch] = []
    again = fit_forecaster(
        planted.tensors, planted.split, config.model_copy(update={"refit": True}), seen.append
    )

    assert seen == again.epochs
    assert losses_of(again) == losses_of(first)
    assert again.best_epoch == first.best_epoch
    assert torch.equal(again.network.calibration_scale, first.network.calibration_scale)
    weights = on_both.network.state_dict()
    for name, tensor in again.network.state_dict().items():
        assert name == "calibration_scale" or torch.equal(tensor, weights[name]), name
    assert not torch.equal(again.network.lstm.weight_hh_l0, first.network.lstm.weight_hh_l0)
    assert not again.network.training
    assert first.refit_seconds == 0 < again.refit_seconds


def fits_that_end_alike(
    planted: Fitted, config: TrainingConfig, is_stopped: bool
) -> tuple[TrainingConfig, Fit, Fit]:
    """A seed with which training, and training on validation too, keep the same epoch: both fits, by `fit_forecaster`.

    Validation stops the first, or lets it keep its last epoch.
    """
    both = np.concatenate([planted.split.train, planted.split.validation])
    for seed in range(40):
        seeded = config.model_copy(update={"seed": seed})
        first = fitted(planted.tensors, seeded).fit
        if is_stopped != (len(first.epochs) < config.epochs):
            continue
        on_both = fit_forecaster(planted.tensors, replace(planted.split, train=both), seeded)
        kept = first.best_epoch if is_stopped else config.epochs
        if on_both.best_epoch == kept:
            return seeded, first, on_both
    pytest.fail("no seed with which both keep the same epoch")


def test_nothing_of_the_test_period_reaches_the_second_network(planted: Fitted) -> None:
    config = BRIEF.model_copy(update={"refit": True})
    clean = fitted(planted.tensors, config).fit

    garbage = fit_forecaster(poisoned(planted.tensors, planted.split.test), planted.split, config)

    assert_same_weights(garbage.network, clean.network)


def losses_of(fit: Fit) -> list[tuple[float, float]]:
    return [(epoch.train_log_loss, epoch.validation_log_loss) for epoch in fit.epochs]


def test_every_epoch_is_reported_as_it_ends(planted: Fitted) -> None:
    seen: list[Epoch] = []

    fit = fit_forecaster(planted.tensors, planted.split, BRIEF, seen.append)

    assert seen == fit.epochs
    assert [epoch.epoch for epoch in seen] == [1, 2]
    assert set(seen[0].as_dict()) >= {"train_log_loss", "validation_log_loss", "learning_rate", "seconds"}
    assert seen[-1].learning_rate < 0.05 * SMALL.learning_rate  # the schedule ends near zero
    assert fit.device in ("cpu", "cuda")
    assert not fit.network.training


def test_a_training_that_diverges_is_told(planted: Fitted) -> None:
    with pytest.raises(FootballError, match="Training diverged: .* Lower learning_rate"):
        fitted(planted.tensors, SMALL.model_copy(update={"learning_rate": 1e38, "epochs": 3}))


def test_real_features_are_learnt_better_than_the_class_prior(simulated: Fitted) -> None:
    test = simulated.split.test
    outcomes = simulated.tensors.outcome[test]
    probabilities, _ = forecast(simulated.fit.network, simulated.tensors, test)

    prior = class_prior(simulated.tensors, simulated.split.train, test)
    assert log_loss(probabilities, outcomes) < log_loss(prior, outcomes) - 0.01


def test_the_split_decides_what_is_learnt_from(planted: Fitted) -> None:
    shorter = planted.config.split.model_copy(update={"burn_in_days": 60})
    split = split_by_time(planted.tensors, shorter)
    burnt = np.setdiff1d(planted.split.train, split.train)
    assert len(burnt) == 180

    clean = fit_forecaster(planted.tensors, split, BRIEF)
    garbage = fit_forecaster(poisoned(planted.tensors, burnt), split, BRIEF)

    assert_same_weights(clean.network, garbage.network)


class ConstantRates(MatchForecaster):
    """A network whose expected goals are 2 and 1, whatever the inputs."""

    def raw_outputs(
        self, home_history: torch.Tensor, away_history: torch.Tensor, context: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits, log_rates = super().raw_outputs(home_history, away_history, context)
        return logits, 0 * log_rates + torch.tensor([2.0, 1.0]).log()


@pytest.mark.parametrize("refit", [False, True])
def test_the_factorys_network_is_trained_and_returned(planted: Fitted, refit: bool) -> None:
    config = BRIEF.model_copy(update={"refit": refit})
    built: list[MatchForecaster] = []

    def factory(spec: FeatureSpec, network: NetworkConfig) -> MatchForecaster:
        assert (spec, network) == (planted.tensors.spec, config.network)
        built.append(ConstantRates(spec, network))
        return built[-1]

    fit = fit_forecaster(planted.tensors, planted.split, config, network_factory=factory)

    assert len(built) == 1 + refit
    assert fit.network is built[-1]
    _, goals = forecast(fit.network, planted.tensors, planted.split.test)
    np.testing.assert_allclose(goals, np.tile([2.0, 1.0], (len(goals), 1)), rtol=1e-6)
    untrained = ConstantRates(planted.tensors.spec, config.network).trunk_to_logits.weight
    assert not torch.equal(fit.network.trunk_to_logits.weight, untrained)


def test_other_losses_decide_what_is_learnt_and_how_validation_is_scored(planted: Fitted) -> None:
    """Outcomes are swapped in the loss: home wins count as away wins."""

    def swapped(
        logits: torch.Tensor, log_rates: torch.Tensor, outcome: torch.Tensor, goals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        outcome_loss, _ = mean_losses(logits, log_rates, 2 - outcome, goals)
        return outcome_loss, 0 * log_rates.sum() + 7

    fit = fit_forecaster(planted.tensors, planted.split, SMALL, losses=swapped)

    rows = planted.split.test
    logits, _ = raw_outputs(fit.network, MappedReader(planted.tensors, CPU), rows)
    outcome, _ = targets(planted.tensors, rows)
    assert functional.cross_entropy(logits, 2 - outcome) < functional.cross_entropy(logits, outcome) - 0.1
    assert [epoch.validation_goals_loss for epoch in fit.epochs] == [7.0] * len(fit.epochs)
    logits, _ = raw_outputs(planted.fit.network, MappedReader(planted.tensors, CPU), rows)
    assert functional.cross_entropy(logits, outcome) < functional.cross_entropy(logits, 2 - outcome) - 0.1


class Watched(MatchForecaster):
    """A network that notes the contexts that it reads, in training and in validation."""

    seen: ClassVar[dict[bool, list[torch.Tensor]]] = {}

    def raw_outputs(
        self, home_history: torch.Tensor, away_history: torch.Tensor, context: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.seen.setdefault(self.training, []).append(context.clone())
        return super().raw_outputs(home_history, away_history, context)


def watched_fit(priced: Fitted, **changes: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """The contexts that one epoch of training reads, and those of the validation after it."""
    Watched.seen = {}
    config = priced.config.model_copy(update={"epochs": 1, **changes})
    fit_forecaster(priced.tensors, priced.split, config, network_factory=Watched)
    validation = torch.cat(Watched.seen[False])[: len(priced.split.validation)]
    return torch.cat(Watched.seen[True]), validation


def test_a_share_of_the_training_matches_has_its_odds_hidden_and_validation_none(priced: Fitted) -> None:
    names = PRICED_SPEC.context_names
    rated, own = names.index("odds_rated"), [names.index(name) for name in MATCH_ODDS]
    columns = torch.tensor([feature.group == "odds" for feature in PRICED_SPEC.context])
    known = priced.tensors.context[:, rated].mean()

    training, validation = watched_fit(priced, hidden_odds=0.25)

    assert len(training) == len(priced.split.train)
    assert training[:, rated].mean() == pytest.approx(0.75 * known, abs=0.05)
    without = training[training[:, rated] == 0][:, columns]
    assert without.nan_to_num(0.0).abs().max() == 0
    assert torch.isnan(training[:, own]).all()
    np.testing.assert_array_equal(validation.numpy(), priced.tensors.context[priced.split.validation])


def test_labels_of_training_are_odds_and_results_and_those_of_validation_results(priced: Fitted) -> None:
    split, tensors = priced.split, priced.tensors
    labels: dict[bool, list[torch.Tensor]] = {True: [], False: []}

    def noted(
        logits: torch.Tensor, log_rates: torch.Tensor, outcome: torch.Tensor, goals: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        labels[logits.requires_grad].append(outcome)
        return mean_losses(logits, log_rates, outcome, goals)

    config = BRIEF.model_copy(update={"epochs": 1, "soft_labels": 0.7, "batch_size": 10_000})
    fit = fit_forecaster(tensors, split, config, losses=noted)

    market = tensors.market[split.train, :3]
    known = ~np.isnan(market[:, 0])
    results = np.eye(3)[tensors.outcome[split.train]]
    expected = np.where(known[:, None], 0.7 * market + 0.3 * results, results)
    ordered = torch.cat(labels[True]).numpy()
    np.testing.assert_allclose(np.sort(ordered, axis=0), np.sort(expected, axis=0), atol=1e-6)
    assert [part.ndim for part in labels[False]] == [1] * len(labels[False])
    assert labels[False][-1].tolist() == tensors.outcome[split.validation].tolist()
    entropy = -(expected * np.log(np.maximum(expected, 1e-9))).sum(axis=1).mean()
    assert fit.epochs[0].train_log_loss > entropy  # against results, whose entropy is 0


def test_without_odds_soft_labels_change_no_bit(planted: Fitted) -> None:
    soft, hard = (
        fitted(planted.tensors, BRIEF.model_copy(update={"soft_labels": share})).fit for share in (0.8, 0.0)
    )

    assert_same_weights(soft.network, hard.network)
    assert losses_of(soft) == losses_of(hard)


def test_odds_of_validation_and_test_matches_are_no_labels(priced: Fitted) -> None:
    market = np.array(priced.tensors.market)
    later = np.concatenate([priced.split.validation, priced.split.test])
    market[later] = market[later][:, [2, 1, 0, 4, 3]]

    fit = fit_forecaster(replace(priced.tensors, market=market), priced.split, BRIEF)

    clean = fit_forecaster(priced.tensors, priced.split, BRIEF)
    assert_same_weights(fit.network, clean.network)
    assert losses_of(fit) == losses_of(clean)


def test_own_odds_reach_the_blend_and_nothing_else(priced: Fitted) -> None:
    """The odds of other matches: the blend gives them no weight, and the rest of the network does not see them."""
    own = [PRICED_SPEC.context_names.index(name) for name in MATCH_ODDS]
    context = np.array(priced.tensors.context)
    context[:, own] = np.random.default_rng(0).permutation(context[:, own])

    shuffled = fit_forecaster(replace(priced.tensors, context=context), priced.split, priced.config).network

    expected = priced.fit.network.state_dict()
    differing = {
        name for name, tensor in shuffled.state_dict().items() if not torch.equal(tensor, expected[name])
    }
    normalisation = {"normalise_context.mean", "normalise_context.deviation"}
    assert differing - normalisation == {"blend.weight"}
    assert expected["blend.weight"] > 0.8  # they are the true probabilities
    assert shuffled.state_dict()["blend.weight"] < 0.05


def test_a_network_that_learnt_with_hidden_odds_does_better_without_them_and_still_uses_them() -> None:
    tensors = priced_tensors(matches=4000, rated_share=1.0)
    without: tuple[FeatureGroup, ...] = ("odds", "shots", "match_odds")
    losses = {}
    for share in (0.0, 0.5):
        found = fitted(tensors, PRICED.model_copy(update={"hidden_odds": share}))
        test = found.split.test
        losses[share] = [
            log_loss(forecast(found.fit.network, tensors, test, hidden)[0], tensors.outcome[test])
            for hidden in (without, OWN_ODDS)
        ]

    assert losses[0.5][0] < losses[0.0][0] - 0.02
    assert losses[0.5][1] < losses[0.5][0] - 0.03


def test_the_second_network_keeps_the_blend_of_the_first(priced: Fitted) -> None:
    refitted = fit_forecaster(priced.tensors, priced.split, priced.config.model_copy(update={"refit": True}))

    first, second = priced.fit.network.blend, refitted.network.blend
    assert first is not None
    assert second is not None
    assert second.weight == first.weight
    assert first.weight > 0
