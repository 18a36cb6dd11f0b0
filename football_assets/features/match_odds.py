"""Outcome probabilities and expected goals that the odds of a match imply: for later ratings and for soft labels."""

import numpy as np
import polars as pl

from football_assets.domain.bookmaker_margin import implied_probabilities
from football_assets.domain.implied_goals import implied_goals
from football_assets.domain.measures import (
    BOOKMAKER_ODDS,
    CLOSING_ODDS,
    CLOSING_TOTAL_ODDS,
    PRE_MATCH_ODDS,
    PRE_MATCH_TOTAL_ODDS,
)
from football_assets.features.schedule import Floats, float_columns

# In order of preference: the sharpest first.
_OUTCOME_ODDS = (CLOSING_ODDS, PRE_MATCH_ODDS, BOOKMAKER_ODDS, ("odds_home", "odds_draw", "odds_away"))
_TOTAL_ODDS = (CLOSING_TOTAL_ODDS, PRE_MATCH_TOTAL_ODDS)
IMPLYING_ODDS = tuple(name for group in (*_OUTCOME_ODDS, *_TOTAL_ODDS) for name in group)
"""Columns that are read."""


def match_odds_implied(stg_matches: pl.DataFrame) -> pl.DataFrame:
    """Compute what the odds of each match imply, null where it has none.

    Parameters
    ----------
    stg_matches
        One row per match. Decimal odds are read from `closing_odds_…`, else `pre_match_odds_…`, `bookmaker_odds_…`,
        `odds_…`; columns that the table lacks count as null.

    Returns
    -------
    pl.DataFrame
        match_id, implied_p_home, implied_p_draw, implied_p_away, implied_goals_home, implied_goals_away, in the order
        of the rows.
    """
    probabilities, goals = implied_by_odds(stg_matches)
    values = dict(zip(("implied_p_home", "implied_p_draw", "implied_p_away"), probabilities.T, strict=True))
    values |= dict(zip(("implied_goals_home", "implied_goals_away"), goals.T, strict=True))
    return stg_matches.select("match_id").with_columns(
        pl.Series(name, column, dtype=pl.Float64, nan_to_null=True) for name, column in values.items()
    )


def implied_by_odds(stg_matches: pl.DataFrame) -> tuple[Floats, Floats]:
    """Return outcome probabilities [matches, 3] and expected goals [matches, 2], NaN without odds."""
    probabilities = np.full((len(stg_matches), 3), np.nan)
    for names in _OUTCOME_ODDS:
        implied = implied_probabilities(float_columns(stg_matches, names))
        probabilities = np.where(np.isnan(probabilities), implied, probabilities)
    over = np.full(len(stg_matches), np.nan)
    for total in _TOTAL_ODDS:
        implied = implied_probabilities(float_columns(stg_matches, total))
        over = np.where(np.isnan(over), implied[:, 0], over)
    return probabilities, implied_goals(probabilities, over)
