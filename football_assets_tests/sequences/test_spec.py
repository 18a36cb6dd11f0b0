"""The feature specification: saved and read whole, and consistent in itself."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from football_assets.sequences.spec import (
    DEFAULT_SPEC,
    HOME_ADVANTAGE_SHIFT,
    OBSERVED,
    Feature,
    FeatureSpec,
    both_sides,
)


def test_a_saved_specification_is_read_back_equal(tmp_path: Path) -> None:
    spec = DEFAULT_SPEC.model_copy(update={"history_length": 7, "version": 2})

    spec.save(tmp_path)

    assert FeatureSpec.load(tmp_path) == spec
    assert FeatureSpec.load(tmp_path) != DEFAULT_SPEC
    assert [path.name for path in tmp_path.iterdir()] == ["feature_spec.json"]


def test_a_specification_written_before_there_were_groups_has_results_only(tmp_path: Path) -> None:
    DEFAULT_SPEC.save(tmp_path)
    path = tmp_path / "feature_spec.json"
    content = json.loads(path.read_text())
    for feature in (*content["history"], *content["context"]):
        del feature["group"]
    path.write_text(json.dumps(content))

    spec = FeatureSpec.load(tmp_path)

    assert {feature.group for feature in (*spec.history, *spec.context)} == {"results"}
    assert spec.context_names == DEFAULT_SPEC.context_names


def test_no_name_is_given_twice_and_every_feature_has_a_range_and_a_meaning() -> None:
    for features in (DEFAULT_SPEC.history, DEFAULT_SPEC.context):
        assert len({feature.name for feature in features}) == len(features)
        assert all(feature.lower < feature.upper for feature in features)
        assert all(feature.description and feature.unit for feature in features)


def test_home_and_away_team_have_the_same_features_side_by_side() -> None:
    names = [name for name in DEFAULT_SPEC.context_names if name != HOME_ADVANTAGE_SHIFT]
    sides = [name for name in names if name.startswith(("home_", "away_"))]

    assert [name.removeprefix("home_") for name in sides[::2]] == [
        name.removeprefix("away_") for name in sides[1::2]
    ]


def test_a_feature_of_both_sides_is_that_of_the_home_team_then_that_of_the_away_team() -> None:
    home, away = both_sides("rest_days", "days", 0, 30, "Days since the last match played")

    assert [home, away] == [
        Feature(
            name=f"{side}_rest_days",
            unit="days",
            lower=0,
            upper=30,
            description=f"Days since the last match played, {side} team.",
        )
        for side in ("home", "away")
    ]
    assert {home, away} <= set(DEFAULT_SPEC.context)


def test_a_history_marks_its_padding() -> None:
    assert OBSERVED in DEFAULT_SPEC.history_names


def test_a_history_of_no_match_is_refused() -> None:
    with pytest.raises(ValidationError, match="history_length"):
        FeatureSpec(history_length=0, history=DEFAULT_SPEC.history, context=DEFAULT_SPEC.context)
