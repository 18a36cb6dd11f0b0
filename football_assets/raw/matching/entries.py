"""Turn parsed rows into entries: valid rows with canonical club names, which are then merged into matches."""

from datetime import date
from typing import NamedTuple

import polars as pl

from football_assets.raw.matching.canonical_clubs import with_canonical_clubs
from football_assets.raw.name_cleaning import clean_names
from football_assets.raw.rules import with_reasons


class Entries(NamedTuple):
    """Entries, and the rows that the rules reject, with their `reason`."""

    valid: pl.DataFrame
    rejected: pl.DataFrame


def validate_rows(rows: pl.DataFrame, today: date) -> Entries:
    """Normalise names, apply the rules of `rules.with_reasons`, and replace club names by canonical ones.

    Void matches and matches of a club against itself are still among the entries, since other entries of the same match
    decide about the first (`rules.without_void`), and the second are reported by the names of the source
    (`canonical_clubs.against_themselves`).

    Parameters
    ----------
    rows
        Result of `frames.with_origins`.
    today
        Matches played after this day are rejected.
    """
    checked = with_reasons(clean_names(rows), today)
    is_valid = pl.col("reason").is_null()
    return Entries(
        valid=with_canonical_clubs(checked.filter(is_valid).drop("reason")),
        rejected=checked.filter(~is_valid),
    )
