"""A bundle holds and lists all that serving needs, and is the same for the same sources."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.errors import RegistryError
from football_assets.registry.bundle import REQUIRED, check_bundle, production_forecasts
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.predictor import load_predictor
from football_assets.sequences.spec import DEFAULT_SPEC, MATCH_ODDS
from football_assets.sequences.tensors import open_tensors
from football_assets.storage.model_files import MODEL, REFERENCE, TEST_PREDICTIONS
from football_assets_tests.builders.registry_graph import SimulatedFolders, write_bundle
from football_assets_tests.builders.simulation import TEST_INDEX, TRAIN, network_forecasts


def assembled(folders: SimulatedFolders, folder: Path) -> Path:
    write_bundle(folders, folder)
    return folder


def test_a_bundle_has_every_file_and_loads(bundle: Path) -> None:
    assert {path.name for path in bundle.iterdir()} == {*REQUIRED, "model.int8.onnx"}
    check_bundle(ModelBundle.of_folder(bundle))


def test_the_network_can_be_loaded_from_the_bundle(bundle: Path, folders: SimulatedFolders) -> None:
    found, _ = network_forecasts(bundle, folders.sequence_tensors)
    expected, _ = network_forecasts(folders.trained_lstm, folders.sequence_tensors)
    np.testing.assert_array_equal(found, expected)


def test_the_same_sources_give_the_same_bytes(
    bundle: Path, folders: SimulatedFolders, tmp_path: Path
) -> None:
    again = assembled(folders, tmp_path / "again")
    for path in bundle.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_times_of_training_do_not_make_another_bundle(
    bundle: Path, folders: SimulatedFolders, tmp_path: Path
) -> None:
    slower = Path(shutil.copytree(folders.trained_lstm, tmp_path / "model"))
    training = json.loads((slower / "training.json").read_text())
    (slower / "training.json").write_text(json.dumps(training | {"epochs": [{"epoch": 1, "seconds": 99.0}]}))
    sources = replace(folders, trained_lstm=slower)
    again = assembled(sources, tmp_path / "again")
    assert (again / "training.json").read_bytes() == (bundle / "training.json").read_bytes()


def test_a_refused_int8_variant_is_left_out(folders: SimulatedFolders, tmp_path: Path) -> None:
    onnx = Path(shutil.copytree(folders.onnx_model, tmp_path / "onnx"))
    (onnx / "model.int8.onnx").unlink()
    sources = replace(folders, onnx_model=onnx)
    assert not (assembled(sources, tmp_path / "bundle") / "model.int8.onnx").exists()


def test_the_drift_reference_holds_inputs_and_forecasts_of_training_matches_only(
    bundle: Path, folders: SimulatedFolders
) -> None:
    reference = pl.read_parquet(bundle / REFERENCE)
    tensors = open_tensors(folders.sequence_tensors)
    assert reference["match_id"].to_list() == tensors.keys["match_id"][TRAIN].to_list()
    assert set(DEFAULT_SPEC.context_names) <= set(reference.columns)
    context = tensors.context[TRAIN]
    elo = DEFAULT_SPEC.context_names.index("home_elo")
    np.testing.assert_array_equal(reference["home_elo"].fill_null(np.nan).to_numpy(), context[:, elo])
    assert reference.select(MATCH_ODDS).null_count().row(0) == (len(reference),) * 3
    expected, _ = network_forecasts(folders.trained_lstm, folders.sequence_tensors)
    found = reference.select("p_home", "p_draw", "p_away").to_numpy()
    np.testing.assert_allclose(found, expected[TRAIN], atol=1e-5)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_or_broken_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"<html>" if name != "model_card.md" else b"")
    if name != "model_card.md":
        with pytest.raises(RegistryError, match=name):
            check_bundle(ModelBundle.of_folder(bundle))
    (bundle / name).unlink()
    with pytest.raises(RegistryError, match=f"has no {name}"):
        check_bundle(ModelBundle.of_folder(bundle))


def test_the_predictor_of_a_bundle_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="cannot be used"):
        load_predictor(tmp_path)


def test_production_with_the_same_inputs_forecasts_the_test_matches_anew(
    bundle: Path, folders: SimulatedFolders
) -> None:
    test = pl.read_parquet(bundle / TEST_PREDICTIONS)
    (bundle / TEST_PREDICTIONS).unlink()  # stored forecasts are not needed
    forecasts = production_forecasts(ModelBundle.of_folder(bundle), folders.sequence_tensors, test)
    expected, _ = network_forecasts(folders.trained_lstm, folders.sequence_tensors)
    assert forecasts.probabilities is not None
    assert forecasts.not_comparable is None
    np.testing.assert_allclose(forecasts.probabilities, expected[TEST_INDEX], atol=1e-5)


def test_production_with_other_inputs_is_compared_by_its_stored_forecasts(
    bundle: Path, folders: SimulatedFolders
) -> None:
    test = pl.read_parquet(bundle / TEST_PREDICTIONS)
    DEFAULT_SPEC.model_copy(update={"version": 99}).save(bundle)
    (bundle / MODEL).unlink()  # its model is not run
    stored = test.head(100).reverse().with_columns(p_home=pl.lit(0.2), p_draw=pl.lit(0.3), p_away=pl.lit(0.5))
    stored.write_parquet(bundle / TEST_PREDICTIONS)
    probabilities = production_forecasts(
        ModelBundle.of_folder(bundle), folders.sequence_tensors, test
    ).probabilities
    assert probabilities is not None
    np.testing.assert_allclose(probabilities[:100], [[0.2, 0.3, 0.5]] * 100)
    assert np.isnan(probabilities[100:]).all()


def test_matches_that_production_has_learnt_from_are_not_compared(
    bundle: Path, folders: SimulatedFolders
) -> None:
    test = pl.read_parquet(bundle / TEST_PREDICTIONS)
    last = test["kickoff_date"][89]
    metrics = json.loads((bundle / "metrics.json").read_text())
    metrics["split"]["validation_end"] = str(last)
    (bundle / "metrics.json").write_text(json.dumps(metrics))
    probabilities = production_forecasts(
        ModelBundle.of_folder(bundle), folders.sequence_tensors, test
    ).probabilities
    assert probabilities is not None
    learnt = (test["kickoff_date"] <= last).to_numpy()
    assert learnt.sum() == 90
    np.testing.assert_array_equal(np.isnan(probabilities).all(axis=1), learnt)

    metrics["split"]["validation_end"] = "2100-01-01"
    (bundle / "metrics.json").write_text(json.dumps(metrics))
    forecasts = production_forecasts(ModelBundle.of_folder(bundle), folders.sequence_tensors, test)
    assert forecasts.probabilities is None
    assert "could not be compared" in str(forecasts.not_comparable)


def test_matches_unknown_to_the_tensors_have_no_production_forecast(
    bundle: Path, folders: SimulatedFolders
) -> None:
    test = pl.read_parquet(bundle / TEST_PREDICTIONS).with_columns(
        match_id=pl.when(pl.int_range(pl.len()) < 10).then(pl.lit("gone")).otherwise("match_id")
    )
    probabilities = production_forecasts(
        ModelBundle.of_folder(bundle), folders.sequence_tensors, test
    ).probabilities
    assert probabilities is not None
    assert np.isnan(probabilities[:10]).all()
    assert np.isfinite(probabilities[10:]).all()
