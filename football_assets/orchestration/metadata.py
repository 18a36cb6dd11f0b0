"""Reasons in the metadata of an asset check: the check writes them, `runs.py` reads them for the command line."""

from collections.abc import Mapping, Sequence

from dagster import AssetCheckEvaluation, JsonMetadataValue, MetadataValue

_KEY = "reasons"


def reasons_metadata(reasons: Sequence[tuple[str, int]]) -> dict[str, MetadataValue]:
    """Metadata of a check: how many records each reason concerns, the commonest first."""
    return {_KEY: MetadataValue.json([[reason, count] for reason, count in reasons])}


def reasons_of(evaluation: AssetCheckEvaluation) -> tuple[tuple[str, int], ...]:
    """The reasons that a check has written, with the number of records of each; none if it wrote none."""
    metadata: Mapping[str, MetadataValue] = evaluation.metadata
    value = metadata.get(_KEY)
    pairs = value.data if isinstance(value, JsonMetadataValue) else None
    return tuple((str(reason), int(count)) for reason, count in pairs) if isinstance(pairs, list) else ()
