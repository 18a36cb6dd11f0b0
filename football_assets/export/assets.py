"""`onnx_model`: export the trained network to the format that serving runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, asset

from football_assets.orchestration.code_versions import ONNX_MODEL_CODE
from football_assets.orchestration.metadata import OWNERS
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.model_files import TEST_PREDICTIONS
from football_assets.storage.tables import as_markdown

if TYPE_CHECKING:
    from football_assets.export.onnx_export import ExportReport

GROUP = "export"


@asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"onnx", "onnxruntime"},
    tags={"grain": "model"},
    code_version=ONNX_MODEL_CODE,
    io_manager_key="folders",
)
def onnx_model(
    context: AssetExecutionContext,
    bucket: BucketResource,
    trained_lstm: Path,
    sequence_tensors: Path,
    model_evaluation: Path,
) -> MaterializeResult[Path]:
    """Export the forecaster as one ONNX graph of normalisation, network and calibration, with an int8 variant.

    Both are compared with the network on the whole test period and on fixtures with little or no history. The int8
    variant is published only if its test log loss is within the tolerance.
    """
    from football_assets.export.onnx_export import export_forecaster, find_rows
    from football_assets.sequences.tensors import KEYS

    folder = bucket.scratch_folder("onnx_model")
    keys = pl.read_parquet(sequence_tensors / KEYS, columns=["match_id"])
    test = pl.read_parquet(model_evaluation / TEST_PREDICTIONS, columns=["match_id"])
    report = export_forecaster(trained_lstm, sequence_tensors, find_rows(keys, test), folder)
    context.log.info(
        "Exported with opset %d; probabilities differ by at most %.1e. %s",
        report.opset,
        report.parity_max_abs_difference,
        report.int8.reason,
    )
    return MaterializeResult(value=folder, metadata=_metadata(report))


def _metadata(report: "ExportReport") -> dict[str, Any]:
    variants = pl.DataFrame(
        [
            {"variant": name, "bytes": size}
            | {f"{batch} (ms)": round(value, 3) for batch, value in report.latency_ms[name].items()}
            for name, size in report.bytes.items()
        ]
    )
    parity = pl.DataFrame(
        [{"case": case, "max_abs_difference": f"{value:.1e}"} for case, value in report.parity.items()]
    )
    shapes = pl.DataFrame(
        [
            {"side": side, "name": item.name, "shape": " × ".join(str(size) for size in item.shape)}
            for side, items in (("input", report.inputs), ("output", report.outputs))
            for item in items
        ]
    )
    return {
        "opset": report.opset,
        "parity_max_abs_difference": report.parity_max_abs_difference,
        "parity": MetadataValue.md(as_markdown(parity)),
        "test_log_loss": report.test_log_loss,
        "int8": report.int8.reason,
        "int8_accepted": report.int8.accepted,
        "int8_log_loss_change": report.int8.log_loss_change,
        "size_and_latency": MetadataValue.md(as_markdown(variants)),
        "bytes_float32": report.bytes["float32"],
        "latency_single_ms": report.latency_ms["float32"]["single"],
        "latency_batch_256_ms": report.latency_ms["float32"]["batch_256"],
        "signature": MetadataValue.md(as_markdown(shapes)),
    }


assets = [onnx_model]
