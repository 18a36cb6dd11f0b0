"""The features of three countries, built once by the Dagster graph for all tests of this folder that read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetSelection, DagsterInstance, ExecuteInProcessResult, materialize

from football_assets.features.assets import assets
from football_assets.features.checks import checks
from football_assets.orchestration.io_managers import TableIOManager
from football_assets.orchestration.partitions import register_countries, run_tags
from football_assets.orchestration.resources import BucketResource
from football_assets.storage.tables import read_table
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import (
    MatchRow,
    in_country,
    raw_matches,
    rewritten_from,
    simulated_country,
)

REWRITTEN_FROM = date(2011, 9, 4)
COUNTRIES = ["alt", "han", "nix", "sim"]  # no match of `nix` has landed
HAND_COUNTRY = [
    MatchRow("1", "2024-25", date(2024, 8, 3), "Ash", "Birch", (2, 0)),
    MatchRow("1", "2024-25", date(2024, 8, 3), "Cedar", "Elm", (1, 1)),
    MatchRow("1", "2024-25", date(2024, 8, 10), "Birch", "Cedar", (3, 1)),
    MatchRow("1", "2024-25", date(2024, 8, 10), "Elm", "Ash", (0, 0)),
    MatchRow("1", "2024-25", date(2024, 8, 17), "Ash", "Cedar", (1, 2)),
    MatchRow("1", "2024-25", date(2024, 8, 24), "Ash", "Birch"),
    MatchRow("1", "2024-25", date(2024, 8, 24), "Fir", "Gorse"),
    MatchRow("1", "2025-26", date(2025, 8, 2), "Ash", "Cedar"),
]


@dataclass(frozen=True)
class Features:
    """A bucket with the tables of the graph's run."""

    bucket: BucketResource
    run: ExecuteInProcessResult

    def table(self, name: str, country: str | None = None) -> pl.DataFrame:
        table = read_table(self.bucket.open(), name)
        return table if country is None else table.filter(pl.col("league_id").str.starts_with(f"{country}."))


def run_graph(
    bucket: BucketResource, selection: AssetSelection | None = None, countries: Sequence[str] = COUNTRIES
) -> ExecuteInProcessResult:
    """Materialize the stage's assets of some countries and their checks, or the selection of them."""
    resources = {"bucket": bucket, "tables": TableIOManager(bucket=bucket)}
    with DagsterInstance.ephemeral() as instance:
        register_countries(instance, COUNTRIES)
        return materialize(
            [*assets, *checks],
            resources=resources,
            raise_on_error=False,
            selection=selection,
            instance=instance,
            tags=run_tags(countries, COUNTRIES),
        )


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> Features:
    """`sim` is simulated, `alt` is the same until a day and another world from then on, `han` is written by hand."""
    folder: Path = tmp_path_factory.mktemp("features")
    bucket = BucketResource(url=str(folder / "bucket"), scratch=str(folder / "scratch"))
    world = simulated_country("sim", seasons=2, teams=7)
    rows = pl.concat(
        [
            world,
            in_country(rewritten_from(world, REWRITTEN_FROM), "alt"),
            raw_matches("han", HAND_COUNTRY),
        ]
    )
    write_by_country(bucket.open(), "raw_matches", rows, COUNTRIES)
    return Features(bucket, run_graph(bucket))
