"""Tables of a bucket, written as the assets write them."""

from collections.abc import Sequence

import polars as pl

from football_assets.domain.columns import countries_of, split_by_country
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import write_partitions


def write_by_country(
    bucket: Bucket, name: str, frame: pl.DataFrame, countries: Sequence[str] | None = None
) -> list[str]:
    """Replace the partitions of a frame's countries, or of those named; returns them."""
    keys = list(countries) if countries is not None else countries_of(frame)
    write_partitions(bucket, name, split_by_country(frame, keys))
    return keys
