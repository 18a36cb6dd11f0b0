"""The columns of `prediction_log`: types, descriptions, and which columns are inputs of a model."""

import polars as pl

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.monitoring.schema import FORECAST, LOG_DESCRIPTIONS, LOG_SCHEMA, UNNAMED, feature_columns
from football_assets.sequences.spec import DEFAULT_SPEC


def test_every_column_has_a_description_that_is_a_sentence() -> None:
    assert list(LOG_DESCRIPTIONS) == list(LOG_SCHEMA)
    assert all(text.endswith(".") for text in LOG_DESCRIPTIONS.values())
    assert len(set(LOG_DESCRIPTIONS.values())) == len(LOG_SCHEMA)


def test_times_are_utc_and_the_inputs_without_names_are_a_list() -> None:
    assert LOG_SCHEMA["time"] == pl.Datetime("us", "UTC")
    assert LOG_SCHEMA["kickoff_date"] == pl.Date
    assert LOG_SCHEMA[UNNAMED] == pl.List(pl.Float32)
    assert {LOG_SCHEMA[name] for name in FORECAST} == {pl.Float64}


def test_a_forecast_is_the_probabilities_and_the_expected_goals_in_order() -> None:
    assert FORECAST == ("p_home", "p_draw", "p_away", "xg_home", "xg_away")
    assert (*PROBABILITY_COLUMNS, *EXPECTED_GOALS_COLUMNS) == FORECAST


def test_inputs_are_the_columns_that_the_log_itself_does_not_have() -> None:
    log = pl.DataFrame(schema={**LOG_SCHEMA, "home_elo": pl.Float64, "away_elo": pl.Float64})

    assert feature_columns(log) == ["home_elo", "away_elo"]
    assert feature_columns(log.select("away_elo", "line", "home_elo")) == ["away_elo", "home_elo"]
    assert feature_columns(pl.DataFrame(schema=LOG_SCHEMA)) == []


def test_no_input_of_a_model_has_the_name_of_a_column_of_the_log() -> None:
    assert not set(DEFAULT_SPEC.context_names) & set(LOG_SCHEMA)
