"""Write a PyTorch network as one ONNX graph with a dynamic batch axis, and read its signature."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from football_assets.errors import ExportError
from football_assets.export.batches import NetworkInputs, first_rows
from football_assets.export.inference import INPUTS, OUTPUTS

if TYPE_CHECKING:
    import torch

OPSET = 20

_FOLD_LIMIT = 1 << 28  # bytes


@dataclass(frozen=True)
class TensorShape:
    """Name and shape of an input or output; a dynamic dimension has a name instead of a size."""

    name: str
    shape: list[int | str]

    @property
    def has_batch(self) -> bool:
        """Whether the first dimension is dynamic."""
        return isinstance(self.shape[0], str)


@dataclass(frozen=True)
class Signature:
    """Opset, inputs and outputs of an ONNX file."""

    opset: int
    inputs: list[TensorShape]
    outputs: list[TensorShape]


def write_onnx(network: "torch.nn.Module", example: NetworkInputs, path: Path) -> None:
    """Write a network as one float32 ONNX file with a dynamic batch size.

    Raises
    ------
    ExportError
        The network uses an operation that ONNX does not support, or depends on the batch size.
    """
    model = _to_onnx(network, example)
    _remove_metadata(model)
    fixed = [value.name for value in (*model.graph.input, *model.graph.output) if not _shape(value).has_batch]
    if fixed:
        raise ExportError(
            f"The batch size of {', '.join(fixed)} became a constant: do not divide by it in the network."
        )
    path.write_bytes(model.SerializeToString(deterministic=True))


def read_signature(path: Path) -> Signature:
    """Read the opset, the inputs and the outputs of an ONNX file."""
    import onnx

    model = onnx.load(path)
    return Signature(
        opset=next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx")),
        inputs=[_shape(value) for value in model.graph.input],
        outputs=[_shape(value) for value in model.graph.output],
    )


def _to_onnx(network: "torch.nn.Module", example: NetworkInputs) -> Any:
    """Export and optimise; returns the `ModelProto`."""
    import torch
    from onnxscript.optimizer import fold_constants, optimize

    # Two rows or more: the exporter specialises a batch of one to a constant.
    rows = tuple(torch.from_numpy(tensor) for tensor in first_rows(example, 4))
    batch = torch.export.Dim("batch")
    with without_progress():
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
            raise ExportError("The network cannot be exported to ONNX: the exporter returned no program.")
        # The exporter leaves the reordering of LSTM gates in the graph, where it would run at each call.
        fold_constants(program.model, input_size_limit=_FOLD_LIMIT, output_size_limit=_FOLD_LIMIT)
        optimize(program.model)
        return program.model_proto


def _remove_metadata(model: Any) -> None:
    """Remove the exporter's metadata: stack traces with local paths would make equal models differ."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
    for function in model.functions:
        for node in function.node:
            del node.metadata_props[:]


def _shape(value: Any) -> TensorShape:
    dimensions = value.type.tensor_type.shape.dim
    return TensorShape(value.name, [item.dim_param or item.dim_value for item in dimensions])


@contextmanager
def without_progress() -> Iterator[None]:
    """Keep the progress messages of the exporter and the quantiser out of the run's log."""

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
