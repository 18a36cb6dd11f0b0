"""Asset checks of `onnx_model`: the figures of `export.json`, and forecasts by the files themselves."""

import json
from pathlib import Path
from typing import Any

from dagster import AssetCheckResult, AssetCheckSeverity, AssetIn, MetadataValue, asset_check

from football_assets.export.tolerances import INT8_TOLERANCE, PARITY_TOLERANCE
from football_assets.storage.model_files import EXPORT_REPORT, MODEL, MODEL_INT8

_LARGEST_SUM_ERROR = 1e-5
SAMPLE = 2000


@asset_check(
    asset="onnx_model",
    blocking=True,
    description=f"No probability differs from the PyTorch network's by more than {PARITY_TOLERANCE:g} in any case.",
)
def onnx_model_agrees_with_the_network(onnx_model: Path) -> AssetCheckResult:
    """Report parity on the test period, batch sizes 1, 2 and 257, unknown context and empty histories."""
    report = _report(onnx_model)
    difference = report["parity_max_abs_difference"]
    return AssetCheckResult(
        passed=bool(difference <= PARITY_TOLERANCE),
        metadata={"max_abs_difference": difference, "by_case": MetadataValue.json(report["parity"])},
    )


@asset_check(
    asset="onnx_model",
    description=f"The int8 variant changes the test log loss by at most {INT8_TOLERANCE:g}, else it is not published.",
)
def int8_variant_keeps_the_log_loss(onnx_model: Path) -> AssetCheckResult:
    """Report the change of the log loss; a failure is a warning, because serving runs the float32 model."""
    int8 = _report(onnx_model)["int8"]
    return AssetCheckResult(
        passed=int8["accepted"] and (onnx_model / MODEL_INT8).is_file(),
        severity=AssetCheckSeverity.WARN,
        description=int8["reason"],
        metadata={name: int8[name] for name in ("log_loss_change", "log_loss_change_single")},
    )


@asset_check(
    asset="onnx_model",
    blocking=True,
    description="Opset, input names, output names and shapes are recorded, and the batch size is dynamic.",
)
def onnx_model_has_the_agreed_signature(onnx_model: Path) -> AssetCheckResult:
    """Check the names and shapes by which serving feeds the model."""
    from football_assets.export.inference import INPUTS, OUTPUTS

    report = _report(onnx_model)
    named = tuple(item["name"] for item in report["inputs"]) == INPUTS
    named = named and tuple(item["name"] for item in report["outputs"]) == OUTPUTS
    batched = all(isinstance(item["shape"][0], str) for item in report["inputs"] + report["outputs"])
    return AssetCheckResult(
        passed=named and batched and report["opset"] > 0,
        metadata={
            "opset": report["opset"],
            "inputs": MetadataValue.json(report["inputs"]),
            "outputs": MetadataValue.json(report["outputs"]),
        },
    )


@asset_check(
    asset="onnx_model",
    additional_ins={"sequence_tensors": AssetIn("sequence_tensors")},
    blocking=True,
    description="Forecasts of the latest matches and fixtures are probabilities that sum to one, and goals above zero.",
)
def onnx_model_gives_probabilities(onnx_model: Path, sequence_tensors: Path) -> AssetCheckResult:
    """Run each published variant on up to 2,000 of the latest rows, played or not."""
    import numpy as np

    from football_assets.export.inference import OnnxForecaster
    from football_assets.sequences.tensors import open_tensors

    tensors = open_tensors(sequence_tensors)
    batch = tensors.take(np.arange(max(0, len(tensors) - SAMPLE), len(tensors)))
    errors = {}
    for name in (MODEL, MODEL_INT8):
        if (onnx_model / name).is_file():
            probabilities, goals = OnnxForecaster(onnx_model / name).predict(
                batch.home_history, batch.away_history, batch.context
            )
            valid = np.isfinite(goals).all() and (goals > 0).all() and (probabilities >= 0).all()
            errors[name] = float(np.abs(probabilities.sum(axis=1) - 1).max()) if valid else float("inf")
    return AssetCheckResult(
        passed=max(errors.values()) <= _LARGEST_SUM_ERROR,
        metadata={"rows": len(batch)} | {f"max_error_of_sum_{name}": error for name, error in errors.items()},
    )


def _report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / EXPORT_REPORT).read_text(encoding="utf-8"))
    return report


checks = [
    onnx_model_agrees_with_the_network,
    int8_variant_keeps_the_log_loss,
    onnx_model_has_the_agreed_signature,
    onnx_model_gives_probabilities,
]
