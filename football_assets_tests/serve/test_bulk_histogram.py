"""Counts that are added at once."""

from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from football_assets_tests.builders.metric_processes import Replica, parse
from serve import metrics
from serve.bulk_histogram import BulkHistogram
from serve.metrics import (
    OUTCOMES,
    PROBABILITIES,
)

FORECASTS = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.46, 0.27, 0.27]])


def test_counts_added_at_once_are_those_of_one_observation_at_a_time(
    start_replica: Callable[[], Replica],
) -> None:
    start_replica().run(compare_bulk_with_single_observations)


def compare_bulk_with_single_observations() -> None:
    registry = CollectorRegistry()
    bulk = BulkHistogram("bulk", "p", ("outcome",), buckets=PROBABILITIES, registry=registry)
    single = Histogram("single", "p", ("outcome",), buckets=PROBABILITIES, registry=registry)
    rng = np.random.default_rng(7)
    on_bounds = np.array([[0.05, 0.0, 0.95], [1.0, 0.0, 0.0], [0.35, 0.30, 0.35]])
    batches = [on_bounds, np.empty((0, 3))] + [rng.dirichlet([3, 2, 2], size) for size in (1, 2, 33, 1000)]
    recorded = metrics.ServingMetrics()
    recorded._probabilities = tuple(bulk.labels(outcome) for outcome in OUTCOMES)
    for batch in (*batches, *(batch.astype(np.float32) for batch in batches)):
        recorded.observe_predictions(batch, "batch")
        for row in batch:
            for outcome, probability in zip(OUTCOMES, row.tolist(), strict=True):
                single.labels(outcome).observe(probability)

    merged = CollectorRegistry()
    MultiProcessCollector(merged)
    samples = parse(generate_latest(merged))
    buckets = {key: count for key, count in samples.items() if key[0].startswith("single_")}
    assert len(buckets) == 3 * (len(PROBABILITIES) + 1 + 2)
    for (name, labels), count in buckets.items():
        assert samples[name.replace("single", "bulk"), labels] == pytest.approx(count, rel=1e-12)
    assert buckets["single_bucket", frozenset({"outcome": "home", "le": "0.05"}.items())] > 0
