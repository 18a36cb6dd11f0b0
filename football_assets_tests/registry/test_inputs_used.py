"""A group of inputs is used if it changes a forecast, alone and whether or not it is known in training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from football_assets.registry.inputs_used import groups_used, limited_tier
from football_assets.registry.predictor import load_predictor
from football_assets.sequences.spec import MATCH_ODDS, FeatureGroup, FeatureSpec
from football_assets_tests.builders.priced import PRICED_SPEC
from football_assets_tests.builders.registry_graph import simulated_bundle


class Network:
    """A forecaster whose outputs follow some inputs only: columns of the context and of the home history."""

    def __init__(self, context: tuple[str, ...] = (), history: tuple[str, ...] = ()) -> None:
        self.context = [PRICED_SPEC.context_names.index(name) for name in context]
        self.history = [PRICED_SPEC.history_names.index(name) for name in history]

    def predict(
        self, home: np.ndarray, away: np.ndarray, context: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        signal = np.nan_to_num(context[:, self.context]).sum(axis=1)
        signal = signal + np.nan_to_num(home[:, -1, self.history]).sum(axis=1)  # [n]
        goals = np.stack([1 + signal, np.ones(len(context))], axis=1)
        return np.tile(np.array([0.5, 0.3, 0.2]), (len(context), 1)), goals.astype(np.float32)


@pytest.mark.parametrize(
    ("network", "used"),
    [
        (Network(), set()),
        (Network(("home_elo",)), set()),
        (Network(("odds_home_goals",)), {"odds"}),
        (Network(("odds_rated",)), {"odds"}),
        (Network((), ("shots_for",)), {"shots"}),
        (Network((MATCH_ODDS[2],)), {"match_odds"}),
        (Network(("shots_supremacy", MATCH_ODDS[0]), ("odds_known",)), {"shots", "odds", "match_odds"}),
    ],
)
def test_the_groups_that_change_a_forecast_are_used(network: Any, used: set[str]) -> None:
    assert groups_used(network, PRICED_SPEC) == {"results", *used}


def test_a_specification_of_results_has_results_only() -> None:
    results = FeatureSpec(
        history=tuple(item for item in PRICED_SPEC.history if item.group == "results"),
        context=tuple(item for item in PRICED_SPEC.context if item.group == "results"),
    )

    assert groups_used(Network(), results) == {"results"}  # type: ignore[arg-type]


def test_a_network_whose_blend_was_not_fitted_does_not_use_odds_of_the_match(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    bundle: Path = simulated_bundle(tmp_path_factory)

    assert groups_used(load_predictor(bundle), FeatureSpec.load(bundle)) == {"results", "shots", "odds"}


def test_a_tier_is_limited_to_the_groups_in_use() -> None:
    used: frozenset[FeatureGroup] = frozenset({"results", "odds"})

    assert limited_tier("results+shots+odds+match_odds", used) == "results+odds"
    assert limited_tier("results+match_odds", used) == "results"
