<<<<<<< HEAD
"""Reasons survive the way through an asset check's metadata."""

from collections.abc import Mapping

import dagster as dg
import pytest
=======
"""Reasons in the metadata of a check come back as they were written."""

import dagster as dg
>>>>>>> a0ed890 (test: mirror metadata, the bucket resource, tags and the drift thresholds)

from football_assets.orchestration.metadata import reasons_metadata, reasons_of


<<<<<<< HEAD
def evaluation_with(metadata: Mapping[str, dg.MetadataValue]) -> dg.AssetCheckEvaluation:
    """The evaluation that Dagster stores of a check with this metadata."""

    @dg.asset
    def matches() -> None: ...

    @dg.asset_check(asset=matches)
    def readable() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([matches, readable], instance=instance)
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def test_reasons_are_read_with_their_counts_in_the_order_in_which_they_were_written() -> None:
    reasons = [("the date is 31 June", 1200), ("no [score]", 3)]

    assert reasons_of(evaluation_with(reasons_metadata(reasons))) == tuple(reasons)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"rows": dg.MetadataValue.int(5)},
        {"reasons": dg.MetadataValue.text("several")},
        {"reasons": dg.MetadataValue.json({"several": 3})},
    ],
)
def test_metadata_without_a_list_of_reasons_has_none(metadata: Mapping[str, dg.MetadataValue]) -> None:
    assert reasons_of(evaluation_with(metadata)) == ()
=======
def evaluation(metadata: dict[str, dg.MetadataValue]) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("raw_matches"), check_name="few_are_rejected", passed=False, metadata=metadata
    )


def test_reasons_are_read_in_the_order_in_which_they_were_written() -> None:
    reasons = (("no date", 3), ("no [score]", 12))

    assert reasons_of(evaluation(reasons_metadata(reasons))) == reasons


def test_reasons_survive_the_event_log() -> None:
    stored = dg.serialize_value(evaluation(reasons_metadata([("no date", 3)])))

    assert reasons_of(dg.deserialize_value(stored, dg.AssetCheckEvaluation)) == (("no date", 3),)


def test_a_check_without_reasons_or_with_other_metadata_of_that_name_has_none() -> None:
    assert reasons_of(evaluation({})) == ()
    assert reasons_of(evaluation({"reasons": dg.MetadataValue.text("none")})) == ()
    assert reasons_of(evaluation({"reasons": dg.MetadataValue.json({"no date": 3})})) == ()
>>>>>>> a0ed890 (test: mirror metadata, the bucket resource, tags and the drift thresholds)
