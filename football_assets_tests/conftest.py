"""What all tests share: one thread for numerical libraries, and the features of simulated countries, built once."""

import os

import pytest

from football_assets_tests.worlds import SimulatedCountries, simulated_countries

# Threads of tiny matrix products wait for each other for longer than they work. Child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def countries(tmp_path_factory: pytest.TempPathFactory) -> SimulatedCountries:
    return simulated_countries(tmp_path_factory.mktemp("countries"))
