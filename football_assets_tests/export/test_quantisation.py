"""The int8 variant: smaller, and published only if the test log loss stays."""

from typing import Any

import onnx
import pytest

from football_assets.export.quantisation import judge_int8
from football_assets.export.tolerances import INT8_TOLERANCE
from football_assets_tests.builders.registry_graph import SimulatedFolders


def test_int8_is_smaller_quantises_the_lstm_and_keeps_the_test_log_loss(
    folders: SimulatedFolders, report: dict[str, Any]
) -> None:
    int8, path = report["int8"], folders.onnx_model / "model.int8.onnx"
    assert int8["accepted"]
    assert max(abs(int8["log_loss_change"]), abs(int8["log_loss_change_single"])) <= INT8_TOLERANCE
    assert 0 < int8["batch_max_abs_difference"] < 0.01
    assert report["bytes"]["int8"] == path.stat().st_size < 0.8 * report["bytes"]["float32"]
    operators = {node.op_type for node in onnx.load(path).graph.node}
    assert "DynamicQuantizeLSTM" in operators
    assert "LSTM" not in operators


@pytest.mark.parametrize(
    ("change", "change_single", "accepted"),
    [
        (0.0009, -0.0009, True),
        (0.0011, 0, False),
        (-0.0011, 0, False),
        (0, 0.0011, False),
        (float("nan"), 0, False),
        (0, float("nan"), False),
    ],
)
def test_int8_is_judged_by_the_change_of_the_test_log_loss_in_batches_and_alone(
    change: float, change_single: float, accepted: bool
) -> None:
    verdict = judge_int8(change, change_single, 0.0)
    assert verdict.accepted is accepted
    assert ("was not written" in verdict.reason) is not accepted
