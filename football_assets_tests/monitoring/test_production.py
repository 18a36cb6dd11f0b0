"""What the drift report reads of the production version, and of others where production is not enough."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from football_assets.errors import RegistryError, SignaturePolicyError
from football_assets.monitoring.production import (
    RESULT_COLUMNS,
    last_result_known,
    last_result_learnt,
    load_production,
    with_the_same_inputs,
)
from football_assets.registry.store import VERSIONS, Registry
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec
from football_assets.storage.local import LocalBucket
from football_assets.storage.model_files import FEATURE_SPEC, REFERENCE, TEAM_STATE
from football_assets_tests.builders.prediction_logs import (
    publish_inputs,
    publish_production,
    reference_like,
)
from football_assets_tests.builders.signing_keys import make_key

ROWS = reference_like(30)
FEWER_INPUTS = DEFAULT_SPEC.model_copy(update={"context": DEFAULT_SPEC.context[:2]})


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(LocalBucket(tmp_path / "bucket"))


def publish(
    registry: Registry,
    tmp_path: Path,
    as_of: date,
    rows: pl.DataFrame = ROWS,
    spec: FeatureSpec = DEFAULT_SPEC,
) -> int:
    """Publish a version that knows results until a day, and promote it."""
    return publish_production(registry.bucket, tmp_path / f"version of {as_of}", rows, as_of, spec)


def test_production_is_read_with_its_inputs_its_reference_and_the_last_result_it_knows(
    registry: Registry, tmp_path: Path
) -> None:
    publish(registry, tmp_path, date(2015, 11, 8))
    publish(registry, tmp_path, date(2015, 11, 15), ROWS.head(7), FEWER_INPUTS)
    publish_inputs(registry.bucket, tmp_path / "candidate")

    production = load_production(registry)

    assert production is not None
    assert production.version == 2
    assert production.published == registry.manifest(2).published > registry.manifest(1).published
    assert production.as_of == date(2015, 11, 15)
    assert production.spec == FEWER_INPUTS
    assert production.reference.equals(ROWS.head(7))
    assert production.has_results


def test_without_a_version_in_production_there_is_none(registry: Registry, tmp_path: Path) -> None:
    assert load_production(registry) is None
    publish_inputs(registry.bucket, tmp_path / "candidate")
    assert load_production(registry) is None


@pytest.mark.parametrize("column", RESULT_COLUMNS)
def test_a_reference_without_one_of_the_result_columns_has_no_results(
    registry: Registry, tmp_path: Path, column: str
) -> None:
    publish(registry, tmp_path, date(2015, 11, 8), ROWS.drop(column))

    production = load_production(registry)

    assert production is not None
    assert not production.has_results


@pytest.mark.parametrize("name", [FEATURE_SPEC, REFERENCE, TEAM_STATE])
def test_a_file_of_production_that_is_corrupt_is_an_error_of_the_registry(
    registry: Registry, tmp_path: Path, name: str
) -> None:
    publish(registry, tmp_path, date(2015, 11, 8))
    registry.bucket.write(f"{VERSIONS}1/{name}", b"torn")

    with pytest.raises(RegistryError, match=name):
        load_production(registry)


def publish_teams(registry: Registry, folder: Path, *days: date | None) -> int:
    """Publish a version whose teams played last on these days."""
    folder.mkdir()
    state = pl.DataFrame({"last_kickoff_date": pl.Series(days, dtype=pl.Date)})
    state.write_parquet(folder / TEAM_STATE)
    return registry.publish(folder, {})


def test_the_last_result_of_a_version_is_the_latest_of_any_team(registry: Registry, tmp_path: Path) -> None:
    played = publish_teams(
        registry, tmp_path / "played", date(2015, 11, 1), None, date(2015, 11, 7), date(2014, 5, 1)
    )
    unplayed = publish_teams(registry, tmp_path / "unplayed", None)
    without_teams = publish_teams(registry, tmp_path / "without teams")

    assert last_result_known(registry.open(played)) == date(2015, 11, 7)
    assert last_result_known(registry.open(unplayed)) is None
    assert last_result_known(registry.open(without_teams)) is None
    with pytest.raises(RegistryError):
        last_result_known(registry.open(4))


def test_the_newest_version_that_can_be_read_and_has_teams_says_what_was_learnt(
    registry: Registry, tmp_path: Path
) -> None:
    assert last_result_learnt(registry) is None
    publish(registry, tmp_path, date(2015, 11, 8))
    publish(registry, tmp_path, date(2015, 11, 15))
    publish(registry, tmp_path, date(2015, 11, 1))  # the newest version counts, not the latest day
    registry.rollback()
    assert last_result_learnt(registry) == date(2015, 11, 1)

    publish_inputs(registry.bucket, tmp_path / "without the file")
    assert last_result_learnt(registry) == date(2015, 11, 1)
    publish_teams(registry, tmp_path / "without teams")
    assert last_result_learnt(registry) == date(2015, 11, 1)
    registry.bucket.write(f"{VERSIONS}3/{TEAM_STATE}", b"torn")
    assert last_result_learnt(registry) == date(2015, 11, 15)


def test_versions_with_other_inputs_or_an_unreadable_specification_are_left_out(
    registry: Registry, tmp_path: Path
) -> None:
    publish(registry, tmp_path, date(2015, 11, 8), ROWS.head(1))
    publish(registry, tmp_path, date(2015, 11, 9), ROWS.head(2), FEWER_INPUTS)
    publish(registry, tmp_path, date(2015, 11, 10), ROWS.head(3))
    longer = DEFAULT_SPEC.model_copy(update={"history_length": 5})
    publish(registry, tmp_path, date(2015, 11, 11), ROWS.head(4), longer)
    publish(registry, tmp_path, date(2015, 11, 12), ROWS.head(5))
    registry.bucket.write(f"{VERSIONS}5/{FEATURE_SPEC}", b"torn")
    (tmp_path / "of another format").mkdir()
    (tmp_path / "of another format" / FEATURE_SPEC).write_text('{"inputs": []}')
    registry.publish(tmp_path / "of another format", {})
    publish(registry, tmp_path, date(2015, 11, 13), ROWS.head(7))
    production = load_production(registry)
    assert production is not None

    found = with_the_same_inputs(registry, production, [8, 7, 6, 5, 4, 3, 2, 1])

    assert found == [7, 4, 3, 1]


def test_production_itself_counts_although_its_specification_is_gone(
    registry: Registry, tmp_path: Path
) -> None:
    publish(registry, tmp_path, date(2015, 11, 8))
    production = load_production(registry)
    assert production is not None
    registry.bucket.delete(f"{VERSIONS}1/{FEATURE_SPEC}")

    assert with_the_same_inputs(registry, production, [1, 2]) == [1]


def test_a_key_that_cannot_be_read_is_an_error_and_not_a_registry_without_usable_versions(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(tmp_path / "keys")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    publish(registry, tmp_path, date(2015, 11, 8), ROWS.head(1))
    publish(registry, tmp_path, date(2015, 11, 9), ROWS.head(2))
    reader = Registry(registry.bucket, key.verifying)
    production = load_production(reader)
    assert production is not None
    assert last_result_learnt(reader) == date(2015, 11, 9)
    assert with_the_same_inputs(reader, production, [2, 1]) == [2, 1]

    key.public.write_text("garbled")

    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS"):
        last_result_learnt(reader)
    with pytest.raises(SignaturePolicyError, match="FOOTBALL_VERIFY_KEYS"):
        with_the_same_inputs(reader, production, [2, 1])
