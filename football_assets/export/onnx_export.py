"""Export a trained network to ONNX files and report how they compare with it on the test matches.

Normalisation, network and calibration are one graph: a client sends goals and days and receives calibrated
probabilities. The parts: `onnx_graph` writes the graph, `parity` compares it with PyTorch, `quantisation` writes and
tests the int8 variant, `latency` measures.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.scoring_rules import log_loss
from football_assets.errors import ExportError, NotEnoughData
from football_assets.export.batches import NetworkInputs
from football_assets.export.inference import OnnxForecaster
from football_assets.export.latency import measure_latency
from football_assets.export.onnx_graph import TensorShape, read_signature, write_onnx
from football_assets.export.parity import compare_with_network, predict_all
from football_assets.export.quantisation import Int8Report, compare_int8, write_int8
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tensors import open_tensors
from football_assets.sequences.tier_names import OWN_ODDS
from football_assets.sequences.tiers import hide_groups
from football_assets.storage.model_files import EXPORT_REPORT, FEATURE_SPEC, MODEL, MODEL_INT8

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ExportReport:
    """What was exported and how it compares with the network.

    `parity` holds the largest difference of a probability by case, `bytes` and `latency_ms` one entry per variant;
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
        """Return the report as JSON values."""
        return asdict(self)


def find_rows(keys: pl.DataFrame, matches: pl.DataFrame) -> NDArray[np.int64]:
    """Find the rows of the tensors that hold some matches, in the order of the matches.

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
            f"{rows.null_count()} of {len(rows)} test matches are not in sequence_tensors any more: materialize "
            "trained_lstm and model_evaluation again."
        )
    return rows.cast(pl.Int64).to_numpy()


def export_forecaster(
    model_folder: Path, tensors_folder: Path, test_index: NDArray[np.int64], out: Path
) -> ExportReport:
    """Export the network of `trained_lstm` into a folder and compare the files with it on the test matches.

    Parameters
    ----------
    model_folder
        Folder of `trained_lstm`.
    tensors_folder
        Folder of `sequence_tensors`.
    test_index
        `[n]` rows of the tensors that are test matches.
    out
        Existing folder for `model.onnx`, `model.int8.onnx` (if it is accepted), `export.json` and
        `feature_spec.json`.

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
    network: "torch.nn.Module", tensors_folder: Path, test_index: NDArray[np.int64], out: Path
) -> ExportReport:
    """Export a network with the inputs and outputs of a forecaster. See `export_forecaster`.

    Parity is compared with all inputs known, and log losses without the odds of the test matches themselves, as in
    `model_evaluation`.
    """
    if test_index.size == 0:
        raise NotEnoughData("There are no test matches to compare the exported model on: land more results.")
    tensors = open_tensors(tensors_folder)
    batch = tensors.take(test_index)
    test: NetworkInputs = (batch.home_history, batch.away_history, batch.context)
    hidden = hide_groups(batch, tensors.spec, OWN_ODDS)
    scored: NetworkInputs = (hidden.home_history, hidden.away_history, hidden.context)
    with _one_torch_thread():
        report = _export(network.cpu().eval(), test, scored, tensors.outcome[test_index], tensors.spec, out)
    if not report.int8.accepted:
        (out / MODEL_INT8).unlink()
    (out / EXPORT_REPORT).write_text(json.dumps(report.to_dict(), indent=1))
    return report


def _export(
    network: "torch.nn.Module",
    test: NetworkInputs,
    scored: NetworkInputs,
    outcome: NDArray[np.integer],
    spec: FeatureSpec,
    out: Path,
) -> ExportReport:
    """Write both variants, compare them with the network on `test`, and their log losses on `scored`."""
    path, quantised_path = out / MODEL, out / MODEL_INT8
    write_onnx(network, test, path)
    forecaster = OnnxForecaster(path)
    probabilities, _ = predict_all(forecaster, scored)
    parity, goals_difference = compare_with_network(network, forecaster, test, spec)

    write_int8(path, quantised_path)
    quantised = OnnxForecaster(quantised_path)

    signature = read_signature(path)
    variants = {"float32": (path, forecaster), "int8": (quantised_path, quantised)}
    return ExportReport(
        opset=signature.opset,
        inputs=signature.inputs,
        outputs=signature.outputs,
        test_matches=len(outcome),
        test_log_loss=log_loss(probabilities, outcome),
        parity_max_abs_difference=max(parity.values()),
        parity=parity,
        expected_goals_max_abs_difference=goals_difference,
        probability_sum_max_error=float(np.abs(probabilities.sum(axis=1) - 1).max()),
        int8=compare_int8(probabilities, quantised, scored, outcome),
        bytes={name: file.stat().st_size for name, (file, _) in variants.items()},
        latency_ms={name: measure_latency(model, test) for name, (_, model) in variants.items()},
    )


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Use one torch thread: on the small tensors of an export, synchronisation costs more than threads save."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
