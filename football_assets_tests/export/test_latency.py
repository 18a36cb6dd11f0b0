"""Latency: the median of the calls after the first."""

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from football_assets.export import latency


def test_latency_is_the_median_of_calls_after_the_first_for_one_fixture_and_for_a_batch(
    report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    class Forecaster:
        """Takes 1 s for the first call of a size and 2 ms, or 30 ms for a batch, for each later one."""

        sizes: ClassVar[list[int]] = []

        def predict(self, home: np.ndarray, away: np.ndarray, context: np.ndarray) -> None:
            (size,) = {len(home), len(away), len(context)}
            now[0] += (0.002 if size == 1 else 0.03) if size in self.sizes else 1.0
            self.sizes.append(size)

    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    home, away, context = (np.zeros(shape, np.float32) for shape in ((3, 2, 4), (3, 2, 4), (3, 5)))
    found = latency.measure_latency(Forecaster(), (home, away, context))  # type: ignore[arg-type]

    assert found == {"single": pytest.approx(2), "batch_256": pytest.approx(30)}
    assert (Forecaster.sizes.count(1), Forecaster.sizes.count(256)) == (201, 21)
    assert {variant: set(found) for variant, found in report["latency_ms"].items()} == {
        "float32": {"single", "batch_256"},
        "int8": {"single", "batch_256"},
    }
