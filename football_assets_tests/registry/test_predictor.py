"""The forecaster of a bundle: which file it reads, and what a broken one says."""

from pathlib import Path

import pytest

from football_assets.errors import RegistryError
from football_assets.registry import predictor


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
