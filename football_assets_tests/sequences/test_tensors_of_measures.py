"""Tensors of matches with odds and statistics: nothing from the future, and hidden groups are as if never landed."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from football_assets.domain.bookmaker_margin import power_probabilities
from football_assets.domain.measures import CLOSING_ODDS, MEASURE_COLUMNS, PRE_MATCH_ODDS, STATISTIC_COLUMNS
from football_assets.sequences.encoder import SequenceBatch
from football_assets.sequences.spec import DEFAULT_SPEC, FLAG, MATCH_ODDS, FeatureGroup
from football_assets.sequences.tensors import SequenceTensors, open_tensors
from football_assets.sequences.tiers import hide_groups, tier_of
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.measured_worlds import permuted_from, with_measures, without_measures
from football_assets_tests.builders.worlds import build_tables, in_country, simulated_country

PERMUTED_FROM = date(2011, 9, 18)  # a day with matches of both tiers
INPUTS = ("home_history", "away_history", "context")
PAST: tuple[FeatureGroup, ...] = ("odds", "shots")
ODDS = [name for name in MEASURE_COLUMNS if name not in STATISTIC_COLUMNS]

Worlds = Callable[[str], SequenceTensors]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The tensors of one history, each in a country of its own: as it is, without measures, and permuted."""
    folder = tmp_path_factory.mktemp("measures")
    truth = with_measures(simulated_country("eng", seasons=2, teams=8))
    never, only_odds, only_statistics = (
        truth.with_columns(pl.lit(None).cast(truth.schema[name]).alias(name) for name in names)
        for names in (MEASURE_COLUMNS, STATISTIC_COLUMNS, ODDS)
    )
    conditions = {
        "de": never.with_columns(pl.lit(None, pl.Float64).alias(f"odds_{name}") for name in OUTCOMES),
        "es": only_odds,
        "fr": only_statistics.with_columns(
            pl.lit(None, pl.Float64).alias(f"odds_{name}") for name in OUTCOMES
        ),
        "it": permuted_from(truth, PERMUTED_FROM),
        "nl": without_measures(truth, pl.col("kickoff_date") >= PERMUTED_FROM),
    }
    matches = [truth, *(in_country(world, country) for country, world in conditions.items())]
    tables = build_tables(open_bucket(str(folder / "bucket")), pl.concat(matches), folder / "scratch")
    written: dict[str, SequenceTensors] = {}
    for country in ("eng", *conditions):
        (folder / country).mkdir()
        tables.of(country).write_tensors(folder / country)
        written[country] = open_tensors(folder / country)
    return written.__getitem__


OUTCOMES = ("home", "draw", "away")


def batch_of(tensors: SequenceTensors) -> SequenceBatch:
    return tensors.take(np.arange(len(tensors)))


def assert_same_inputs(found: SequenceBatch, expected: SequenceBatch) -> None:
    for name, features in zip(
        INPUTS, (DEFAULT_SPEC.history, DEFAULT_SPEC.history, DEFAULT_SPEC.context), strict=True
    ):
        left, right = (getattr(batch, name) for batch in (found, expected))
        differ = [
            feature.name
            for number, feature in enumerate(features)
            if not np.array_equal(left[..., number], right[..., number], equal_nan=True)
        ]
        assert differ == [], name


@pytest.mark.parametrize(
    ("groups", "country"),
    [
        (("odds", "shots", "match_odds"), "de"),
        (("shots",), "es"),
        (("odds", "match_odds"), "fr"),
    ],
)
def test_hidden_groups_are_as_if_they_had_never_landed(
    worlds: Worlds, groups: tuple[FeatureGroup, ...], country: str
) -> None:
    found = hide_groups(batch_of(worlds("eng")), DEFAULT_SPEC, groups)

    assert_same_inputs(found, batch_of(worlds(country)))


def test_the_world_has_matches_of_every_tier(worlds: Worlds) -> None:
    tiers = set(tier_of(worlds("eng").context, DEFAULT_SPEC))

    assert {"results", "results+odds", "results+shots+odds", "results+shots+odds+match_odds"} <= tiers
    assert set(tier_of(worlds("de").context, DEFAULT_SPEC)) == {"results"}
    assert {tier.partition("+")[2] for tier in tier_of(worlds("fr").context, DEFAULT_SPEC)} == {"", "shots"}


@pytest.mark.parametrize("country", ["it", "nl"])
def test_results_odds_and_statistics_from_a_day_on_move_no_input_until_that_day(
    worlds: Worlds, country: str
) -> None:
    truth, other = worlds("eng"), worlds(country)
    until = truth.days <= np.datetime64(PERMUTED_FROM)
    on_the_day = truth.days == np.datetime64(PERMUTED_FROM)
    assert (until.sum(), on_the_day.sum(), (~until).sum()) >= (100, 4, 30)
    before, after = (
        hide_groups(batch_of(tensors), DEFAULT_SPEC, ["match_odds"]) for tensors in (truth, other)
    )

    for name in INPUTS:
        left, right = (getattr(batch, name) for batch in (before, after))
        assert np.array_equal(left[until], right[until], equal_nan=True), name
        moved = (left[~until] != right[~until]) & ~(np.isnan(left[~until]) & np.isnan(right[~until]))
        assert moved.reshape(len(moved), -1).any(axis=1).mean() > 0.8, name


def test_odds_of_a_match_are_its_own_input_and_label_and_closing_odds_are_no_input(worlds: Worlds) -> None:
    tensors = worlds("eng")
    columns = [DEFAULT_SPEC.context_names.index(name) for name in MATCH_ODDS]
    odds = tensors.keys.select(PRE_MATCH_ODDS).to_numpy()
    known = ~np.isnan(odds).any(axis=1)

    found = tensors.context[:, columns]

    np.testing.assert_allclose(found[known], power_probabilities(odds[known]), rtol=1e-6)
    closing, labelled = (
        np.asarray(~np.isnan(values).any(axis=1))
        for values in (tensors.keys.select(CLOSING_ODDS).to_numpy(), tensors.market)
    )
    assert (closing & tensors.played).sum() > 50
    assert labelled[closing & tensors.played].all()
    assert not labelled[~tensors.played].any()
    assert known[~tensors.played].any()
    np.testing.assert_allclose(tensors.market[labelled, :3].sum(axis=1), 1, atol=1e-5)


def test_labels_are_the_closing_probabilities_where_they_are_on_file(worlds: Worlds) -> None:
    tensors = worlds("eng")
    inverse = 1 / tensors.keys.select(CLOSING_ODDS).to_numpy()
    expected = inverse / inverse.sum(axis=1, keepdims=True)
    known = np.flatnonzero(~np.isnan(expected).any(axis=1) & tensors.played)

    home, draw, away, home_goals, away_goals = np.array(tensors.market)[known].T

    np.testing.assert_allclose(np.stack([home, draw, away], axis=1), expected[known], atol=1e-5)
    assert np.corrcoef(np.log(home_goals / away_goals), home - away)[0, 1] > 0.95


def test_a_debutant_has_an_empty_history_that_no_later_match_fills(worlds: Worlds) -> None:
    """The span of a team without an earlier match is (0, 0): its first row is another team's."""
    tensors = worlds("eng")
    first = (tensors.home_span == 0).all(axis=1)
    assert first.sum() >= 6

    home = tensors.take(np.flatnonzero(first)).home_history

    assert not home.any()


def test_flags_are_never_unknown(worlds: Worlds) -> None:
    tensors = worlds("eng")
    past, context = (
        [number for number, feature in enumerate(features) if feature.unit == FLAG]
        for features in (DEFAULT_SPEC.history, DEFAULT_SPEC.context)
    )

    assert np.isin(tensors.past[:, past], (0, 1)).all()
    assert np.isin(tensors.context[:, context], (0, 1)).all()


def test_past_odds_and_shots_are_beside_the_result_of_their_match(worlds: Worlds) -> None:
    tensors = worlds("eng")
    names = DEFAULT_SPEC.history_names
    past = dict(zip(names, tensors.past[:-1].T, strict=True))

    known = past["odds_known"] == 1
    assert 0.2 < known.mean() < 1
    difference = past["goals_for"] - past["goals_against"]
    implied = past["implied_goals_for"] - past["implied_goals_against"]
    np.testing.assert_allclose(past["odds_surprise"][known], (difference - implied)[known], atol=1e-4)
    np.testing.assert_allclose(
        past["implied_supremacy"][known],
        np.log(past["implied_goals_for"] / past["implied_goals_against"])[known],
        atol=1e-4,
    )
    assert np.isnan(past["implied_goals_for"][~known]).all()
    seen = past["shots_known"] == 1
    assert 0.2 < seen.mean() < 1
    assert (past["shots_on_target_for"] >= past["goals_for"])[seen].all()
    assert (past["shots_on_target_against"] >= past["goals_against"])[seen].all()
    assert np.isnan(past["shots_for"][~seen]).all()
