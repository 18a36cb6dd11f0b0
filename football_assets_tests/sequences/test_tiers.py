"""Tiers of input: groups are hidden whole and alone, and a row is named by the groups that it has."""

import numpy as np
import pytest

from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import (
    DEFAULT_SPEC,
    FLAG,
    MATCH_ODDS,
    OBSERVED,
    Feature,
    FeatureGroup,
    FeatureSpec,
)
from football_assets.sequences.tiers import hide_groups, tier_of


def feature(name: str, group: FeatureGroup, unit: str = "goals") -> Feature:
    return Feature(name=name, unit=unit, lower=-9, upper=9, description=name, group=group)


SPEC = FeatureSpec(
    history_length=3,
    history=(
        feature("goals_for", "results"),
        feature("odds_known", "odds", FLAG),
        feature("implied_supremacy", "odds"),
        feature(OBSERVED, "results", FLAG),
        feature("shots_for", "shots"),
        feature("shots_known", "shots", FLAG),
    ),
    context=(
        feature("home_elo", "results"),
        feature("odds_supremacy", "odds"),
        feature("odds_rated", "odds", FLAG),
        feature("shots_rated", "shots", FLAG),
        feature("is_cup", "results", FLAG),
        feature("shots_supremacy", "shots"),
        *(feature(name, "match_odds") for name in MATCH_ODDS),
    ),
)
PADDING = [0.0] * 6
BATCH = SequenceBatch(
    np.array([[PADDING, [2, 1, 0.5, 1, 11, 1], [3, 1, 0.25, 1, 12, 1]]], dtype=np.float32),
    np.array([[PADDING, PADDING, [4, 1, 0.125, 1, 13, 1]]], dtype=np.float32),
    np.array([[1500, 0.5, 1, 1, 1, 0.75, 0.5, 0.3, 0.2]], dtype=np.float32),
)
NAN = float("nan")


def test_hidden_odds_are_unknown_in_both_histories_and_the_context_and_padding_stays_zero() -> None:
    found = hide_groups(BATCH, SPEC, {"odds"})

    np.testing.assert_array_equal(
        found.home_history, [[PADDING, [2, 0, NAN, 1, 11, 1], [3, 0, NAN, 1, 12, 1]]]
    )
    np.testing.assert_array_equal(found.away_history, [[PADDING, PADDING, [4, 0, NAN, 1, 13, 1]]])
    np.testing.assert_array_equal(
        found.context, np.array([[1500, NAN, 0, 1, 1, 0.75, 0.5, 0.3, 0.2]], dtype=np.float32)
    )


def test_hidden_shots_and_odds_of_the_match_leave_the_past_odds() -> None:
    found = hide_groups(BATCH, SPEC, ("shots", "match_odds"))

    np.testing.assert_array_equal(
        found.home_history, [[PADDING, [2, 1, 0.5, 1, NAN, 0], [3, 1, 0.25, 1, NAN, 0]]]
    )
    np.testing.assert_array_equal(found.context, [[1500, 0.5, 1, 0, 1, NAN, NAN, NAN, NAN]])


def test_the_batch_given_is_not_changed_and_no_group_hides_nothing() -> None:
    before = [np.array(values) for values in (BATCH.home_history, BATCH.away_history, BATCH.context)]

    found = hide_groups(BATCH, SPEC, ())
    hide_groups(BATCH, SPEC, {"odds", "shots", "match_odds"})

    for batch in (found, BATCH):
        for name, values in zip(("home_history", "away_history", "context"), before, strict=True):
            np.testing.assert_array_equal(getattr(batch, name), values)
    assert found.context is not BATCH.context


def test_results_cannot_be_hidden() -> None:
    with pytest.raises(ValueError, match="cannot be hidden"):
        hide_groups(BATCH, SPEC, {"odds", "results"})


@pytest.mark.parametrize(
    ("groups", "tier"),
    [
        (set(), "results+shots+odds+match_odds"),
        ({"match_odds"}, "results+shots+odds"),
        ({"shots"}, "results+odds+match_odds"),
        ({"odds", "match_odds"}, "results+shots"),
        ({"shots", "match_odds"}, "results+odds"),
        ({"shots", "odds"}, "results+match_odds"),
        ({"shots", "odds", "match_odds"}, "results"),
    ],
)
def test_a_tier_names_the_groups_that_are_known(groups: set[FeatureGroup], tier: str) -> None:
    assert tier_of(hide_groups(BATCH, SPEC, groups).context, SPEC) == [tier]


def test_each_row_has_its_own_tier() -> None:
    hidden: list[FeatureGroup] = ["odds", "shots"]
    rows = [hide_groups(BATCH, SPEC, [group]).context for group in hidden]

    assert tier_of(np.concatenate(rows), SPEC) == ["results+shots+match_odds", "results+odds+match_odds"]


def test_a_specification_without_groups_has_results_only() -> None:
    old = FeatureSpec(
        history=DEFAULT_SPEC.history, context=tuple(f for f in SPEC.context if f.group == "results")
    )

    assert tier_of(np.ones((2, 2), dtype=np.float32), old) == ["results", "results"]
