"""From a trained network to ONNX files: export, int8 quantisation, parity with PyTorch, size and latency.

Called by `onnx_model`. Normalisation, network and calibration are one graph: a client sends goals and days and receives
calibrated probabilities.
"""

import json
import logging
import math
import shutil
import statistics
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from football_assets.domain.scoring_rules import log_loss
from football_assets.errors import ExportError, NotEnoughData
from football_assets.export.inference import INPUTS, OUTPUTS, OnnxForecaster
from football_assets.export.tolerances import INT8_TOLERANCE
from football_assets.sequences.tensors import open_tensors
from football_assets.storage.model_files import EXPORT_REPORT, FEATURE_SPEC, MODEL, MODEL_INT8

if TYPE_CHECKING:
    import torch

OPSET = 20
BATCH_SIZES = (1, 2, 257)
QUANTISED_OPERATORS = ["LSTM", "Gemm", "MatMul"]

_LARGE_MATRIX = 2048  # weights
_FOLD_LIMIT = 1 << 28  # bytes
_TEST_BATCH = 4096
_SINGLE_MATCHES = 4096
_LATENCY_BATCH = 256
_LATENCY_CALLS = {1: 200, _LATENCY_BATCH: 20}

Inputs = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class TensorShape:
    """Name and shape of an input or output; a dimension that varies has a name."""

    name: str
    shape: list[int | str]

    @property
    def has_batch(self) -> bool:
        """The first dimension varies."""
        return isinstance(self.shape[0], str)


@dataclass(frozen=True)
class Int8Report:
    """What quantisation changed: test log loss of int8 − float32, in large batches and one fixture at a time.

    The two differ because activations are scaled by the range of the whole batch: a fixture's int8 forecast depends on
    its neighbours. `batch_max_abs_difference` is the most that a probability moved between the two.
    """

    log_loss_change: float
    log_loss_change_single: float
    batch_max_abs_difference: float
    accepted: bool
    reason: str


@dataclass(frozen=True)
class ExportReport:
    """What was exported and how it compares with the network.

    `parity` holds the largest difference of a probability by case, `bytes` and `latency_ms` one entry a variant;
    latencies are medians on one thread.
    """

    opset: int
    inputs: list[TensorShape]
    outputs: list[TensorShape]
    test_matches: int
    test_log_loss: float
    parity_max_abs_difference: float
    parity: dict[str, float]
    expected_goals_max_abs_difference: float
    probability_sum_max_error: float
    int8: Int8Report
    bytes: dict[str, int]
    latency_ms: dict[str, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return asdict(self)


def find_rows(keys: pl.DataFrame, matches: pl.DataFrame) -> np.ndarray:
    """Rows of the tensors that hold some matches, in the order of the matches.

    Parameters
    ----------
    keys, matches
        `keys.parquet` of `sequence_tensors`, and a table; both with `match_id`.

    Raises
    ------
    ExportError
        A match is not in the tensors.
    """
    rows = matches.select("match_id").join(
        keys.select("match_id").with_row_index("row"), on="match_id", how="left", maintain_order="left"
    )["row"]
    if rows.null_count():
        raise ExportError(
            f"{rows.null_count()} of {len(rows)} test matches are not in sequence_tensors any more: materialise "
            "trained_lstm and model_evaluation again."
        )
    return rows.cast(pl.Int64).to_numpy()


def export_forecaster(
    model_folder: Path, tensors_folder: Path, test_index: np.ndarray, out: Path
) -> ExportReport:
    """Export the network of `trained_lstm` into a folder and compare the files with it on the test matches.

    Parameters
    ----------
    model_folder
        Folder of `trained_lstm`.
    tensors_folder
        Folder of `sequence_tensors`.
    test_index
        [n] rows of the tensors that are test matches.
    out
        Existing folder to write `model.onnx`, `model.int8.onnx` (if its test log loss holds), `export.json` and
        `feature_spec.json` to.

    Raises
    ------
    NotEnoughData
        There are no test matches.
    ExportError
        The network cannot be exported.
    """
    from football_assets.training.network import load_forecaster

    report = export_network(load_forecaster(model_folder), tensors_folder, test_index, out)
    shutil.copyfile(model_folder / FEATURE_SPEC, out / FEATURE_SPEC)
    return report


def export_network(
    network: "torch.nn.Module", tensors_folder: Path, test_index: np.ndarray, out: Path
) -> ExportReport:
    """Export a network with the inputs and outputs of a forecaster. See `export_forecaster`."""
    with _one_thread():
        return _export_network(network, tensors_folder, test_index, out)


def _export_network(
    network: "torch.nn.Module", tensors_folder: Path, test_index: np.ndarray, out: Path
) -> ExportReport:
    if test_index.size == 0:
        raise NotEnoughData("There are no test matches to compare the exported model on: land more results.")
    network = network.cpu().eval()
    tensors = open_tensors(tensors_folder)
    batch = tensors.take(test_index)
    test: Inputs = (batch.home_history, batch.away_history, batch.context)
    outcome = tensors.outcome[test_index]

    path, quantised_path = out / MODEL, out / MODEL_INT8
    write_onnx(network, test, path)
    forecaster = OnnxForecaster(path)
    probabilities, _ = _predict_all(forecaster, test)
    parity, goals_difference = _parity(network, forecaster, test)
    loss = log_loss(probabilities, outcome)

    write_int8(path, quantised_path)
    quantised = OnnxForecaster(quantised_path)
    int8 = _compare_int8(probabilities, quantised, test, outcome)

    variants = {"float32": (path, forecaster), "int8": (quantised_path, quantised)}
    report = ExportReport(
        **_interface(path),
        test_matches=int(test_index.size),
        test_log_loss=loss,
        parity_max_abs_difference=max(parity.values()),
        parity=parity,
        expected_goals_max_abs_difference=goals_difference,
        probability_sum_max_error=float(np.abs(probabilities.sum(axis=1) - 1).max()),
        int8=int8,
        bytes={name: file.stat().st_size for name, (file, _) in variants.items()},
        latency_ms={name: latency(model, test) for name, (_, model) in variants.items()},
    )
    if not int8.accepted:
        quantised_path.unlink()
    (out / EXPORT_REPORT).write_text(json.dumps(report.to_dict(), indent=1))
    return report


def write_onnx(network: "torch.nn.Module", example: Inputs, path: Path) -> None:
    """Write a network as one float32 ONNX file whose batch size may vary.

    Raises
    ------
    ExportError
        The network uses something that ONNX cannot say.
    """
    import torch
    from onnxscript.optimizer import fold_constants, optimize

    # Two rows or more: a batch of one would be taken for a constant.
    rows = tuple(torch.from_numpy(_repeat(tensor, 4)) for tensor in example)
    batch = torch.export.Dim("batch")
    with _quiet():
        try:
            program = torch.onnx.export(
                network,
                rows,
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=list(INPUTS),
                output_names=list(OUTPUTS),
                dynamic_shapes=tuple({0: batch} for _ in INPUTS),
            )
        except Exception as error:  # the exporter's errors share no base class but Exception
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ExportError(
                f"The network cannot be exported to ONNX ({reason}): change its operations."
            ) from error
        if program is None:
            raise ExportError("The network cannot be exported to ONNX: the exporter gave no program.")
        # The exporter leaves the reordering of LSTM gates in the graph, where it would run at each call.
        fold_constants(program.model, input_size_limit=_FOLD_LIMIT, output_size_limit=_FOLD_LIMIT)
        optimize(program.model)
        model = program.model_proto
    # The exporter's notes, such as stack traces with local file names, would make equal models differ.
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]
    fixed = [value.name for value in (*model.graph.input, *model.graph.output) if not _shape(value).has_batch]
    if fixed:
        raise ExportError(
            f"The batch size of {', '.join(fixed)} became a constant: do not divide by it in the network."
        )
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_int8(path: Path, quantised_path: Path) -> None:
    """Write the variant of an ONNX file whose LSTM and large matrix weights are 8-bit integers, scaled at run time.

    Small matrices, such as the heads, stay float32: they weigh little and decide the probabilities. Weights use seven
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
    with _quiet():
        quantize_dynamic(
            path,
            quantised_path,
            op_types_to_quantize=QUANTISED_OPERATORS,
            nodes_to_exclude=[
                *small,
                *(f"{name}_MatMul" for name in small),
            ],  # the second is what it makes of a Gemm
            weight_type=QuantType.QInt8,
            reduce_range=True,
        )


def judge_int8(change: float, change_single: float, batch_max_abs_difference: float) -> Int8Report:
    """Accept the int8 variant if quantisation moved the test log loss by at most `INT8_TOLERANCE`, up or down.

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


def latency(forecaster: OnnxForecaster, example: Inputs) -> dict[str, float]:
    """Median milliseconds of one call for one fixture (`single`) and for 256 (`batch_256`)."""
    medians = {}
    for size, calls in _LATENCY_CALLS.items():
        rows = _first(example, size)
        forecaster.predict(*rows)
        seconds = []
        for _ in range(calls):
            start = time.perf_counter()
            forecaster.predict(*rows)
            seconds.append(time.perf_counter() - start)
        medians["single" if size == 1 else f"batch_{size}"] = 1000 * statistics.median(seconds)
    return medians


def parity_cases(test: Inputs) -> dict[str, Inputs]:
    """Inputs on which the exported model must answer as the network does: the test set and its awkward variants."""
    home, away, context = _first(test, max(BATCH_SIZES))
    unknown = context.copy()
    unknown[np.random.default_rng(0).random(context.shape) < 0.3] = np.nan
    cases = {"test set": test}
    cases |= {f"batch of {size}": _first(test, size) for size in BATCH_SIZES}
    cases["unknown context"] = (home, away, unknown)
    cases["no context at all"] = (home, away, np.full_like(context, np.nan))
    cases["no history"] = (np.zeros_like(home), np.zeros_like(away), unknown)
    cases["no away history"] = (home, np.zeros_like(away), context)
    return cases


def _parity(
    network: "torch.nn.Module", forecaster: OnnxForecaster, test: Inputs
) -> tuple[dict[str, float], float]:
    """Largest difference of a probability by case, and of expected goals over all cases; infinite where not finite."""
    parity, goals_difference = {}, 0.0
    for name, inputs in parity_cases(test).items():
        expected, found = _torch_predict_all(network, inputs), _predict_all(forecaster, inputs)
        differences = [np.abs(a - b).max() for a, b in zip(expected, found, strict=True)]
        probability, goals = (float(d) if np.isfinite(d) else float("inf") for d in differences)
        parity[name] = probability
        goals_difference = max(goals_difference, goals)
    return parity, goals_difference


def _compare_int8(
    probabilities: np.ndarray, quantised: OnnxForecaster, test: Inputs, outcome: np.ndarray
) -> Int8Report:
    together, _ = _predict_all(quantised, test)
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


def _predict_all(forecaster: OnnxForecaster, inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    parts = [forecaster.predict(*batch) for batch in _batches(inputs)]
    probabilities, expected_goals = zip(*parts, strict=True)
    return np.concatenate(probabilities), np.concatenate(expected_goals)


def _torch_predict_all(network: "torch.nn.Module", inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    import torch

    with torch.inference_mode():
        parts = [network(*(torch.from_numpy(rows) for rows in batch)) for batch in _batches(inputs)]
    probabilities, expected_goals = zip(*parts, strict=True)
    return torch.cat(probabilities).numpy(), torch.cat(expected_goals).numpy()


def _batches(inputs: Inputs) -> Iterator[Inputs]:
    for start in range(0, len(inputs[0]), _TEST_BATCH):
        home, away, context = (tensor[start : start + _TEST_BATCH] for tensor in inputs)
        yield home, away, context


def _first(inputs: Inputs, size: int) -> Inputs:
    home, away, context = (_repeat(tensor, size) for tensor in inputs)
    return home, away, context


def _repeat(tensor: np.ndarray, size: int) -> np.ndarray:
    """The first `size` rows, beginning anew where there are fewer."""
    return tensor[np.arange(size) % len(tensor)]


def _interface(path: Path) -> dict[str, Any]:
    import onnx

    model = onnx.load(path)
    opset = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
    return {
        "opset": opset,
        "inputs": [_shape(value) for value in model.graph.input],
        "outputs": [_shape(value) for value in model.graph.output],
    }


def _shape(value: Any) -> TensorShape:
    dimensions = value.type.tensor_type.shape.dim
    return TensorShape(value.name, [item.dim_param or item.dim_value for item in dimensions])


@contextmanager
def _one_thread() -> Iterator[None]:
    """One torch thread: the tensors of an export are small, and threads that wait for each other on a busy machine cost
    far more than they save."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's and quantiser's progress out of the run's log."""

    def not_from_quantiser(record: logging.LogRecord) -> bool:
        return "quantization" not in record.pathname

    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    root = logging.getLogger()
    root.addFilter(not_from_quantiser)
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(not_from_quantiser)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
