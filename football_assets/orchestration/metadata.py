"""Metadata of assets and checks that several stages share.

Checks write reasons; `in_process_runs` reads them for the command line.
"""

from collections.abc import Mapping, Sequence

from dagster import AssetCheckEvaluation, JsonMetadataValue, MetadataValue

from football_assets.orchestration.figures import data_url

OWNERS = ["team:forecasting"]
LEARNING_GROUP = "learning"  # training and tuning are one group of assets
PREVIEW_ROWS = 10  # of a table in metadata
_KEY = "reasons"


def reasons_metadata(reasons: Sequence[tuple[str, int]]) -> dict[str, MetadataValue]:
    """Build metadata for an asset check.

    Parameters
    ----------
    reasons
        Each reason with its number of records, the most frequent first.
    """
    return {_KEY: MetadataValue.json([[reason, count] for reason, count in reasons])}


def reasons_of(evaluation: AssetCheckEvaluation) -> tuple[tuple[str, int], ...]:
    """Return the reasons in a check's metadata with their numbers of records; empty if there are none."""
    metadata: Mapping[str, MetadataValue] = evaluation.metadata
    value = metadata.get(_KEY)
    pairs = value.data if isinstance(value, JsonMetadataValue) else None
    return tuple((str(reason), int(count)) for reason, count in pairs) if isinstance(pairs, list) else ()


def tracked_value(where: str) -> MetadataValue:
    """Show where W&B has a step: as a link if it is a URL, else as text."""
    return MetadataValue.url(where) if where.startswith("http") else MetadataValue.text(where)


def markdown_picture(png: bytes, title: str) -> MetadataValue:
    """Embed a picture in Markdown for the Dagster UI."""
    return MetadataValue.md(f"![{title}]({data_url(png)})")
