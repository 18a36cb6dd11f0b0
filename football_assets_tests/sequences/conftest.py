"""The team state of the simulated country that holds the true results."""

import pytest

from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.state import TeamState
from football_assets_tests.builders.team_states import table_of
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries


@pytest.fixture(scope="session")
def state(countries: SimulatedCountries) -> TeamState:
    return TeamState(table_of(countries.tables.of(TRUTH)), DEFAULT_SPEC)
