"""The network: probabilities from raw units, with unknown values and padding, and equal bits after storage."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from football_assets.errors import FootballError
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, MATCH_ODDS
from football_assets.sequences.tiers import hide_groups
from football_assets.storage.model_files import CHECKPOINT
from football_assets.training.config import NetworkConfig
from football_assets.training.network import (
    SCORE_GRID_GOALS,
    MatchForecaster,
    Normaliser,
    count_parameters,
    load_description,
    load_forecaster,
    save_forecaster,
)
from football_assets_tests.builders.fits import Fitted
from football_assets_tests.builders.priced import PRICED_SPEC, priced_tensors

CONTEXT = DEFAULT_SPEC.context_names
HISTORY = DEFAULT_SPEC.history_names
SHIFT = CONTEXT.index(HOME_ADVANTAGE_SHIFT)
OBSERVED = HISTORY.index("observed")
NORMALISATION = ("lower", "upper", "mean", "deviation")


@dataclass(frozen=True)
class Inputs:
    home: Tensor
    away: Tensor
    context: Tensor

    def forecast(self, network: MatchForecaster) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            probabilities, goals = network(self.home, self.away, self.context)
        return probabilities.numpy(), goals.numpy()


@pytest.fixture
def network(planted: Fitted) -> MatchForecaster:
    return planted.fit.network


@pytest.fixture
def inputs(planted: Fitted) -> Inputs:
    batch = planted.tensors.take(np.arange(200))
    arrays = (batch.home_history, batch.away_history, batch.context)
    return Inputs(*(torch.from_numpy(array.copy()) for array in arrays))


def test_outputs_are_probabilities_and_expected_goals(network: MatchForecaster, inputs: Inputs) -> None:
    probabilities, goals = inputs.forecast(network)

    assert probabilities.shape == (200, 3)
    assert goals.shape == (200, 2)
    assert probabilities.min() > 0
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert goals.min() > 0.04
    assert goals.max() < 7.5
    assert probabilities.std(axis=0).min() > 0.01


def test_a_forecast_does_not_depend_on_the_others_of_its_batch(
    network: MatchForecaster, inputs: Inputs
) -> None:
    probabilities, _ = inputs.forecast(network)

    for row in (0, 57, 199):
        alone, _ = Inputs(
            *(part[row : row + 1] for part in (inputs.home, inputs.away, inputs.context))
        ).forecast(network)
        np.testing.assert_allclose(alone[0], probabilities[row], atol=1e-6)


def test_an_unknown_context_counts_as_the_training_mean(network: MatchForecaster, inputs: Inputs) -> None:
    unknown, mean = inputs.context.clone(), inputs.context.clone()
    unknown[:, ::2], mean[:, ::2] = math.nan, network.normalise_context.mean[::2]
    mean[:, SHIFT] = 0

    found, goals = Inputs(inputs.home, inputs.away, unknown).forecast(network)

    assert np.isfinite(found).all()
    expected, expected_goals = Inputs(inputs.home, inputs.away, mean).forecast(network)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(goals, expected_goals)


def test_two_teams_of_which_nothing_is_known_still_get_probabilities(network: MatchForecaster) -> None:
    nothing = torch.zeros(2, DEFAULT_SPEC.history_length, len(HISTORY))

    probabilities, goals = Inputs(nothing, nothing, torch.full((2, len(CONTEXT)), math.nan)).forecast(network)

    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.isfinite(goals).all()


@pytest.mark.parametrize("garbage", [math.nan, math.inf, -1e30, 12345.0])
def test_what_stands_in_the_padding_is_ignored(
    network: MatchForecaster, inputs: Inputs, garbage: float
) -> None:
    home, away = inputs.home.clone(), inputs.away.clone()
    for history in (home, away):
        padding = history[..., OBSERVED] == 0
        assert padding.any()
        history[padding] = garbage
        history[..., OBSERVED] = torch.where(padding, 0.0, 1.0)

    found, goals = Inputs(home, away, inputs.context).forecast(network)

    expected, expected_goals = inputs.forecast(network)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(goals, expected_goals)


def test_each_match_of_a_history_matters(network: MatchForecaster, inputs: Inputs) -> None:
    full = inputs.home[..., OBSERVED].all(dim=1)
    expected, _ = inputs.forecast(network)
    for position in (0, 5, 9):
        home = inputs.home.clone()
        home[:, position, HISTORY.index("goals_for")] += 3
        found, _ = Inputs(home, inputs.away, inputs.context).forecast(network)
        assert np.abs(found - expected)[full].max() > 1e-6


def test_a_first_match_has_all_the_attention_and_padding_none(
    network: MatchForecaster, inputs: Inputs
) -> None:
    history = inputs.home.clone()
    history[:, :-1] = 0

    with torch.no_grad():
        last, pooled = network._read(history).chunk(2, dim=1)

    assert last.abs().max() > 0.01
    np.testing.assert_allclose(pooled.numpy(), last.numpy(), atol=1e-6)


def test_inputs_are_raw_units_and_normalisation_is_learnt_from_training_rows(planted: Fitted) -> None:
    train = planted.tensors.take(planted.split.train)
    network = planted.fit.network

    context = network.normalise_context(torch.from_numpy(train.context)).numpy()
    is_known = ~np.isnan(train.context).all(axis=0)
    known = np.where(np.isnan(train.context), np.nan, context)[:, is_known]
    constant = np.nanstd(train.context[:, is_known], axis=0) < 1e-5
    np.testing.assert_allclose(np.nanmean(known, axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(np.nanstd(known, axis=0)[~constant], 1, atol=1e-3)
    past = np.concatenate([train.home_history, train.away_history]).reshape(-1, len(HISTORY))
    past = past[past[:, OBSERVED] > 0]
    is_known = ~np.isnan(past).all(axis=0)
    means = network.normalise_history.mean.numpy()
    np.testing.assert_allclose(means[is_known], np.nanmean(past[:, is_known], axis=0), rtol=1e-4)
    assert (means[~is_known] == 0).all()


def test_values_beyond_their_range_count_as_its_end(network: MatchForecaster, inputs: Inputs) -> None:
    home, capped = inputs.home.clone(), inputs.home.clone()
    goals = HISTORY.index("goals_for")
    home[:, -1, goals], capped[:, -1, goals] = 25, DEFAULT_SPEC.history[goals].upper
    context, bounded = inputs.context.clone(), inputs.context.clone()
    rest = CONTEXT.index("home_rest_days")
    context[:, rest], bounded[:, rest] = 4000, DEFAULT_SPEC.context[rest].upper

    found, _ = Inputs(home, inputs.away, context).forecast(network)

    np.testing.assert_array_equal(found, Inputs(capped, inputs.away, bounded).forecast(network)[0])


def test_before_training_the_forecast_is_two_poisson_counts_of_the_leagues_goals(inputs: Inputs) -> None:
    network = MatchForecaster(DEFAULT_SPEC, NetworkConfig(hidden=4, trunk=4)).eval()
    context = inputs.context.clone()
    context[:, CONTEXT.index("league_home_goals")], context[:, CONTEXT.index("league_away_goals")] = 1.6, 1.1
    context[:, SHIFT] = 0

    probabilities, goals = Inputs(inputs.home, inputs.away, context).forecast(network)

    home, away = (
        np.array([math.exp(-rate) * rate**n / math.factorial(n) for n in range(SCORE_GRID_GOALS + 1)])
        for rate in (1.6, 1.1)
    )
    joint = np.outer(home, away)
    expected = np.array([np.tril(joint, -1).sum(), np.trace(joint), np.triu(joint, 1).sum()])
    np.testing.assert_allclose(goals, np.tile([1.6, 1.1], (200, 1)), rtol=1e-6)
    np.testing.assert_allclose(probabilities, np.tile(expected / expected.sum(), (200, 1)), rtol=1e-5)
    assert expected[0] > expected[2]


def test_home_advantage_that_all_leagues_share_moves_expected_goals_by_itself_and_nothing_else(
    network: MatchForecaster, inputs: Inputs
) -> None:
    """A trained network has learnt nothing of it: half is added to one log rate and taken from the other."""
    none, shifted, beyond, bound = (inputs.context.clone() for _ in range(4))
    none[:, SHIFT], shifted[:, SHIFT] = 0, -0.2
    beyond[:, SHIFT], bound[:, SHIFT] = -5, DEFAULT_SPEC.context[SHIFT].lower

    (_, goals), (chances, moved), (_, far), (_, furthest) = (
        Inputs(inputs.home, inputs.away, context).forecast(network)
        for context in (none, shifted, beyond, bound)
    )

    inside = ((goals > 0.06) & (goals < 6)).all(axis=1)  # expected goals have bounds
    assert inside.sum() > 100
    np.testing.assert_allclose(
        moved[inside], goals[inside] * np.exp([-0.1, 0.1], dtype=np.float32), rtol=1e-5
    )
    assert (chances[inside, 0] < Inputs(inputs.home, inputs.away, none).forecast(network)[0][inside, 0]).all()
    np.testing.assert_array_equal(far, furthest)


def test_a_network_of_features_without_it_forecasts_as_before(inputs: Inputs) -> None:
    earlier = DEFAULT_SPEC.model_copy(
        update={"context": tuple(f for f in DEFAULT_SPEC.context if f.name != HOME_ADVANTAGE_SHIFT)}
    )
    torch.manual_seed(0)
    network = MatchForecaster(earlier, NetworkConfig(hidden=4, trunk=4)).eval()
    kept = [i for i in range(len(CONTEXT)) if i != SHIFT]

    _, goals = Inputs(inputs.home, inputs.away, inputs.context[:, kept]).forecast(network)

    league = inputs.context[:, [CONTEXT.index(f"league_{side}_goals") for side in ("home", "away")]]
    np.testing.assert_allclose(goals, league.numpy(), rtol=1e-5)


def test_calibration_is_inside_and_scales_log_probabilities(network: MatchForecaster, inputs: Inputs) -> None:
    with torch.no_grad():
        logits, _ = network.raw_outputs(inputs.home, inputs.away, inputs.context)
    scaled = torch.softmax(logits * network.calibration_scale + network.calibration_shift, dim=1)

    np.testing.assert_array_equal(inputs.forecast(network)[0], scaled.numpy())


def test_both_teams_are_read_by_one_lstm() -> None:
    wide, narrow = (
        count_parameters(MatchForecaster(DEFAULT_SPEC, NetworkConfig(hidden=hidden, trunk=1)))
        for hidden in (2, 1)
    )

    def lstm(hidden: int) -> int:
        return 4 * hidden * (len(HISTORY) + hidden + 2)

    joined = 4  # inputs of the trunk a unit of the state: last and pooled, sum and difference
    assert wide - narrow == lstm(2) - lstm(1) + joined + 1  # and a weight of the attention


def test_a_stored_network_forecasts_the_same_bits(
    network: MatchForecaster, inputs: Inputs, tmp_path: Path
) -> None:
    save_forecaster(network, {"note": "kept"}, tmp_path)

    loaded = load_forecaster(tmp_path)

    for found, expected in zip(inputs.forecast(loaded), inputs.forecast(network), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert not loaded.training
    assert load_description(tmp_path)["note"] == "kept"


def test_what_is_stored_is_safetensors_and_json_and_no_pickle(
    network: MatchForecaster, tmp_path: Path
) -> None:
    save_forecaster(network, {}, tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {
        "checkpoint.safetensors",
        "training.json",
        "feature_spec.json",
    }
    with safe_open(tmp_path / "checkpoint.safetensors", framework="np") as stored:
        assert set(stored.keys()) == set(network.state_dict())
        np.testing.assert_array_equal(
            stored.get_tensor("calibration_scale"), network.calibration_scale.numpy()
        )
    assert json.loads((tmp_path / "training.json").read_text())["network"]["hidden"] == 8


def test_the_normaliser_learns_clipped_means_and_leaves_unknown_values_out() -> None:
    normaliser = Normaliser(lower=[0, 0, 0], upper=[10, 10, 10])
    nan = math.nan

    normaliser.observe(torch.tensor([[1.0, 99.0, 7.0], [3.0, nan, 7.0], [nan, 0.0, 7.0]]))
    normaliser.fit()

    np.testing.assert_allclose(normaliser.mean.numpy(), [2, 5, 7])
    np.testing.assert_allclose(normaliser.deviation.numpy(), [1, 5, math.inf])
    found = normaliser(torch.tensor([[nan, 50.0, 7.0], [4.0, -3.0, nan]])).numpy()
    np.testing.assert_allclose(found, [[0, 1, 0], [2, -1, 0]])


def test_rows_observed_in_parts_are_fitted_as_all_at_once() -> None:
    rows = torch.tensor([[1.0, 2000.0], [3.0, 1500.0], [math.nan, 9000.0], [8.0, 99.0]])
    whole, parts = (Normaliser(lower=[0, 0], upper=[10, 5000]) for _ in range(2))

    whole.observe(rows)
    for part in (rows[:1], rows[1:], rows[:0]):
        parts.observe(part)
    for normaliser in (whole, parts):
        normaliser.fit()

    np.testing.assert_allclose(parts.mean.numpy(), whole.mean.numpy(), rtol=1e-6)
    np.testing.assert_allclose(parts.deviation.numpy(), whole.deviation.numpy(), rtol=1e-6)
    np.testing.assert_allclose(whole.mean.numpy(), [4.0, 2149.75])


def test_a_feature_that_does_not_vary_in_training_has_no_influence_when_it_does_later() -> None:
    normaliser = Normaliser(lower=[0, 0], upper=[10, 10])
    nan = math.nan

    normaliser.observe(torch.tensor([[3.0, nan], [3.0, nan]]))
    normaliser.fit()

    assert normaliser(torch.tensor([[9.0, 9.0], [nan, nan]])).tolist() == [[0, 0], [0, 0]]


def test_a_feature_that_is_never_known_in_training_stays_finite() -> None:
    normaliser = Normaliser(lower=[0], upper=[10])

    normaliser.observe(torch.full((5, 1), math.nan))
    normaliser.fit()

    assert torch.isfinite(normaliser(torch.tensor([[math.nan], [4.0]]))).all()


PRICED_CONTEXT = PRICED_SPEC.context_names
ODDS_GOALS = [PRICED_CONTEXT.index(f"odds_{side}_goals") for side in ("home", "away")]


@pytest.fixture(scope="module")
def priced_inputs() -> Inputs:
    batch = priced_tensors(matches=200).take(np.arange(200))
    return Inputs(
        *(torch.from_numpy(part) for part in (batch.home_history, batch.away_history, batch.context))
    )


def trained_normalisers(network: MatchForecaster, inputs: Inputs) -> MatchForecaster:
    network.normalise_context.observe(inputs.context)
    network.normalise_history.observe(inputs.home.flatten(0, 1))
    network.normalise_context.fit()
    network.normalise_history.fit()
    return network.eval()


def test_before_training_the_goals_are_those_of_past_odds_and_the_leagues_where_there_are_none(
    priced_inputs: Inputs,
) -> None:
    network = trained_normalisers(
        MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=4, trunk=4)), priced_inputs
    )
    context = priced_inputs.context.clone()
    context[:, PRICED_CONTEXT.index(HOME_ADVANTAGE_SHIFT)] = 0
    context[0, ODDS_GOALS] = torch.tensor([2.5, 0.7])
    context[1, ODDS_GOALS] = torch.tensor([99.0, 0.7])
    context[2, ODDS_GOALS] = torch.tensor([math.nan, 0.7])

    _, goals = Inputs(priced_inputs.home, priced_inputs.away, context).forecast(network)

    league = context[2, [PRICED_CONTEXT.index(f"league_{side}_goals") for side in ("home", "away")]]
    np.testing.assert_allclose(goals[0], [2.5, 0.7], rtol=1e-5)
    np.testing.assert_allclose(goals[1], [PRICED_SPEC.context[ODDS_GOALS[0]].upper, 0.7], rtol=1e-5)
    np.testing.assert_allclose(goals[2], league.numpy(), rtol=1e-5)


def test_odds_that_no_training_match_had_change_no_forecast(priced_inputs: Inputs) -> None:
    """The weights of inputs that were never known are arbitrary; the rest was learnt on top of the leagues' goals."""
    torch.manual_seed(0)
    network = MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=4, trunk=4))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter))
    known = SequenceBatch(
        priced_inputs.home.numpy(), priced_inputs.away.numpy(), priced_inputs.context.numpy()
    )
    hidden = hide_groups(known, PRICED_SPEC, ("odds", "shots", "match_odds"))
    results = Inputs(
        *(torch.from_numpy(part) for part in (hidden.home_history, hidden.away_history, hidden.context))
    )
    trained_normalisers(network, results)

    for found, expected in zip(priced_inputs.forecast(network), results.forecast(network), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_odds_of_the_match_enter_by_the_blend_alone(priced_inputs: Inputs) -> None:
    torch.manual_seed(0)
    network = trained_normalisers(
        MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=4, trunk=4)), priced_inputs
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    context = priced_inputs.context.clone()
    columns = [PRICED_CONTEXT.index(name) for name in MATCH_ODDS]
    context[:, columns] = torch.tensor([0.2, 0.3, 0.5])
    unknown = context.clone()
    unknown[:, columns[1]] = math.nan
    with_odds, without = (Inputs(priced_inputs.home, priced_inputs.away, part) for part in (context, unknown))

    own, goals = without.forecast(network)
    np.testing.assert_allclose(with_odds.forecast(network)[0], own, atol=1e-6)
    assert network.blend is not None
    network.blend.weight.fill_(0.75)

    blended, blended_goals = with_odds.forecast(network)
    pool = own**0.25 * np.array([0.2, 0.3, 0.5]) ** 0.75
    np.testing.assert_allclose(blended, pool / pool.sum(axis=1, keepdims=True), rtol=1e-4)
    np.testing.assert_array_equal(without.forecast(network)[0], own)
    np.testing.assert_array_equal(blended_goals, goals)


def test_a_checkpoint_of_features_without_odds_has_the_same_entries_as_before_there_were_odds(
    network: MatchForecaster, tmp_path: Path
) -> None:
    """What an earlier release stored: no blend. It loads and forecasts as it did."""
    results = tuple(feature for feature in DEFAULT_SPEC.context if feature.group == "results")
    history = tuple(feature for feature in DEFAULT_SPEC.history if feature.group == "results")
    spec = DEFAULT_SPEC.model_copy(update={"context": results, "history": history})

    earlier = MatchForecaster(spec, NetworkConfig(hidden=4, trunk=4)).eval()
    save_forecaster(earlier, {}, tmp_path)

    assert not [name for name in earlier.state_dict() if name.startswith("blend")]
    assert load_forecaster(tmp_path).blend is None
    assert {name for name in earlier.state_dict() if "weight" not in name and "bias" not in name} == {
        *(f"normalise_{part}.{name}" for part in ("history", "context") for name in NORMALISATION),
        "calibration_scale",
        "calibration_shift",
    }


def test_the_blend_is_stored_with_the_network(priced_inputs: Inputs, tmp_path: Path) -> None:
    network = MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=4, trunk=4)).eval()
    assert network.blend is not None
    network.blend.weight.fill_(0.4)
    save_forecaster(network, {}, tmp_path)

    loaded = load_forecaster(tmp_path)

    for found, expected in zip(priced_inputs.forecast(loaded), priced_inputs.forecast(network), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_checkpoint_whose_blend_had_a_scale_loads(priced_inputs: Inputs, tmp_path: Path) -> None:
    network = MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=4, trunk=4)).eval()
    save_forecaster(network, {}, tmp_path)
    weights = load_file(tmp_path / CHECKPOINT)
    save_file(weights | {"blend.scale": torch.ones(())}, tmp_path / CHECKPOINT)

    loaded = load_forecaster(tmp_path)

    for found, expected in zip(priced_inputs.forecast(loaded), priced_inputs.forecast(network), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scale", [1.2, 0.99999, float("nan")])
def test_a_checkpoint_whose_blend_had_another_scale_than_one_is_refused(tmp_path: Path, scale: float) -> None:
    save_forecaster(MatchForecaster(PRICED_SPEC, NetworkConfig(hidden=4, trunk=4)), {}, tmp_path)
    weights = load_file(tmp_path / CHECKPOINT)
    save_file(weights | {"blend.scale": torch.tensor(scale)}, tmp_path / CHECKPOINT)

    with pytest.raises(FootballError, match="was trained by an earlier release: train it again"):
        load_forecaster(tmp_path)
