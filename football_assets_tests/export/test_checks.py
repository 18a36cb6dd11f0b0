"""The asset checks of `onnx_model`, as Dagster runs on the simulated world."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetSelection

from football_assets.export.assets import assets
from football_assets.export.checks import checks
from football_assets_tests.builders.registry_graph import (
    SimulatedFolders,
    World,
    evaluations,
    make_world,
)


@pytest.fixture
def world(tmp_path: Path, folders: SimulatedFolders) -> World:
    return make_world(tmp_path / "home", folders)


def checked(world: World, onnx_model: Path) -> dict[str, AssetCheckEvaluation]:
    """The checks of some other content of the asset."""
    world.publish_folder("onnx_model", onnx_model)
    only_checks = AssetSelection.all_asset_checks()
    return evaluations(world.run([*assets, *checks], selection=only_checks, raise_on_error=False))


def changed(folders: SimulatedFolders, folder: Path, **report: Any) -> Path:
    """A copy of the export that reports something else."""
    shutil.copytree(folders.onnx_model, folder)
    original = json.loads((folder / "export.json").read_text())
    (folder / "export.json").write_text(json.dumps(original | report))
    return folder


def test_a_file_that_differs_from_the_network_fails_and_blocks(
    world: World, folders: SimulatedFolders, tmp_path: Path
) -> None:
    found = checked(world, changed(folders, tmp_path / "onnx", parity_max_abs_difference=2e-5))
    assert not found["onnx_model_agrees_with_the_network"].passed
    assert found["onnx_model_agrees_with_the_network"].blocking
    assert found["onnx_model_has_the_agreed_signature"].passed


def test_a_refused_int8_variant_is_a_warning(world: World, folders: SimulatedFolders, tmp_path: Path) -> None:
    int8 = {"accepted": False, "reason": "Too far.", "log_loss_change": 0.1, "log_loss_change_single": 0.1}
    onnx_model = changed(folders, tmp_path / "onnx", int8=int8)
    (onnx_model / "model.int8.onnx").unlink()
    found = checked(world, onnx_model)
    assert not found["int8_variant_keeps_the_log_loss"].passed
    assert found["int8_variant_keeps_the_log_loss"].severity is AssetCheckSeverity.WARN
    assert found["int8_variant_keeps_the_log_loss"].description == "Too far."
    assert found["onnx_model_gives_probabilities"].passed


def test_another_input_name_fails_and_blocks(world: World, folders: SimulatedFolders, tmp_path: Path) -> None:
    inputs = [{"name": name, "shape": ["batch", 1]} for name in ("home", "away", "context")]
    found = checked(world, changed(folders, tmp_path / "onnx", inputs=inputs))
    assert not found["onnx_model_has_the_agreed_signature"].passed
    assert found["onnx_model_has_the_agreed_signature"].blocking


def test_forecasts_that_do_not_sum_to_one_fail_and_block(
    world: World, folders: SimulatedFolders, tmp_path: Path
) -> None:
    import onnx
    from onnx import helper, numpy_helper

    onnx_model = changed(folders, tmp_path / "onnx")
    model = onnx.load(onnx_model / "model.onnx")
    for node in model.graph.node:
        node.output[:] = ["unscaled" if name == "probabilities" else name for name in node.output]
    model.graph.initializer.append(numpy_helper.from_array(np.float32(1.01), "scale"))
    model.graph.node.append(helper.make_node("Mul", ["unscaled", "scale"], ["probabilities"]))
    onnx.save(model, onnx_model / "model.onnx")
    found = checked(world, onnx_model)["onnx_model_gives_probabilities"]
    assert not found.passed
    assert found.blocking
    assert found.metadata["max_error_of_sum_model.onnx"].value == pytest.approx(0.01, abs=1e-4)
