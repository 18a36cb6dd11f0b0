"""The checks of the tensors find what they are for."""

import shutil
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from dagster import AssetCheckResult, AssetChecksDefinition

from football_assets.sequences.checks import tensors_finite, tensors_left_padded
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries

HISTORY = DEFAULT_SPEC.history_names
CONTEXT = DEFAULT_SPEC.context_names


def check(definition: AssetChecksDefinition, folder: Path) -> AssetCheckResult:
    return cast(AssetCheckResult, definition(folder))


@pytest.fixture(scope="module")
def tensors_folder(countries: SimulatedCountries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensors")
    countries.tensors(TRUTH, folder)
    return folder


@pytest.fixture
def folder(tensors_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tensors_folder, tmp_path / "tensors"))


def spoil(folder: Path, name: str, index: tuple[int, ...], value: float) -> None:
    array = np.load(folder / f"{name}.npy")
    array[index] = value
    np.save(folder / f"{name}.npy", array)


def test_the_tensors_of_a_simulated_country_are_sound(folder: Path) -> None:
    assert check(tensors_finite, folder).passed
    assert check(tensors_left_padded, folder).passed


@pytest.mark.parametrize(
    ("name", "index", "value", "sound"),
    [
        ("past", (700, HISTORY.index("elo")), np.nan, False),
        ("past", (700, HISTORY.index("implied_goals_for")), np.nan, True),
        ("past", (700, HISTORY.index("implied_goals_for")), np.inf, False),
        ("past", (700, HISTORY.index("odds_known")), np.nan, False),
        ("past", (700, HISTORY.index("shots_for")), np.nan, True),
        ("past", (700, HISTORY.index("shots_known")), np.nan, False),
        ("context", (700, CONTEXT.index("odds_supremacy")), np.nan, True),
        ("context", (700, CONTEXT.index("odds_rated")), np.nan, False),
        ("context", (700, CONTEXT.index("is_cup")), np.nan, False),
        ("market", (700, 1), np.nan, True),
        ("market", (700, 1), np.inf, False),
        ("past", (700, HISTORY.index("goals_for")), np.inf, False),
        ("past", (700, HISTORY.index("rest_days")), np.nan, True),
        ("past", (700, HISTORY.index("rest_days")), np.inf, False),
        ("context", (700, 0), np.nan, True),
        ("context", (700, 0), -np.inf, False),
    ],
)
def test_a_number_that_is_not_finite_is_found_where_it_may_not_be(
    folder: Path, name: str, index: tuple[int, ...], value: float, sound: bool
) -> None:
    spoil(folder, name, index, value)

    result = check(tensors_finite, folder)

    assert result.passed is sound
    assert result.metadata["bad_numbers"].value == (0 if sound else 1)


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("past", (700, HISTORY.index("observed")), 0),
        ("past", (-1, HISTORY.index("goals_for")), 1),
        ("home_span", (700, 0), -1),
        ("away_span", (700, 1), -1),
        ("away_span", (700, 1), 1_000_000),
    ],
)
def test_a_history_with_a_gap_or_with_matches_that_are_not_there_is_found(
    folder: Path, name: str, index: tuple[int, ...], value: float
) -> None:
    spoil(folder, name, index, value)

    assert not check(tensors_left_padded, folder).passed
