"""The files of a bundle in memory."""

from pathlib import Path

import pytest

from football_assets.errors import RegistryError
from football_assets.registry.model_bundle import ModelBundle


def test_a_bundle_has_the_files_of_its_folder_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"network")
    bundle = ModelBundle.of_folder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"altered")

    assert bundle.files == {"model.onnx": b"network"}
    assert bundle.read("model.onnx") == b"network"


def test_a_missing_file_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"network")

    with pytest.raises(RegistryError) as error:
        ModelBundle.of_folder(tmp_path).read("metrics.json")
    assert str(error.value) == (
        f"Model bundle {tmp_path} has no metrics.json: materialize 'registered_model' again."
    )


@pytest.mark.parametrize("name", ["model.pkl", "../model.onnx", "manifest.json", "a/model.onnx"])
def test_a_file_that_no_bundle_has_is_rejected(name: str) -> None:
    with pytest.raises(RegistryError, match="of an artifact does not belong in a model bundle"):
        ModelBundle({"model.onnx": b"network", name: b""}, "an artifact")
