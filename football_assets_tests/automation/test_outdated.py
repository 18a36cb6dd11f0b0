"""Assets that are older than what was read, or built by other code, country by country."""

from collections.abc import Iterator

import dagster as dg
import pytest

from football_assets.automation.outdated import Outdated, find_outdated

ONE_RUN = dg.BackfillPolicy.single_run()
COUNTRIES = dg.DynamicPartitionsDefinition(name="countries")


def assets(
    form: str | None = "1", ratings: str | None = "1", tensors: str | None = "1"
) -> list[dg.AssetsDefinition]:
    """A graph like the project's with these code versions."""

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(name, partitions_def=COUNTRIES) for name in ("raw_matches", "raw_matches_rejected")
        ],
        partitions_def=COUNTRIES,
        backfill_policy=ONE_RUN,
    )
    def read() -> Iterator[dg.MaterializeResult]:
        for name in ("raw_matches", "raw_matches_rejected"):
            yield dg.MaterializeResult(asset_key=name)

    @dg.asset(deps=["raw_matches"], partitions_def=COUNTRIES, backfill_policy=ONE_RUN, code_version=form)
    def team_form() -> None: ...

    @dg.asset(deps=["raw_matches"], partitions_def=COUNTRIES, backfill_policy=ONE_RUN, code_version=ratings)
    def team_ratings() -> None: ...

    @dg.asset(deps=["team_form"], partitions_def=COUNTRIES, backfill_policy=ONE_RUN)
    def match_features() -> None: ...

    @dg.asset(deps=["match_features", "team_ratings"], code_version=tensors)
    def sequence_tensors() -> None: ...

    return [read, team_form, team_ratings, match_features, sequence_tensors]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("countries", ["at", "de"])
        yield instance


def build(
    instance: dg.DagsterInstance, *names: str, first: str = "at", last: str = "de", **code: str | None
) -> None:
    """Run some assets, the partitioned ones for a range of countries."""
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    selection = dg.AssetSelection.assets(*names) if names else None
    assert dg.materialize(assets(**code), instance=instance, selection=selection, tags=tags).success


def find(instance: dg.DagsterInstance, **code: str | None) -> Outdated | None:
    graph = dg.Definitions(assets=assets(**code)).get_repository_def().asset_graph
    return find_outdated(instance, graph, graph.materializable_asset_keys)


def found(instance: dg.DagsterInstance, **code: str | None) -> tuple[list[str], list[str]] | None:
    outdated = find(instance, **code)
    return None if outdated is None else ([key.path[-1] for key in outdated.keys], outdated.countries)


READ = ("raw_matches", "raw_matches_rejected")
BUILT = ["match_features", "sequence_tensors", "team_form", "team_ratings"]


def test_nothing_is_outdated_before_anything_was_read_and_after_all_was_built(
    instance: dg.DagsterInstance,
) -> None:
    assert found(instance) is None

    build(instance)

    assert found(instance) is None


def test_what_was_never_built_is_outdated(instance: dg.DagsterInstance) -> None:
    build(instance, *READ, last="at")

    assert found(instance) == (BUILT, ["at"])


def test_a_country_that_was_read_and_not_built_is_found_behind_a_later_run_of_another(
    instance: dg.DagsterInstance,
) -> None:
    build(instance)
    build(instance, *READ, last="at")  # the run failed after this
    build(instance, first="de")

    assert found(instance) == (BUILT, ["at"])


def test_an_asset_without_partitions_is_outdated_alone(instance: dg.DagsterInstance) -> None:
    build(instance)
    build(instance, *READ, "team_form", "team_ratings", "match_features")

    assert found(instance) == (["sequence_tensors"], [])


def test_an_event_is_named_after_the_last_reading(instance: dg.DagsterInstance) -> None:
    build(instance, *READ)
    first = find(instance)
    again = find(instance)
    build(instance, *READ)
    later = find(instance)

    assert first is not None
    assert again == first
    assert later is not None
    assert later.event != first.event


def test_a_new_code_version_rebuilds_the_asset_and_what_is_built_from_it(
    instance: dg.DagsterInstance,
) -> None:
    build(instance)

    assert found(instance, form="2") == (["match_features", "sequence_tensors", "team_form"], ["at", "de"])
    assert found(instance, ratings="2") == (["sequence_tensors", "team_ratings"], ["at", "de"])
    assert found(instance, tensors="2") == (["sequence_tensors"], [])

    build(instance, "team_form", "match_features", "sequence_tensors", form="2")

    assert found(instance, form="2") is None


def test_a_country_that_earlier_code_built_is_found_behind_a_later_run_of_another(
    instance: dg.DagsterInstance,
) -> None:
    build(instance)
    build(instance, last="at", form="2")

    assert found(instance, form="2") == (["match_features", "sequence_tensors", "team_form"], ["de"])


def test_an_asset_that_had_no_code_version_is_not_rebuilt_for_having_one(
    instance: dg.DagsterInstance,
) -> None:
    build(instance, form=None, ratings=None, tensors=None)

    assert found(instance) is None


def test_each_code_version_is_an_event_of_its_own(instance: dg.DagsterInstance) -> None:
    build(instance)

    events = {
        outdated.event
        for outdated in (find(instance, form="2"), find(instance, form="3"), find(instance, ratings="2"))
        if outdated is not None
    }

    assert len(events) == 3
    changed = find(instance, form="2", tensors="2")
    assert changed is not None
    assert [key.path[-1] for key in changed.other_code] == ["sequence_tensors", "team_form"]
