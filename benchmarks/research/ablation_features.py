"""Leave features out: views of the tensors with fewer columns, by name or by group of inputs."""

import re
from collections.abc import Callable
from dataclasses import replace

from benchmarks.research.ablation_types import AblationUnavailable, Case, Change, Setup
from football_assets.sequences.spec import Feature, FeatureGroup

RATINGS = ("elo", "attack", "defence")
FORM = ("points_10", "goals_for_10", "goals_against_10", "venue_points_5")
PAST_ODDS = ("odds_known", "implied_.*", "odds_surprise", "own_odds_rating", "odds_rating")
MARKET_FILTER = (
    "odds_supremacy",
    "odds_supremacy_variance",
    "odds_strength",
    "odds_total",
    "odds_home_goals",
    "odds_away_goals",
    "odds_p_.*",
)
MARKET_SPEEDS = ("odds_fast_supremacy", "odds_only_supremacy", "odds_slow_supremacy", "odds_trend")
PAST_SHOTS = ("shots_known", "(shots|shots_on_target|corners|red_cards)_(for|against)")
SHOT_FILTERS = ("shots_on_target_supremacy", "shots_supremacy", "corners_supremacy")


def without(*stems: str) -> Change:
    """Leave out features by name (regular expressions): of both sides, of the opponent and in the history."""
    pattern = re.compile(f"(home_|away_|opponent_)?({'|'.join(stems)})")
    return _without_features(
        lambda feature: pattern.fullmatch(feature.name) is not None, f"named like {' or '.join(stems)}"
    )


def without_group(*groups_left_out: FeatureGroup) -> Change:
    """Leave out the features of groups of inputs."""
    return _without_features(
        lambda feature: feature.group in groups_left_out, f"of the group {' or '.join(groups_left_out)}"
    )


def _without_features(is_left_out: Callable[[Feature], bool], description: str) -> Change:
    def change(setup: Setup, _: Case) -> Setup:
        spec = setup.tensors.spec
        history, context = (
            [i for i, feature in enumerate(features) if not is_left_out(feature)]
            for features in (spec.history, spec.context)
        )
        if len(history) + len(context) == len(spec.history) + len(spec.context):
            raise AblationUnavailable(f"No feature of the tensors is {description}.")
        fewer = spec.model_copy(
            update={
                "history": tuple(spec.history[i] for i in history),
                "context": tuple(spec.context[i] for i in context),
            }
        )
        tensors = replace(
            setup.tensors,
            past=setup.tensors.past[:, history],
            context=setup.tensors.context[:, context],
            spec=fewer,
        )
        return replace(setup, tensors=tensors)

    return change
