"""CatBoost on pi-ratings: trained on five years, without the test period, and better than the class prior."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from football_assets.comparison.pi_catboost import (
    TRAINING_DAYS,
    PiCatBoostRival,
    pi_features,
    recent_rows,
)
from football_assets.comparison.rival import RivalForecasts
from football_assets.domain.scoring_rules import log_loss
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import class_prior
from football_assets.training.config import SplitConfig
from football_assets.training.split import TimeSplit, split_by_time
from football_assets_tests.builders.planted import SMALL, planted_tensors

pytest.importorskip("catboost", reason="CatBoost is in the extra compare")


@pytest.fixture(scope="module")
def split(tensors: SequenceTensors) -> TimeSplit:
    return split_by_time(tensors, SplitConfig(test_share=0.25))


@pytest.fixture(scope="module")
def found(tensors: SequenceTensors, split: TimeSplit) -> RivalForecasts:
    return PiCatBoostRival().forecast(tensors, split, split.test)


def test_it_learns_the_strengths_of_the_teams(
    tensors: SequenceTensors, split: TimeSplit, found: RivalForecasts
) -> None:
    outcomes = tensors.outcome[split.test]

    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    prior = log_loss(class_prior(tensors, split.train, split.test), outcomes)
    assert log_loss(found.probabilities, outcomes) < prior - 0.01
    assert "CatBoost on pi-ratings: " in found.note


def test_results_of_the_test_period_do_not_reach_its_first_day(
    tensors: SequenceTensors, split: TimeSplit, found: RivalForecasts
) -> None:
    goals, outcome = np.array(tensors.goals), np.array(tensors.outcome)
    goals[split.test], outcome[split.test] = (9, 0), 0
    first = split.test[tensors.days[split.test] == tensors.days[split.test[0]]]

    other = PiCatBoostRival().forecast(replace(tensors, goals=goals, outcome=outcome), split, first)

    np.testing.assert_array_equal(other.probabilities, found.probabilities[: len(first)])


def test_clubs_of_two_countries_with_one_name_are_two_teams() -> None:
    planted = planted_tensors(60)
    one, other = planted.keys["home_team"][0], planted.keys["away_team"][0]
    abroad = pl.int_range(pl.len()) == 59
    keys = planted.keys.with_columns(
        league_id=pl.when(abroad).then(pl.lit("sco.1")).otherwise("league_id"),
        home_team=pl.when(abroad).then(pl.lit(one)).otherwise("home_team"),
        away_team=pl.when(abroad).then(pl.lit(other)).otherwise("away_team"),
    )

    features = pi_features(replace(planted_played(planted), keys=keys))

    assert features[:59].any()
    assert not features[59].any()


def planted_played(tensors: SequenceTensors) -> SequenceTensors:
    """The tensors with a result, 3–0, for every match."""
    return replace(
        tensors,
        goals=np.tile(np.array([3, 0], dtype=np.int16), (len(tensors), 1)),
        outcome=np.zeros(len(tensors), dtype=np.int64),
    )


def test_training_matches_are_those_of_the_last_five_years(tensors: SequenceTensors) -> None:
    train = np.arange(4)
    last = date(2020, 1, 1)
    days = [last - timedelta(days=off) for off in (TRAINING_DAYS + 1, TRAINING_DAYS, TRAINING_DAYS - 1, 0)]
    keys = tensors.keys.with_columns(kickoff_date=pl.Series([*days, *[last] * (len(tensors) - 4)]))

    assert recent_rows(replace(tensors, keys=keys), train).tolist() == [2, 3]


def test_progress_counts_trees() -> None:
    planted, seen = planted_tensors(), list[tuple[int, int]]()
    split = split_by_time(planted, SMALL.split)

    PiCatBoostRival().forecast(planted, split, split.test[:1], lambda *done: seen.append(done))

    assert seen[0] == (1, 1000)
    assert len(seen) > 1
