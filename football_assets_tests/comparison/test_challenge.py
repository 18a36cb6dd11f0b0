"""A block of fixtures is forecast from what was known before its first day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.challenge import (
    STATE_TABLES,
    forecast_block,
    frozen_tensors,
    team_state_before,
)
from football_assets.errors import FootballError, NotEnoughData
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.tensors import SequenceTensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.sequences.tiers import hide_groups
from football_assets_tests.builders.planted import FIRST_DAY, MATCHES_A_DAY, SMALL, planted_tensors
from football_assets_tests.builders.team_states import ASKED, assert_same_bits
from football_assets_tests.builders.worlds import TRUNCATED, TRUTH, SimulatedCountries

TRUNCATED_COUNTRY = "de"
DAY = TRUNCATED[TRUNCATED_COUNTRY]


def state_tables(countries: SimulatedCountries, country: str) -> Mapping[str, pl.DataFrame]:
    tables = countries.tables.of(country)
    return {name: getattr(tables, name) for name in STATE_TABLES}


def fixtures_in(tensors: SequenceTensors) -> tuple[np.ndarray, pl.DataFrame]:
    """Rows and keys of the fixtures of the month after DAY."""
    days = tensors.days
    rows = np.flatnonzero((days >= np.datetime64(DAY)) & (days < np.datetime64(DAY + timedelta(days=30))))
    return rows, tensors.keys[rows].select(ASKED)


def test_a_block_is_encoded_as_in_the_tensors_of_a_world_that_knows_no_result_of_it(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    unplayed = countries.tensors(TRUNCATED_COUNTRY, tmp_path)
    rows, fixtures = fixtures_in(unplayed)
    assert len(rows) > 20
    assert not unplayed.played[rows].any()
    state = team_state_before(DAY, DEFAULT_SPEC, state_tables(countries, TRUNCATED_COUNTRY))

    frozen = frozen_tensors(state, fixtures, unplayed)

    assert_same_bits(frozen.take(np.arange(len(rows))), unplayed.take(rows))
    assert len(frozen) == len(frozen.goals) == len(frozen.market) == len(frozen.keys) == len(rows)
    assert not frozen.played.any()


def test_results_of_the_block_and_later_move_none_of_its_inputs(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    """TRUTH knows the results that are removed from the other country."""
    (tmp_path / "truth").mkdir()
    (tmp_path / "unplayed").mkdir()
    truth = countries.tensors(TRUTH, tmp_path / "truth")
    rows, fixtures = fixtures_in(truth)
    assert truth.played[rows].all()
    state = team_state_before(DAY, DEFAULT_SPEC, state_tables(countries, TRUTH))

    frozen = frozen_tensors(state, fixtures, truth)

    unplayed = countries.tensors(TRUNCATED_COUNTRY, tmp_path / "unplayed")
    same, _ = fixtures_in(unplayed)
    found, expected = (
        hide_groups(batch, DEFAULT_SPEC, OWN_ODDS)  # the challenge has no odds
        for batch in (frozen.take(np.arange(len(rows))), unplayed.take(same))
    )
    assert_same_bits(found, expected)


def test_a_newcomer_has_the_entry_rating_of_its_league_and_an_empty_history(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    truth = countries.tensors(TRUTH, tmp_path)
    _, fixtures = fixtures_in(truth)
    known = fixtures.filter(pl.col("league_id") == "eng.1").head(1)
    unknown = known.with_columns(away_team_id=pl.lit("eng:Nobody"))
    state = team_state_before(DAY, DEFAULT_SPEC, state_tables(countries, TRUTH))

    batch = frozen_tensors(state, unknown, truth).take(np.array([0]))

    entry = state.filter(pl.col("team_id").is_null(), pl.col("league_id") == "eng.1")
    elo = batch.context[0, DEFAULT_SPEC.context_names.index("away_elo")]
    assert elo == np.float32(entry["league_entry_elo"][0])
    assert not batch.away_history.any()
    assert batch.home_history.any()


def test_a_league_without_a_result_is_named(countries: SimulatedCountries, tmp_path: Path) -> None:
    truth = countries.tensors(TRUTH, tmp_path)
    _, fixtures = fixtures_in(truth)
    state = team_state_before(DAY, DEFAULT_SPEC, state_tables(countries, TRUTH))
    strange = fixtures.head(2).with_columns(league_id=pl.Series(["eng.1", "fr.3"]))

    with pytest.raises(
        FootballError, match=r"no result before the first day of the test in fr\.3: add results"
    ):
        frozen_tensors(state, strange, truth)


def test_forecasts_are_means_over_seeds_of_networks_that_know_no_later_result() -> None:
    tensors = planted_tensors()
    start = FIRST_DAY + timedelta(days=1200 // MATCHES_A_DAY)
    rows = np.arange(1200, 1300)
    fixtures = replace(
        tensors,
        **{
            name: getattr(tensors, name)[rows]
            for name in ("home_span", "away_span", "context", "outcome", "goals")
        },
        keys=tensors.keys[rows],
    )
    later = np.array(tensors.outcome)
    later[1200:] = np.where(later[1200:] >= 0, 2, later[1200:])
    config = SMALL.model_copy(update={"epochs": 1})

    first, second = (forecast_block(tensors, fixtures, start, config, seeds=(seed,)) for seed in (1, 2))
    both = forecast_block(replace(tensors, outcome=later), fixtures, start, config, seeds=(1, 2))

    assert np.abs(first.probabilities - second.probabilities).max() > 1e-3
    np.testing.assert_allclose(both.probabilities, (first.probabilities + second.probabilities) / 2)
    np.testing.assert_allclose(both.expected_goals, (first.expected_goals + second.expected_goals) / 2)
    np.testing.assert_allclose(both.probabilities.sum(axis=1), 1, atol=1e-6)
    assert both.expected_goals.shape == (100, 2)


def test_a_first_day_before_the_results_is_told() -> None:
    tensors = planted_tensors()

    with pytest.raises(NotEnoughData):
        forecast_block(tensors, tensors, date(2000, 1, 1), SMALL)
