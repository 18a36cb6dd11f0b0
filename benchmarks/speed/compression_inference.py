"""The inference half of `compression.py`: the served file, smaller number types, fewer weights and other settings.

Latencies are measured in pairs, in one process: blocks of calls of the float32 file with the settings of serving
alternate with blocks of equal size of the variant.
"""

import gzip
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from benchmarks.speed.compression_training import EAGER, NARROW, cannot_run, fine_tuned, first_line, pruned
from football_assets.domain.scoring_rules import score
from football_assets.export.batches import NetworkInputs
from football_assets.export.inference import INPUTS, OUTPUTS, PROVIDERS, OnnxForecaster
from football_assets.export.onnx_graph import write_onnx
from football_assets.export.quantisation import write_int8
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Fit
from football_assets.training.network import MatchForecaster
from football_assets.training.split import TimeSplit

SERVED = "ONNX float32, as served"
SHARES_PRUNED = (0.3, 0.5, 0.8)
SHARES_FINE_TUNED = (0.5, 0.8)
ROUNDS = 15
CALLS = {1: 100, 64: 20, 1000: 5}  # of each of two variants in a round, by batch size
_TEST_BATCH = 4096
_SMALLEST_STORED = 16  # numbers; smaller tensors, such as single constants, stay as they are


Forecast = Callable[[NetworkInputs], NDArray[np.float32]]


@dataclass(frozen=True)
class Latency:
    """Milliseconds of a call, and the median over rounds of its time divided by the served file's beside it."""

    median: float
    p99: float
    ratio: float


@dataclass(frozen=True)
class Inference:
    """A variant beside the served file, on the test matches. Where it cannot run, `failure` says why.

    `bytes` of the file, `gzipped` those of its gzip; `latency` by batch size; `difference` is the most that a
    probability moved.
    """

    variant: str
    failure: str = ""
    bytes: int = 0
    gzipped: int = 0
    latency: dict[int, Latency] | None = None
    log_loss: float = 0
    ece: float = 0
    difference: float = 0


@dataclass(frozen=True)
class Candidate:
    """A variant to measure: its file, and what makes its forecasts once it is called."""

    variant: str
    file: Path
    open: Callable[[], Forecast]


def measure_inference(
    fits: dict[str, Fit],
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    folder: Path,
    report: Callable[[str], None],
) -> list[Inference]:
    """Every variant beside the served file; files are written to a folder."""
    batch = tensors.take(split.test)
    test: NetworkInputs = (batch.home_history, batch.away_history, batch.context)
    outcome = np.asarray(tensors.outcome[split.test])
    served_file = folder / "model.onnx"
    write_onnx(fits[EAGER].network, test, served_file)
    served = as_served(served_file)
    expected = forecast_all(served, test)
    rows = []
    for candidate in (
        Candidate(SERVED, served_file, lambda: as_served(served_file)),
        *with_other_settings(served_file),
        *with_smaller_numbers(served_file, folder),
        *with_fewer_weights(fits, tensors, split, config, folder, test),
        *in_torch(fits[EAGER].network, folder),
    ):
        report(candidate.variant)
        if reason := cannot_run(candidate.variant):
            rows.append(Inference(candidate.variant, failure=reason))
            continue
        try:
            forecast = candidate.open()
            probabilities = forecast_all(forecast, test)
        except (
            Exception
        ) as error:  # onnxruntime's and the quantisers' errors share no base class but Exception
            rows.append(Inference(candidate.variant, failure=first_line(error)))
            continue
        scores = score(probabilities, outcome)
        content = candidate.file.read_bytes()
        rows.append(
            Inference(
                variant=candidate.variant,
                bytes=len(content),
                gzipped=len(gzip.compress(content, mtime=0)),
                latency={size: latency_beside(served, forecast, first(test, size)) for size in CALLS},
                log_loss=scores.log_loss,
                ece=scores.ece,
                difference=float(np.abs(probabilities - expected).max()),
            )
        )
    return rows


def with_other_settings(file: Path) -> Iterator[Candidate]:
    """The served file under other session options than those of serving: one thread, ONNX Runtime's defaults."""
    import onnxruntime

    level = onnxruntime.GraphOptimizationLevel

    def candidate(name: str, threads: int = 1, optimisation: object = None, **entries: str) -> Candidate:
        def open_session() -> Forecast:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            if optimisation is not None:
                options.graph_optimization_level = optimisation
            for key, value in entries.items():
                options.add_session_config_entry(key.replace("__", "."), value)
            session = onnxruntime.InferenceSession(str(file), options, providers=[PROVIDERS["cpu"]])
            return lambda inputs: session.run(list(OUTPUTS), dict(zip(INPUTS, inputs, strict=True)))[0]

        return Candidate(name, file, open_session)

    yield candidate("optimisations off", optimisation=level.ORT_DISABLE_ALL)
    yield candidate("optimisations basic", optimisation=level.ORT_ENABLE_BASIC)
    yield candidate("optimisations all, named", optimisation=level.ORT_ENABLE_ALL)
    yield candidate("denormals as zero", session__set_denormal_as_zero="1")
    yield candidate("2 threads, spinning", threads=2)
    yield candidate("2 threads, no spinning", threads=2, session__intra_op__allow_spinning="0")


def with_smaller_numbers(file: Path, folder: Path) -> Iterator[Candidate]:
    """Integers of 8 bits, and floats of 16."""

    def candidate(name: str, stem: str, write: Callable[[Path], None]) -> Candidate:
        target = folder / f"{stem}.onnx"

        def open_file() -> Forecast:
            write(target)
            return as_served(target)

        return Candidate(name, target, open_file)

    yield candidate("int8 dynamic, large weights", "int8", lambda out: write_int8(file, out))
    yield candidate("int8 dynamic, all weights", "int8_all", lambda out: write_int8_throughout(file, out))
    for name in ("float16", "bfloat16"):
        yield candidate(
            f"{name} weights, float32 arithmetic",
            f"{name}_weights",
            partial(store_weights, file, name=name),
        )
    yield candidate("float16 throughout", "float16", lambda out: write_float16(file, out, keep=[]))
    yield candidate(
        "float16 but the LSTM", "float16_part", lambda out: write_float16(file, out, keep=["LSTM"])
    )


def with_fewer_weights(
    fits: dict[str, Fit],
    tensors: SequenceTensors,
    split: TimeSplit,
    config: TrainingConfig,
    folder: Path,
    test: NetworkInputs,
) -> Iterator[Candidate]:
    """Weights of small magnitude set to zero, before and after fine-tuning; and a network of half the width."""
    network = fits[EAGER].network

    def candidate(name: str, stem: str, make: Callable[[], MatchForecaster]) -> Candidate:
        target = folder / f"{stem}.onnx"

        def open_file() -> Forecast:
            write_onnx(make(), test, target)
            return as_served(target)

        return Candidate(name, target, open_file)

    for share in SHARES_PRUNED:
        name = f"{share:.0%} pruned"
        yield candidate(name, f"pruned_{share}", partial(pruned, network, share))
        if share in SHARES_FINE_TUNED:
            yield candidate(
                f"{name}, fine-tuned",
                f"tuned_{share}",
                partial(fine_tuned, network, share, tensors, split, config),
            )
    if NARROW in fits:
        yield candidate(NARROW, "narrow", lambda: fits[NARROW].network)


def in_torch(network: MatchForecaster, folder: Path) -> Iterator[Candidate]:
    """The network without ONNX."""
    file = folder / "checkpoint.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, file)

    def opened(forward: Callable[..., tuple[torch.Tensor, torch.Tensor]]) -> Forecast:
        def forecast(inputs: NetworkInputs) -> NDArray[np.float32]:
            with torch.inference_mode():
                probabilities: NDArray[np.float32] = forward(*map(torch.from_numpy, inputs))[0].numpy()
            return probabilities

        return forecast

    yield Candidate("PyTorch eager", file, lambda: opened(network))
    yield Candidate("PyTorch, torch.compile", file, lambda: opened(torch.compile(network)))


def as_served(file: Path) -> Forecast:
    """Probabilities as a replica computes them."""
    forecaster = OnnxForecaster(file)
    return lambda inputs: forecaster.predict(*inputs)[0]


def write_int8_throughout(file: Path, out: Path) -> None:
    """Quantise the small matrices too, which `write_int8` leaves."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(file, out, weight_type=QuantType.QInt8, reduce_range=True)


def store_weights(file: Path, out: Path, name: str) -> None:
    """Store a file's weights as `float16` or `bfloat16`, converted back to float32 when the session loads them."""
    import ml_dtypes
    import onnx
    from onnx import numpy_helper

    kind = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}[name]
    model = onnx.load(file)
    graph = model.graph
    casts = []
    for weight in list(graph.initializer):
        if weight.data_type != onnx.TensorProto.FLOAT or math.prod(weight.dims) < _SMALLEST_STORED:
            continue
        stored = f"{weight.name}_{name}"
        values = numpy_helper.to_array(weight).astype(kind)
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values, stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [weight.name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, out)


def write_float16(file: Path, out: Path, keep: list[str]) -> None:
    """Compute in float16 but for some operators; inputs and outputs stay float32."""
    import onnx
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    model = convert_float_to_float16(
        onnx.load(file), keep_io_types=True, op_block_list=[*DEFAULT_OP_BLOCK_LIST, *keep]
    )
    onnx.save(model, out)


def first(inputs: NetworkInputs, size: int) -> NetworkInputs:
    """Return the first rows, starting over where there are fewer."""
    home, away, context = (tensor[np.arange(size) % len(tensor)] for tensor in inputs)
    return home, away, context


def forecast_all(forecast: Forecast, inputs: NetworkInputs) -> NDArray[np.float32]:
    """Probabilities [n, 3] of all matches, some thousands at a time."""
    starts = range(0, len(inputs[0]), _TEST_BATCH)
    parts = []
    for start in starts:
        home, away, context = (tensor[start : start + _TEST_BATCH] for tensor in inputs)
        parts.append(forecast((home, away, context)))
    return np.concatenate(parts)


def latency_beside(served: Forecast, forecast: Forecast, inputs: NetworkInputs) -> Latency:
    """Time a forecast and the served one in turns; which comes first alternates."""
    calls = CALLS[len(inputs[0])]
    pair = (forecast, served)
    for each in pair:
        seconds_of(each, inputs, calls)
    own: list[float] = []
    ratios = []
    for number in range(ROUNDS):
        order = pair if number % 2 else pair[::-1]
        seconds = {each: seconds_of(each, inputs, calls) for each in order}
        own += seconds[forecast]
        ratios.append(statistics.median(seconds[forecast]) / statistics.median(seconds[served]))
    return Latency(
        median=1000 * statistics.median(own),
        p99=1000 * float(np.quantile(own, 0.99)),
        ratio=statistics.median(ratios),
    )


def seconds_of(forecast: Forecast, inputs: NetworkInputs, calls: int) -> list[float]:
    """Seconds of each of some calls."""
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        forecast(inputs)
        seconds.append(time.perf_counter() - started)
    return seconds
