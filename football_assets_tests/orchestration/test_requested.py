"""What other runs have materialized since a run, or its backfill, was requested."""

from collections.abc import Iterator

import dagster as dg
import pytest

from football_assets.orchestration.requested import materialized_since_request, requested_at
from football_assets_tests.builders.backfills import add_backfill


@dg.asset
def model() -> None:
    """Stands for a model."""


JOB = dg.Definitions(assets=[model]).resolve_implicit_global_asset_job_def()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_materialization_by_another_run_counts_if_it_is_later_than_the_request(
    instance: dg.DagsterInstance,
) -> None:
    before = instance.create_run_for_job(job_def=JOB)
    assert materialized_since_request(instance, before, model.key) is None

    other = JOB.execute_in_process(instance=instance)
    after = instance.create_run_for_job(job_def=JOB)

    event = materialized_since_request(instance, before, model.key)
    assert event is not None
    assert event.run_id == other.run_id
    assert materialized_since_request(instance, other.dagster_run, model.key) is None
    assert materialized_since_request(instance, after, model.key) is None


def test_a_run_of_a_backfill_was_requested_with_the_backfill(instance: dg.DagsterInstance) -> None:
    backfill_id = add_backfill(instance, "model")
    other = JOB.execute_in_process(instance=instance)
    run = instance.create_run_for_job(job_def=JOB, tags={"dagster/backfill": backfill_id})

    backfill = instance.get_backfill(backfill_id)
    assert backfill is not None
    assert requested_at(instance, run) == backfill.backfill_timestamp
    event = materialized_since_request(instance, run, model.key)
    assert event is not None
    assert event.run_id == other.run_id
