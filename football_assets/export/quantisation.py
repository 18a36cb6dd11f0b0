"""The int8 variant of the exported model: dynamic quantisation, and what it changes on the test matches."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from football_assets.domain.scoring_rules import log_loss
from football_assets.export.batches import NetworkInputs
from football_assets.export.inference import OnnxForecaster
from football_assets.export.onnx_graph import without_progress
from football_assets.export.parity import predict_all
from football_assets.export.tolerances import INT8_TOLERANCE
from football_assets.storage.model_files import MODEL_INT8

QUANTISED_OPERATORS = ["LSTM", "Gemm", "MatMul"]

_LARGE_MATRIX = 2048  # weights
_SINGLE_MATCHES = 4096


@dataclass(frozen=True)
class Int8Report:
    """What quantisation changes: test log loss of int8 − float32, in large batches and one fixture at a time.

    The two differ because activations are scaled by the range of the whole batch: a fixture's int8 forecast depends on
    its neighbours. `batch_max_abs_difference` is the largest difference of a probability between the two.
    """

    log_loss_change: float
    log_loss_change_single: float
    batch_max_abs_difference: float
    accepted: bool
    reason: str


def write_int8(path: Path, quantised_path: Path) -> None:
    """Write the int8 variant of an ONNX file: weights of the LSTM and of large matrices, scaled at run time.

    Small matrices, such as the heads, stay float32: they are few bytes and decide the probabilities. Weights use seven
    of the eight bits: on processors without VNNI two products of full range overflow their 16-bit sum.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(path).graph
    sizes = {weight.name: math.prod(weight.dims) for weight in graph.initializer}
    small = [
        node.name
        for node in graph.node
        if node.op_type in ("MatMul", "Gemm")
        and max(sizes.get(name, 0) for name in node.input) < _LARGE_MATRIX
    ]
    from_gemm = [f"{name}_MatMul" for name in small]  # what the quantiser turns a Gemm into
    with without_progress():
        quantize_dynamic(
            path,
            quantised_path,
            op_types_to_quantize=QUANTISED_OPERATORS,
            nodes_to_exclude=[*small, *from_gemm],
            weight_type=QuantType.QInt8,
            reduce_range=True,
        )


def compare_int8(
    probabilities: NDArray[np.floating],
    quantised: OnnxForecaster,
    test: NetworkInputs,
    outcome: NDArray[np.integer],
) -> Int8Report:
    """Compare the int8 variant with the float32 model on the test matches.

    Parameters
    ----------
    probabilities
        `[n, 3]` of the float32 model.
    quantised
        The int8 variant.
    test
        NetworkInputs of the test matches.
    outcome
        `[n]` outcomes.
    """
    together, _ = predict_all(quantised, test)
    rows = range(min(_SINGLE_MATCHES, len(together)))
    alone = np.concatenate(
        [quantised.predict(*(tensor[row : row + 1] for tensor in test))[0] for row in rows]
    )
    count = len(alone)
    return judge_int8(
        log_loss(together, outcome) - log_loss(probabilities, outcome),
        log_loss(alone, outcome[:count]) - log_loss(probabilities[:count], outcome[:count]),
        float(np.abs(alone - together[:count]).max()),
    )


def judge_int8(change: float, change_single: float, batch_max_abs_difference: float) -> Int8Report:
    """Accept the int8 variant if quantisation changed the test log loss by at most `INT8_TOLERANCE`, up or down.

    Parameters
    ----------
    change, change_single
        Test log loss of int8 − float32 in large batches and one fixture at a time.
    batch_max_abs_difference
        Largest difference of a probability between the two.
    """
    accepted = bool(
        max(abs(change), abs(change_single)) <= INT8_TOLERANCE and np.isfinite(change + change_single)
    )
    reason = (
        f"Test log loss changed by {change:+.6f} in batches and {change_single:+.6f} one fixture at a time, "
        f"{'within' if accepted else 'beyond'} the tolerance of {INT8_TOLERANCE:g}."
    )
    if not accepted:
        reason += f" {MODEL_INT8} was not written."
    return Int8Report(change, change_single, batch_max_abs_difference, accepted, reason)
