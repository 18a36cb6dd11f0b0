"""Leave out the plain odds of a match (`odds_home`, `odds_draw`, `odds_away`) that cannot be those of one match.

Plain odds need not belong to a group of odds that `measure_rules` validates: a file of results has only them, and
football-data.co.uk's files have bookmakers whose odds are in no group.
"""

import polars as pl

from football_assets.domain.odds_rules import MAX_DECIMAL_ODDS, OVERROUND_BOUNDS
from football_assets.raw.measure_rules import PREFERRED_ODDS
from football_assets.raw.rules import ODDS_TRIPLE


def without_implausible_odds(rows: pl.DataFrame, clean: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace plain odds whose sum of 1/odds is that of no bookmaker, like American odds or 1000 three times.

    They become those of the first group that remains, in the order of PREFERRED_ODDS, else null.

    Parameters
    ----------
    rows
        Rows with a unique `row` and ODDS_TRIPLE, three odds above 1 or null.
    clean
        Sound measures by `row`, for the rows that have any.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The rows in their order, and those with implausible odds, with `left_out` and `reason`.
    """
    least, most = OVERROUND_BOUNDS
    odds = pl.col(ODDS_TRIPLE)
    is_plausible = (pl.sum_horizontal(1 / odds)).is_between(least, most) & pl.all_horizontal(
        odds <= MAX_DECIMAL_ODDS
    )
    is_bad = rows.select(pl.all_horizontal(odds.is_not_null()) & ~is_plausible).to_series()
    reports = rows.filter(is_bad).with_columns(
        left_out=pl.lit(", ".join(ODDS_TRIPLE)),
        reason=pl.format(
            "The odds {} / {} / {} are left out: they are not decimal odds of one match, whose sum of 1/odds is from "
            f"{least} to {most}.",
            *ODDS_TRIPLE,
        ),
    )
    if reports.is_empty():
        return rows, reports
    groups = dict(zip(ODDS_TRIPLE, zip(*PREFERRED_ODDS, strict=True), strict=True))
    others = rows.select("row").join(
        clean.select("row", *(pl.coalesce(columns).alias(name) for name, columns in groups.items())),
        on="row",
        how="left",
        maintain_order="left",
    )
    kept = rows.with_columns(
        pl.when(~is_bad).then(pl.col(name)).otherwise(others[name]).alias(name) for name in ODDS_TRIPLE
    )
    return kept, reports
