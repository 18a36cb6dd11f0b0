"""The cost of the prediction log: processor time of a forecast in the service with and without it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from benchmarks.speed.figures import ServeFigure
from benchmarks.speed.workload import Workload


def log_figures(workload: Workload, batch_size: float, cpu_seconds: float) -> Iterator[ServeFigure]:
    """What the prediction log costs: processor time of a forecast in the service with and without it.

    Both are measured in this process, in turn, on batches as large as those at saturation. The share is of all
    processor time that a replica spent on a request then, HTTP included; at saturation that is its share of throughput.
    """
    size = max(1, round(batch_size))
    logged, unlogged = service_costs(workload, size)
    cost = logged.cpu - unlogged.cpu
    yield ServeFigure("fixtures in an inference at saturation", batch_size, "")
    yield ServeFigure("processor time of a replica for a request then", cpu_seconds * 1e6, "µs")
    yield ServeFigure("  of it for the prediction log", cost * 1e6, "µs")
    yield ServeFigure("  its share", 100 * cost / cpu_seconds, "%", most=5)
    waits = (logged.elapsed - unlogged.elapsed - cost) * size
    yield ServeFigure("  wait for the disk, a batch, in which other requests are read", waits * 1000, "ms")


@dataclass
class Cost:
    """Seconds for a forecast."""

    cpu: float = 0.0
    elapsed: float = 0.0


def service_costs(workload: Workload, size: int, seconds: float = 6.0) -> tuple[Cost, Cost]:
    """Seconds for a fixture in batches of some size, with the prediction log and without."""
    import numpy as np

    from football_assets.storage.opening import open_bucket
    from serve.metrics import ServingMetrics
    from serve.schemas import FixtureRequest
    from serve.served_model import FixtureQuery
    from serve.service import ForecastService, ModelChoice

    class Unlogged(ForecastService):
        def release(self, queries: Any, outcomes: Any, seconds: float) -> Any:
            self.metrics.observe_predictions(np.array([item.probabilities for item in outcomes]), "predict")
            return outcomes

    bodies = cycle(workload.fixtures)

    def queries() -> list[FixtureQuery]:
        return [
            FixtureQuery(f"{n:032x}", "predict", FixtureRequest.model_validate(body))
            for n, body in enumerate(islice(bodies, size))
        ]

    services: list[ForecastService] = [
        kind(
            open_bucket(str(workload.home / "bucket")),
            workload.home / "scratch" / kind.__name__,
            ServingMetrics(),
        )
        for kind in (ForecastService, Unlogged)
    ]
    costs = (Cost(), Cost())
    for service in services:
        service.load(ModelChoice(provider="cpu"))
        for _ in range(50):
            service.answer(queries())
    fixtures = 0
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        asked = queries()
        fixtures += size
        for service, cost in zip(services, costs, strict=True):
            cpu, elapsed = time.process_time(), time.perf_counter()
            service.answer(asked)
            cost.cpu += time.process_time() - cpu
            cost.elapsed += time.perf_counter() - elapsed
    for service, cost in zip(services, costs, strict=True):
        service.close()
        cost.cpu /= fixtures
        cost.elapsed /= fixtures
    return costs
