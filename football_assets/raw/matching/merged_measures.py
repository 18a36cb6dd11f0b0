"""Merge the measures of the entries of a match, group by group."""

import polars as pl

from football_assets.domain.measures import MEASURE_COLUMNS, MEASURE_GROUPS


def with_measures(matches: pl.DataFrame, measures: pl.DataFrame) -> pl.DataFrame:
    """Add MEASURE_COLUMNS to matches.

    Each group of measures is that of the first entry that has it, so that a source with a group completes one that
    lacks it, and an entry without measures removes none.

    Parameters
    ----------
    matches
        Result of `merging.merge`: `row`, and `entries`, the rows of the entries of each match in order of preference.
    measures
        MEASURE_COLUMNS by `row`, for the rows that have any.
    """
    entries = (
        matches.select("row", "entries")
        .explode("entries")
        .with_columns(order=pl.int_range(pl.len(), dtype=pl.UInt32))
    )
    measured = entries.join(
        measures.rename({"row": "entries"}), on="entries", how="inner", maintain_order="left"
    )
    is_repeated = measured["row"].is_duplicated()
    merged = pl.concat([measured.filter(~is_repeated), _first_groups(measured.filter(is_repeated))])
    return matches.join(
        merged.select("row", *MEASURE_COLUMNS), on="row", how="left", maintain_order="left"
    ).drop("entries")


def _first_groups(measured: pl.DataFrame) -> pl.DataFrame:
    """Reduce each match to the first group of measures of each kind that one of its entries has."""
    return (
        measured.group_by("row", maintain_order=True)
        .agg(
            pl.col("entries", "order").first(),
            *(pl.col(group).filter(pl.col(group[0]).is_not_null()).first() for group in MEASURE_GROUPS),
        )
        .select(measured.columns)
    )
