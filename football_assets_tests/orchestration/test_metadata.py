"""Reasons survive the way through an asset check's metadata; links and pictures are shown as such."""

from collections.abc import Mapping

import dagster as dg
import pytest

from football_assets.orchestration.metadata import (
    markdown_picture,
    reasons_metadata,
    reasons_of,
    tracked_value,
)


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


def test_where_a_step_is_tracked_is_a_link_only_if_it_is_a_url() -> None:
    assert tracked_value("https://wandb.example/runs/1") == dg.MetadataValue.url(
        "https://wandb.example/runs/1"
    )
    assert tracked_value("offline, in wandb/") == dg.MetadataValue.text("offline, in wandb/")


def test_a_picture_is_embedded_in_markdown_with_its_title() -> None:
    assert markdown_picture(b"\x89PNG", "Log loss by epoch") == dg.MetadataValue.md(
        "![Log loss by epoch](data:image/png;base64,iVBORw==)"
    )
