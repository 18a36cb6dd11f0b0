"""The Ray cluster that the sweeps of the tests join."""

from collections.abc import Iterator

import pytest

from football_assets.training.parallel.ray_cluster import ray_cluster


@pytest.fixture(scope="package")
def _ray() -> Iterator[None]:
    """One cluster for the tests that need it: each sweep joins the one that runs."""
    with ray_cluster(least_cpus=2):
        yield
