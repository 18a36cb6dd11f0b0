"""The shot columns of a match's context, from the states of both teams and the league before its day."""

import numpy as np
from numpy.typing import NDArray

from football_assets.features.market_context import are_rated, named_columns
from football_assets.features.rating_columns import SHOT_CONTEXT, SHOT_LEAGUE_STATE, SHOT_TEAM_STATE
from football_assets.features.schedule import Floats

_MARGINS = tuple(name for name in SHOT_TEAM_STATE if "margin" in name)


def shot_context(home: Floats, away: Floats, league: Floats, days: NDArray[np.int64]) -> Floats:
    """Compute what shots of earlier matches say of matches. One match and many give the same bits.

    Parameters
    ----------
    home, away
        [n, `SHOT_TEAM_STATE`] before the day of the match, NaN where unknown.
    league
        [n, `SHOT_LEAGUE_STATE`] before the day of the match.
    days
        [n] day of kick-off, in days since 1970.

    Returns
    -------
    NDArray
        [n, `SHOT_CONTEXT`]. Unless both teams have a match with shots on target in the last `RATED_DAYS` days,
        `shots_rated` is 0 and the others are NaN.
    """
    of_home, of_away = (named_columns(state, SHOT_TEAM_STATE) for state in (home, away))
    of_league = named_columns(league, SHOT_LEAGUE_STATE)
    columns = {
        f"{name}_supremacy": of_home[f"{name}_strength"]
        - of_away[f"{name}_strength"]
        + of_league[f"{name}_home_advantage"]
        for name in ("shots_on_target", "shots", "corners")
    }
    columns["shots_on_target_sum"] = 0.5 * (
        of_home["shots_on_target_sum_15"] + of_away["shots_on_target_sum_15"]
    )
    for name in _MARGINS:
        columns |= {f"home_{name}": of_home[name], f"away_{name}": of_away[name]}
    is_rated = are_rated(of_home["shots_day"], of_away["shots_day"], days)
    columns = {name: np.where(is_rated, values, np.nan) for name, values in columns.items()}
    columns["shots_rated"] = is_rated.astype(np.float64)
    return np.stack([columns[name] for name in SHOT_CONTEXT], axis=1)
