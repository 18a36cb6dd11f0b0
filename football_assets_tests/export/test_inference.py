"""A file that is not an exported forecaster is rejected with one sentence."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from football_assets.errors import ExportError
from football_assets.export.inference import OnnxForecaster


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"model\.onnx is not an ONNX model"):
        OnnxForecaster(tmp_path / "model.onnx")
    (tmp_path / "model.onnx").write_bytes(b"<html>")
    with pytest.raises(ExportError, match=r"model\.onnx is not an ONNX model"):
        OnnxForecaster(tmp_path / "model.onnx")


def test_a_model_with_other_inputs_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([node], "identity", values[:1], values[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10),
        tmp_path / "m.onnx",
    )
    with pytest.raises(ExportError, match=r"takes \('x',\) and gives \('y',\)"):
        OnnxForecaster(tmp_path / "m.onnx")
