"""Latency of a forecaster: median time of one call, for one fixture and for a batch."""

import statistics
import time

from football_assets.export.batches import NetworkInputs, first_rows
from football_assets.export.inference import OnnxForecaster

_CALLS = {1: 200, 256: 20}  # measured calls by batch size


def measure_latency(forecaster: OnnxForecaster, example: NetworkInputs) -> dict[str, float]:
    """Measure the median milliseconds of one call for one fixture (`single`) and for 256 (`batch_256`).

    The first call of each size warms up and is not counted.
    """
    medians = {}
    for size, calls in _CALLS.items():
        rows = first_rows(example, size)
        forecaster.predict(*rows)
        seconds = []
        for _ in range(calls):
            start = time.perf_counter()
            forecaster.predict(*rows)
            seconds.append(time.perf_counter() - start)
        medians["single" if size == 1 else f"batch_{size}"] = 1000 * statistics.median(seconds)
    return medians
