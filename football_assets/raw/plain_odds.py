"""Leave out the plain odds of a match (`odds_home`, `odds_draw`, `odds_away`) that cannot be those of one match.

Plain odds need not belong to a group of odds that `measure_rules` validates: a file of results has only them, and
football-data.co.uk's files have bookmakers whose odds are in no group.
"""

import polars as pl

from football_assets.domain.odds_rules import OVERROUND_BOUNDS
from football_assets.raw.measure_rules import are_sound, preferred_odds, without_bad_plain_odds
from football_assets.raw.rules import ODDS_TRIPLE, odds_are_unusable, without_unusable_odds


def without_unsound_odds(
    rows: pl.DataFrame, given: pl.DataFrame, clean: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace plain odds that are unusable, those of a group that is left out, or those of no bookmaker.

    Unusable ones become null, others those of the first group that remains, in the order of PREFERRED_ODDS, else null.

    Parameters
    ----------
    rows
        Rows with a unique `row` and ODDS_TRIPLE.
    given, clean
        Argument and result of `without_bad_measures`, for these rows or more.

    Returns
    -------
    tuple[pl.DataFrame, pl.DataFrame]
        The rows in their order, and those with unusable or implausible odds, with `left_out` and `reason`.
    """
    unusable = rows.filter(odds_are_unusable()).with_columns(
        left_out=pl.lit(", ".join(ODDS_TRIPLE)),
        reason=pl.lit("The odds are left out: they are not three decimal odds above 1."),
    )
    usable = without_bad_plain_odds(without_unusable_odds(rows), given, clean)
    plausible, implausible = _without_implausible_odds(usable, clean)
    return plausible, pl.concat([unusable, implausible])


def _without_implausible_odds(rows: pl.DataFrame, clean: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Replace plain odds whose sum of 1/odds is that of no bookmaker, like American odds or 1000 three times."""
    least, most = OVERROUND_BOUNDS
    is_bad = rows.select(
        pl.all_horizontal(pl.col(ODDS_TRIPLE).is_not_null()) & ~are_sound(ODDS_TRIPLE)
    ).to_series()
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
    others = rows.select("row").join(
        clean.select("row", *preferred_odds()), on="row", how="left", maintain_order="left"
    )
    kept = rows.with_columns(
        pl.when(~is_bad).then(pl.col(name)).otherwise(others[name]).alias(name) for name in ODDS_TRIPLE
    )
    return kept, reports
