"""The small graph as a code location, on the bucket of the environment."""

from football_assets.settings import get_settings
from football_assets_tests.builders.small_graph import small_definitions

defs = small_definitions(get_settings())
