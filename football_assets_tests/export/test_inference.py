"""A file that is not an exported forecaster is rejected with one sentence."""

from pathlib import Path

import onnx
import onnxruntime
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


@pytest.mark.parametrize(("provider", "expected"), [("auto", ["preload", "session"]), ("cpu", ["session"])])
def test_libraries_of_cuda_are_loaded_before_a_session_that_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, expected: list[str]
) -> None:
    calls: list[str] = []

    def session(*_: object, **__: object) -> None:
        calls.append("session")
        raise ValueError("no model")

    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: calls.append("preload"))
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)

    with pytest.raises(ExportError, match="no model"):
        OnnxForecaster(tmp_path / "model.onnx", provider=provider)

    assert calls == expected
