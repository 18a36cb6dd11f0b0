"""The `sequence_tensors` asset in a Dagster run."""

from pathlib import Path

import numpy as np
import pytest
from dagster import AssetSpec, materialize

from football_assets.orchestration.io_managers import FolderIOManager, TableIOManager
from football_assets.orchestration.resources import BucketResource
from football_assets.sequences.assets import describe_spec, sequence_tensors
from football_assets.sequences.columns import columns_read
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.sequences.tensors import open_tensors
from football_assets.storage.artifacts import fetch
from football_assets_tests.builders.tables import write_by_country
from football_assets_tests.builders.worlds import TRUTH, SimulatedCountries

TABLES = tuple(columns_read())


@pytest.fixture
def bucket(countries: SimulatedCountries, tmp_path: Path) -> BucketResource:
    resource = BucketResource(url=str(tmp_path / "bucket"), scratch=str(tmp_path / "scratch"))
    for name in TABLES:
        write_by_country(resource.open(), name, getattr(countries.tables.of(TRUTH), name))
    return resource


def test_the_asset_stores_tensors_of_the_tables_as_an_artifact(
    countries: SimulatedCountries, bucket: BucketResource, tmp_path: Path
) -> None:
    (tmp_path / "expected").mkdir()
    expected = countries.tensors(TRUTH, tmp_path / "expected")
    resources = {
        "bucket": bucket,
        "tables": TableIOManager(bucket=bucket),
        "folders": FolderIOManager(bucket=bucket),
    }
    tables = [AssetSpec(name).with_io_manager_key("tables") for name in TABLES]

    result = materialize([*tables, sequence_tensors], resources=resources, selection=[sequence_tensors])

    found = open_tensors(fetch(bucket.open(), "sequence_tensors", tmp_path))
    np.testing.assert_array_equal(found.context, expected.context)
    np.testing.assert_array_equal(found.past, expected.past)
    np.testing.assert_array_equal(found.away_span, expected.away_span)
    (event,) = result.asset_materializations_for_node("sequence_tensors")
    metadata = {name: value.value for name, value in event.metadata.items()}
    assert metadata["matches"] == len(expected)
    assert metadata["played"] == int(expected.played.sum())
    assert metadata["past_matches_shape"] == f"({2 * int(expected.played.sum()) + 1}, 28)"
    assert metadata["history_length"] == 10
    assert list(Path(bucket.scratch).iterdir()) == []


def test_the_description_has_a_line_a_feature_with_unit_and_range() -> None:
    lines = describe_spec(DEFAULT_SPEC).splitlines()

    assert len(lines) == 2 + len(DEFAULT_SPEC.history) + len(DEFAULT_SPEC.context)
    assert (
        "| context | `home_elo` | Elo points | 0 to 4000 | Elo rating before the match, home team. |" in lines
    )
    assert "| history | `goals_for` | goals | 0 to 8 | Goals the team scored. |" in lines
