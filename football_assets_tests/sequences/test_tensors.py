"""Sequence tensors on disk: rows in order, results beside inputs, nothing from the future."""

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from football_assets.errors import FootballError
from football_assets.sequences.columns import KEY_COLUMNS, columns_read
from football_assets.sequences.encoder import SequenceBatch, history_rows, is_in_pairs
from football_assets.sequences.home_advantage import home_advantage_shift
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, FeatureSpec
from football_assets.sequences.tensors import ARRAYS, SequenceTensors, open_tensors, write_tensors
from football_assets.sequences.tiers import hide_groups
from football_assets_tests.builders.worlds import (
    REWRITTEN,
    REWRITTEN_FROM,
    TRUTH,
    FeatureTables,
    SimulatedCountries,
    home_teams_lose,
    several,
)

INPUTS = ("home_history", "away_history", "context")


def inputs_of(tensors: SequenceTensors) -> SequenceBatch:
    return tensors.take(np.arange(len(tensors)))


@pytest.fixture(scope="module")
def tables(countries: SimulatedCountries) -> FeatureTables:
    return countries.tables.of(TRUTH)


@pytest.fixture(scope="module")
def tensors(countries: SimulatedCountries, tmp_path_factory: pytest.TempPathFactory) -> SequenceTensors:
    return countries.tensors(TRUTH, tmp_path_factory.mktemp("tensors"))


def test_there_is_a_row_a_match_in_order_of_kick_off(tables: FeatureTables, tensors: SequenceTensors) -> None:
    expected = tables.match_features.sort("kickoff_date", "league_id", "match_id")

    assert tensors.keys["match_id"].to_list() == expected["match_id"].to_list()
    assert tensors.keys.columns == list(KEY_COLUMNS)
    batch = inputs_of(tensors)
    assert (
        batch.home_history.shape == batch.away_history.shape == (len(expected), 10, len(DEFAULT_SPEC.history))
    )
    assert tensors.context.shape == (len(expected), len(DEFAULT_SPEC.context))
    assert len(tensors) == len(expected)
    assert tensors.spec == DEFAULT_SPEC


def test_results_are_beside_their_match_and_minus_one_before_it(
    tables: FeatureTables, tensors: SequenceTensors
) -> None:
    scores = tables.stg_matches.select("match_id", "home_goals", "away_goals", "is_played")
    known = tensors.keys.select("match_id").join(scores, on="match_id", how="left", maintain_order="left")
    home, away, played = (known[name].to_numpy() for name in ("home_goals", "away_goals", "is_played"))

    np.testing.assert_array_equal(tensors.played, played)
    np.testing.assert_array_equal(tensors.goals[played], np.stack([home, away], axis=1)[played])
    np.testing.assert_array_equal(
        tensors.outcome[played], np.select([home > away, home == away], [0, 1], 2)[played]
    )
    assert set(tensors.outcome[~played].tolist()) == {-1}
    assert set(tensors.goals[~played].ravel().tolist()) == {-1}
    assert (tensors.outcome.dtype, tensors.goals.dtype, tensors.context.dtype) == (
        np.int64,
        np.int16,
        np.float32,
    )


def test_the_arrays_are_mapped_and_rows_are_taken_as_copies(tensors: SequenceTensors) -> None:
    rows = np.array([5, 700, 3])

    batch, whole = tensors.take(rows), inputs_of(tensors)

    for name in ARRAYS:
        assert isinstance(getattr(tensors, name), np.memmap), name
    for name in INPUTS:
        assert not isinstance(getattr(batch, name), np.memmap)
        np.testing.assert_array_equal(getattr(batch, name), getattr(whole, name)[rows])


def test_a_past_match_is_stored_once_a_team(tables: FeatureTables, tensors: SequenceTensors) -> None:
    played = tables.team_matches.filter("is_played").sort("team_id", "kickoff_date")

    assert len(tensors.past) == len(played) + 1
    goals = [DEFAULT_SPEC.history_names.index(name) for name in ("goals_for", "goals_against")]
    np.testing.assert_array_equal(
        tensors.past[:-1, goals], played.select("goals_for", "goals_against").to_numpy()
    )
    assert not tensors.past[-1].any()


def test_the_context_is_the_row_of_match_features(tables: FeatureTables, tensors: SequenceTensors) -> None:
    features = tables.match_features.sort("kickoff_date", "league_id", "match_id")

    for number, name in enumerate(DEFAULT_SPEC.context_names):
        if name not in features.columns:  # computed from ratings, odds, or the results of all leagues
            continue
        expected = features[name].cast(pl.Float32).fill_null(np.nan).to_numpy()
        np.testing.assert_array_equal(tensors.context[:, number], expected, err_msg=name)


def test_home_advantage_of_all_countries_is_beside_every_match(
    countries: SimulatedCountries, tmp_path: Path
) -> None:
    """One country's results change: home teams lose there, and the other country's matches know it."""
    folders = [tmp_path / name for name in ("before", "after")]
    for folder in folders:
        folder.mkdir()
    lost = home_teams_lose(several(countries.tables, REWRITTEN))
    parts = (countries.tables.of(TRUTH), lost)
    tables = FeatureTables(
        *(pl.concat([getattr(part, f.name) for part in parts]) for f in fields(FeatureTables))
    )
    several(countries.tables, TRUTH, REWRITTEN).write_tensors(folders[0])
    tables.write_tensors(folders[1])
    before, again = (open_tensors(folder) for folder in folders)
    assert not np.array_equal(again.context, before.context)
    shift = again.context[:, DEFAULT_SPEC.context_names.index(HOME_ADVANTAGE_SHIFT)]
    expected = home_advantage_shift(tables.match_features).before(again.keys["kickoff_date"])
    np.testing.assert_array_equal(shift, expected.astype(np.float32))
    of_the_other = again.keys["league_id"].str.starts_with(f"{TRUTH}.").to_numpy()
    assert (shift[of_the_other][-30:] < -0.1).all()
    assert shift[0] == 0


def test_opponents_are_found_beside_their_match_and_anywhere_else(tables: FeatureTables) -> None:
    order = ["kickoff_date", "league_id", "match_id", "team_id"]
    sides, ratings = tables.team_matches.sort(order), tables.team_ratings.sort(order)
    assert is_in_pairs(sides, ratings)

    beside = history_rows(sides, ratings)
    for mixed in (ratings.reverse(), ratings.sample(fraction=1, shuffle=True, seed=1)):
        assert not is_in_pairs(sides, mixed)
        found = history_rows(sides, mixed)
        assert_frame_equal(found, beside, check_row_order=False, check_column_order=False)
    assert not is_in_pairs(sides.slice(1), ratings.slice(1))
    assert history_rows(sides.clear(), ratings.clear()).is_empty()


def test_the_columns_that_are_said_to_be_read_are_all_that_is_read(
    tables: FeatureTables, tensors: SequenceTensors, tmp_path: Path
) -> None:
    read = {name: getattr(tables, name).select(columns) for name, columns in columns_read().items()}

    write_tensors(**read, folder=tmp_path)

    written = open_tensors(tmp_path)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(written, name), getattr(tensors, name))
    assert written.keys.equals(tensors.keys)


def test_results_on_a_day_and_after_it_move_no_input_of_that_day_or_earlier(
    countries: SimulatedCountries, tensors: SequenceTensors, tmp_path: Path
) -> None:
    rewritten = countries.tensors(REWRITTEN, tmp_path)
    truth_rows, other_rows = (
        {match_id[6:]: row for row, match_id in enumerate(world.keys["match_id"])}
        for world in (tensors, rewritten)
    )
    shared = sorted(truth_rows.keys() & other_rows.keys())
    left, right = (np.array([rows[match_id] for match_id in shared]) for rows in (truth_rows, other_rows))
    until = tensors.days[left] <= np.datetime64(REWRITTEN_FROM)
    on_the_day = tensors.days[left] == np.datetime64(REWRITTEN_FROM)
    assert (until.sum(), on_the_day.sum(), (~until).sum()) >= (500, 1, 50)
    assert not np.array_equal(tensors.goals[left][on_the_day], rewritten.goals[right][on_the_day])

    # Odds of a match itself are known before it.
    batches = [
        hide_groups(world.take(rows), DEFAULT_SPEC, ["match_odds"])
        for world, rows in ((tensors, left), (rewritten, right))
    ]
    for name in INPUTS:
        before, after = (getattr(batch, name) for batch in batches)
        assert np.array_equal(before[until], after[until], equal_nan=True), name
        assert not np.array_equal(before[~until], after[~until], equal_nan=True), name


def test_no_history_reaches_the_day_of_its_match(tables: FeatureTables, tensors: SequenceTensors) -> None:
    """The rest days of the context lead from the last match of the history to the match."""
    observed = DEFAULT_SPEC.history_names.index("observed")
    known = DEFAULT_SPEC.context_names.index("home_matches_known")
    played = tables.team_matches.filter("is_played").group_by("team_id").agg("kickoff_date")
    days = dict(played.iter_rows())

    for row in range(0, len(tensors), 7):
        key = tensors.keys.row(row, named=True)
        earlier = sum(day < key["kickoff_date"] for day in days.get(key["home_team_id"], []))
        history = tensors.take(np.array([row])).home_history[0]
        assert history[:, observed].sum() == min(earlier, 10)
        assert tensors.context[row, known] == earlier


def test_the_same_tables_give_the_same_bytes_in_any_order(tables: FeatureTables, tmp_path: Path) -> None:
    folders = [tmp_path / "straight", tmp_path / "shuffled"]
    for folder in folders:
        folder.mkdir()
    tables.write_tensors(folders[0])
    shuffled = (
        getattr(tables, field.name).sample(fraction=1, shuffle=True, seed=seed)
        for seed, field in enumerate(fields(FeatureTables))
    )
    FeatureTables(*shuffled).write_tensors(folders[1])

    names = sorted(path.name for path in folders[0].iterdir())
    assert names == [
        "away_span.npy",
        "context.npy",
        "feature_spec.json",
        "goals.npy",
        "home_span.npy",
        "keys.parquet",
        "market.npy",
        "outcome.npy",
        "past.npy",
    ]
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_a_shorter_history_is_the_end_of_the_longer(
    tables: FeatureTables, tensors: SequenceTensors, tmp_path: Path
) -> None:
    spec = FeatureSpec(history_length=4, history=DEFAULT_SPEC.history, context=DEFAULT_SPEC.context)
    tables.write_tensors(tmp_path, spec)

    short = open_tensors(tmp_path)

    assert short.spec == spec
    np.testing.assert_array_equal(inputs_of(short).home_history, inputs_of(tensors).home_history[:, -4:])


@pytest.mark.parametrize("matches", [0, 1, 2])
def test_a_handful_of_matches_or_none_can_be_written_and_opened(
    tables: FeatureTables, matches: int, tmp_path: Path
) -> None:
    replace(tables, match_features=tables.match_features.head(matches)).write_tensors(tmp_path)

    found = open_tensors(tmp_path)

    assert len(found) == len(found.keys) == matches
    assert inputs_of(found).home_history.shape == (matches, 10, len(DEFAULT_SPEC.history))
    assert found.goals.shape == (matches, 2)
    assert found.take(np.arange(matches)).context.shape == (matches, len(DEFAULT_SPEC.context))
    assert (found.days <= np.datetime64(REWRITTEN_FROM + timedelta(days=9999))).all()


def test_an_array_of_pickled_objects_is_never_loaded(tables: FeatureTables, tmp_path: Path) -> None:
    tables.write_tensors(tmp_path)
    np.save(tmp_path / "outcome.npy", np.array([None] * 500, dtype=object), allow_pickle=True)

    with pytest.raises(ValueError, match="allow_pickle=False|Python objects"):
        open_tensors(tmp_path)


def test_tensors_of_another_version_are_refused_in_a_sentence(tables: FeatureTables, tmp_path: Path) -> None:
    tables.write_tensors(tmp_path)
    (tmp_path / "past.npy").rename(tmp_path / "home_history.npy")
    (tmp_path / "market.npy").unlink()

    with pytest.raises(
        FootballError, match="have no past, market: another version .* Materialize sequence_tensors again"
    ):
        open_tensors(tmp_path)
