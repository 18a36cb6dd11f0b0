"""The Dagster shell of the encoder."""

from pathlib import Path

from dagster import MaterializeResult, MetadataValue, asset

from football_assets.orchestration.code_versions import SEQUENCE_TENSORS_CODE
from football_assets.orchestration.resources import BucketResource
from football_assets.sequences.columns import columns_read
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec


@asset(
    group_name="learning",
    kinds={"numpy", "polars"},
    owners=["team:forecasting"],
    io_manager_key="folders",
    deps=list(columns_read()),
    code_version=SEQUENCE_TENSORS_CODE,
)
def sequence_tensors(bucket: BucketResource) -> MaterializeResult[Path]:
    """Encode the last ten matches of both teams and the context of every match as memory-mapped arrays.

    One row per match, played or not, in order of kick-off. A history has only matches of earlier calendar days; it is
    stored as a span of the team's matches. Units are goals, days and rating points:
    normalisation is part of the network. `feature_spec.json` names every column.
    """
    from football_assets.sequences.tensors import build_tensors, open_tensors

    folder = bucket.scratch_folder("sequence_tensors")
    build_tensors(bucket.open(), folder)
    tensors = open_tensors(folder)
    return MaterializeResult(
        value=folder,
        metadata={
            "matches": len(tensors),
            "played": int(tensors.played.sum()),
            "past_matches_shape": str(tensors.past.shape),
            "history_length": tensors.spec.history_length,
            "context_shape": str(tensors.context.shape),
            "features": MetadataValue.md(describe_spec(DEFAULT_SPEC)),
        },
    )


def describe_spec(spec: FeatureSpec) -> str:
    """Format the features as a Markdown table."""
    lines = ["| input | feature | unit | range | meaning |", "|---|---|---|---|---|"]
    for name, features in (("history", spec.history), ("context", spec.context)):
        lines += [
            f"| {name} | `{f.name}` | {f.unit} | {f.lower:g} to {f.upper:g} | {f.description} |"
            for f in features
        ]
    return "\n".join(lines)


assets = [sequence_tensors]
