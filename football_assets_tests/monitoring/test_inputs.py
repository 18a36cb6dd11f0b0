"""What differs from the reference beyond ordinary windows is found."""

import numpy as np
import polars as pl
import pytest

from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.inputs import (
    column_distances,
    column_quality,
    forecasts_that_are_none,
    judge_columns,
    judge_quality,
)
from football_assets.monitoring.matching import CALENDAR, Comparison, compare_like_with_like
from football_assets.monitoring.schema import FORECAST
from football_assets.monitoring.summary import Finding
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets_tests.builders.prediction_logs import reference_like

CONFIG = DriftConfig()
REFERENCE = reference_like(4000)
WINDOW = reference_like(400, seed=1)
SCALE = {feature.name: (feature.upper - feature.lower) / 12 for feature in DEFAULT_SPEC.context}


def compare(window: pl.DataFrame, reference: pl.DataFrame = REFERENCE) -> Comparison:
    return compare_like_with_like(window, reference, DEFAULT_SPEC, seed=0)


def verdict(window: pl.DataFrame, reference: pl.DataFrame = REFERENCE) -> Finding:
    columns = column_distances(compare(window, reference), DEFAULT_SPEC, CONFIG)
    return judge_columns(columns, CONFIG, "")


def quality(window: pl.DataFrame) -> Finding:
    comparison = compare(window)
    return judge_quality(column_quality(comparison, DEFAULT_SPEC), window, CONFIG)


def test_a_window_like_the_training_is_no_drift() -> None:
    found = verdict(WINDOW)

    assert not found.drifted
    assert found.note.startswith("0 of ")


def test_another_mix_of_leagues_is_no_drift_although_leagues_differ() -> None:
    german = WINDOW.filter(league_id="de.1")
    pooled = compare(
        german.with_columns(league_id=pl.lit("all")), REFERENCE.with_columns(league_id=pl.lit("all"))
    )

    assert judge_columns(column_distances(pooled, DEFAULT_SPEC, CONFIG), CONFIG, "").drifted
    assert not verdict(german).drifted


def test_another_phase_of_the_season_is_no_drift_although_phases_differ() -> None:
    def phased(matches: pl.DataFrame) -> pl.DataFrame:
        early = pl.col("home_season_played") <= 5
        names = [name for name in DEFAULT_SPEC.context_names if name not in CALENDAR]
        return matches.with_columns(
            pl.when(early).then(pl.col(name) + SCALE[name]).otherwise(name).alias(name) for name in names
        )

    opening = phased(reference_like(2000, seed=2)).filter(pl.col("home_season_played").is_between(1, 5))
    whole = phased(REFERENCE)
    unmatched = compare(opening.with_columns(home_season_played=20.0), whole)

    assert judge_columns(column_distances(unmatched, DEFAULT_SPEC, CONFIG), CONFIG, "").drifted
    assert not verdict(opening, whole).drifted


def test_inputs_that_have_moved_are_found_and_named() -> None:
    moved = [
        name
        for name in DEFAULT_SPEC.context_names
        if name.startswith(("home_", "away_")) and name not in CALENDAR
    ]
    window = WINDOW.with_columns(pl.col(name) + 1.2 * SCALE[name] for name in moved)

    columns = column_distances(compare(window), DEFAULT_SPEC, CONFIG)
    found = judge_columns(columns, CONFIG, "Said aside.")

    assert {column.name for column in columns if column.drifted} == set(moved)
    assert found.drifted
    assert found.note.startswith(f"{len(moved)} of {len(columns)} columns")
    assert found.note.endswith("Said aside.")


def test_a_distance_is_in_standard_deviations_of_the_reference() -> None:
    window = compare(WINDOW)
    shifted = compare(WINDOW.with_columns(home_elo=pl.col("home_elo") + 500))
    deviation = shifted.reference["home_elo"].to_numpy().std()

    (plain,), (moved,) = (
        [column for column in column_distances(item, DEFAULT_SPEC, CONFIG) if column.name == "home_elo"]
        for item in (window, shifted)
    )

    assert moved.distance == pytest.approx(500 / deviation, abs=plain.distance + 0.01)
    assert moved.mean - plain.mean == pytest.approx(500, abs=1)


def test_one_column_beyond_any_season_is_drift_by_itself() -> None:
    found = verdict(WINDOW.with_columns(away_elo=pl.col("away_elo") * 0 + 100.0))

    assert found.drifted
    assert "beyond any season: away_elo" in found.note


def test_a_leagues_mean_goals_are_no_drift_by_themselves() -> None:
    still = REFERENCE.with_columns(league_home_goals=pl.lit(1.5) + pl.col("home_elo") * 1e-6)

    found = verdict(WINDOW.filter(league_id="de.1").with_columns(league_home_goals=pl.lit(1.8)), still)

    assert "league_home_goals" in found.note
    assert not found.drifted


def test_a_window_of_few_teams_must_differ_by_more() -> None:
    teams = pl.col("home_team_id") == WINDOW["home_team_id"][0]
    few = pl.concat([WINDOW.filter(teams)] * 20).with_columns(away_team_id=pl.lit("eng.1:another"))
    scale = (4000 - 0) / 12
    shifted = pl.col("home_elo") + 0.8 * scale

    def threshold(window: pl.DataFrame) -> tuple[float, bool]:
        columns = column_distances(compare(window), DEFAULT_SPEC, CONFIG)
        (elo,) = [column for column in columns if column.name == "home_elo"]
        return elo.threshold, elo.drifted

    assert threshold(few.with_columns(home_elo=shifted)) == (pytest.approx(2.5), False)
    assert threshold(WINDOW.with_columns(home_elo=shifted))[1]


def test_forecasts_are_compared_and_the_calendar_is_not() -> None:
    names = {column.name for column in column_distances(compare(WINDOW), DEFAULT_SPEC, CONFIG)}

    assert set(FORECAST) <= names
    assert not names & CALENDAR


def test_values_that_are_missing_more_often_than_in_training_are_found() -> None:
    missing = WINDOW.with_columns(home_elo=pl.when(pl.int_range(pl.len()) % 2 == 0).then("home_elo"))

    found = quality(missing)

    assert found.drifted
    assert found.note == "home_elo (50% missing, 0% out of range)."
    assert not quality(WINDOW).drifted


def test_values_that_were_missing_in_training_too_are_no_drift() -> None:
    def half(matches: pl.DataFrame) -> pl.DataFrame:
        return matches.with_columns(home_elo=pl.when(pl.int_range(pl.len()) % 2 == 0).then("home_elo"))

    comparison = compare(half(WINDOW), half(REFERENCE))
    found = judge_quality(column_quality(comparison, DEFAULT_SPEC), WINDOW, CONFIG)

    assert not found.drifted


def test_values_out_of_range_and_inputs_that_are_gone_are_found() -> None:
    found = quality(WINDOW.with_columns(home_points_10=pl.lit(7.0)).drop("away_elo"))

    assert "home_points_10 (0% missing, 100% out of range)" in found.note
    assert "away_elo (100% missing, 0% out of range)" in found.note


@pytest.mark.parametrize(
    "broken",
    [
        {"p_home": 0.9},
        {"p_home": None},
        {"p_home": -0.1, "p_draw": 0.6, "p_away": 0.5},
        {"xg_home": 0.0},
        {"xg_away": np.inf},
    ],
)
def test_forecasts_that_are_no_probabilities_or_goals_are_found(broken: dict[str, float | None]) -> None:
    window = WINDOW.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value, pl.Float64)).otherwise(name).alias(name)
        for name, value in broken.items()
    )

    assert forecasts_that_are_none(window) == 1
    assert quality(window).note == "1 forecasts are not probabilities and goals."
    assert forecasts_that_are_none(WINDOW) == 0


def test_a_window_whose_part_of_the_reference_is_small_must_differ_by_more() -> None:
    opening = {"home_season_played": 0.0, "away_season_played": 0.0}
    few = reference_like(16, seed=5, leagues=["eng.1"]).with_columns(
        **{name: pl.lit(0.0) for name in opening}
    )
    window = reference_like(300, seed=6, leagues=["eng.1"]).with_columns(
        **{name: pl.lit(0.0) for name in opening}
    )
    reference = pl.concat([REFERENCE.filter(pl.col("home_season_played") > 0), few])

    columns = column_distances(compare(window, reference), DEFAULT_SPEC, CONFIG)

    teams = window.select(pl.concat_list("home_team_id", "away_team_id").explode().n_unique()).item()
    (elo,) = [column for column in columns if column.name == "home_elo"]
    assert elo.threshold == pytest.approx(2.5 * np.sqrt(1 / teams + 1 / 16))
    assert not judge_columns(columns, CONFIG, "").drifted


def test_teams_whose_matches_have_become_many_are_no_drift() -> None:
    known = {f"{side}_matches_known": pl.lit(500.0) for side in ("home", "away")}
    comparison = compare(WINDOW.with_columns(**known))

    assert not judge_columns(column_distances(comparison, DEFAULT_SPEC, CONFIG), CONFIG, "").drifted
    columns = {column.name for column in column_distances(comparison, DEFAULT_SPEC, CONFIG)}
    assert not columns & set(known)
    assert not judge_quality(column_quality(comparison, DEFAULT_SPEC), WINDOW, CONFIG).drifted


def test_matches_known_that_are_missing_are_found() -> None:
    missing = pl.lit(None, dtype=pl.Float64)
    comparison = compare(WINDOW.with_columns(home_matches_known=missing))

    found = judge_quality(column_quality(comparison, DEFAULT_SPEC), WINDOW, CONFIG)

    assert found.note == "home_matches_known (100% missing, 0% out of range)."
