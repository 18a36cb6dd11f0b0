"""The forecaster of a bundle: which file it reads, and what a broken one says."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from football_assets.errors import RegistryError
from football_assets.registry import predictor
from football_assets.registry.model_bundle import ModelBundle
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.state import TeamState
from football_assets.storage.model_files import TEAM_STATE


def test_the_float32_model_is_loaded_with_threads_and_provider(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(predictor, "OnnxForecaster", lambda *arguments: arguments)
    model = tmp_path / "model.onnx"
    assert predictor.load_predictor(tmp_path) == (model, 1, "cpu")
    assert predictor.load_predictor(tmp_path, 3, "cuda") == (model, 3, "cuda")


def test_a_model_that_cannot_be_loaded_is_an_error_of_the_registry_naming_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(RegistryError) as error:
        predictor.load_predictor(tmp_path)
    assert str(error.value) == f"Model bundle {tmp_path} cannot be used: {error.value.__cause__}"


def test_the_model_of_a_bundle_in_memory_is_loaded_from_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(predictor, "OnnxForecaster", lambda *arguments: arguments)
        bundle = ModelBundle({"model.onnx": b"network"}, "version 7")
        assert predictor.load_predictor(bundle, 3, "cuda") == (b"network", 3, "cuda")

    with pytest.raises(
        RegistryError, match=r"Model bundle version 7 cannot be used: The content is not an ONNX"
    ):
        predictor.load_predictor(bundle)
    with pytest.raises(RegistryError, match=r"Model bundle version 8 has no model\.onnx"):
        predictor.load_predictor(ModelBundle({}, "version 8"))


def test_inputs_and_teams_are_parsed_from_the_bytes_of_the_bundle(bundle: Path) -> None:
    in_memory = ModelBundle.of_folder(bundle)
    expected = TeamState(pl.read_parquet(bundle / TEAM_STATE), FeatureSpec.load(bundle))
    shutil.rmtree(bundle)

    assert predictor.load_feature_spec(in_memory) == expected.spec
    state = predictor.load_team_state(in_memory)
    assert (state.as_of, state.leagues()) == (expected.as_of, expected.leagues())
    with pytest.raises(RegistryError, match=r"Model bundle here has no feature_spec\.json"):
        predictor.load_feature_spec(ModelBundle({}, "here"))
