"""Context inputs that are computed from ratings: those of past odds and shots, and those of the match's own odds.

The tensors, the forecasts of fixtures and the team state call the same functions, so that they give the same bits.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.bookmaker_margin import implied_probabilities, power_probabilities
from football_assets.domain.measures import BOOKMAKER_ODDS, PRE_MATCH_ODDS
from football_assets.domain.odds_rules import odds_error
from football_assets.errors import FootballError, ObjectNotFound
from football_assets.features.market_context import market_context
from football_assets.features.shot_context import shot_context
from football_assets.sequences.columns import LABELS, MARKET_TABLE, SHOT_TABLE, RatedTable, has_context
from football_assets.sequences.encoder import float64_columns
from football_assets.sequences.spec import MATCH_ODDS, FeatureSpec
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, read_table_of

_KEY_TYPES = {
    **dict.fromkeys(("match_id", "team_id", "league_id"), pl.String()),
    **dict.fromkeys(("is_home", "is_played"), pl.Boolean()),
    "kickoff_date": pl.Date(),
}
_CHUNK = 16_384  # matches, so that what is computed on the way stays small
_CONTEXT_OF = {MARKET_TABLE.name: market_context, SHOT_TABLE.name: shot_context}


def read_rated_table(
    bucket: Bucket, name: str, columns: Sequence[str], countries: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read columns of a table of ratings, of all countries or of some.

    A table that was never written has no row: the bucket is of a version that did not rate odds or shots, and they are
    unknown.
    """
    try:
        if countries is None:
            return read_table(bucket, name, columns=columns)
        return read_table_of(bucket, name, countries, columns)
    except ObjectNotFound:
        return pl.DataFrame(schema={column: _KEY_TYPES.get(column, pl.Float64()) for column in columns})


def rating_context(
    table: RatedTable,
    home: NDArray[np.float64],
    away: NDArray[np.float64],
    league: NDArray[np.float64],
    days: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Compute the context of matches from one table's states before them, `[n, context]`.

    Parameters
    ----------
    table
        Names the columns of the states and of the result.
    home, away
        `[n, team state]`, NaN where unknown.
    league
        `[n, league state]`.
    days
        `[n]` kick-off days since 1970.
    """
    context = np.empty((len(days), len(table.context)), dtype=np.float32)
    compute = _CONTEXT_OF[table.name]
    for start in range(0, len(days), _CHUNK):
        rows = slice(start, start + _CHUNK)
        context[rows] = compute(home[rows], away[rows], league[rows], days[rows])
    return context


def with_rating_context(
    fixtures: pl.DataFrame, ratings: Mapping[RatedTable, pl.DataFrame], spec: FeatureSpec
) -> pl.DataFrame:
    """Add the context of each table that a specification has, and `MATCH_ODDS`, as float32, NaN where unknown.

    Parameters
    ----------
    fixtures
        `match_id`, `kickoff_date` and, where they are known, pre-match odds.
    ratings
        Each table of ratings, with the states of its teams and leagues.
    spec
        Names the inputs.
    """
    days = fixtures["kickoff_date"].cast(pl.Date).to_physical().cast(pl.Int64).to_numpy()
    probabilities = power_probabilities(pre_match_odds(fixtures)).astype(np.float32)
    computed = dict(zip(MATCH_ODDS, _columns(probabilities), strict=True))
    for table, rows in ratings.items():
        if not has_context(spec, table):
            continue
        home, away = locate_sides(rows, fixtures["match_id"])
        context = rating_context(
            table,
            _gather(rows, home, table.team_state),
            _gather(rows, away, table.team_state),
            _gather(rows, home, table.league_state),
            days,
        )
        computed |= dict(zip(table.context, _columns(context), strict=True))
    return fixtures.with_columns(pl.Series(name, values) for name, values in computed.items())


def pre_match_odds(fixtures: pl.DataFrame) -> NDArray[np.float64]:
    """Choose the pre-match decimal odds of matches, `[n, 3]`, NaN where unknown.

    They are the average over bookmakers, else those of one bookmaker. Closing odds are never read. A table that was
    built before there were such columns has none.
    """
    chosen = np.full((len(fixtures), 3), np.nan)
    for names in (PRE_MATCH_ODDS, BOOKMAKER_ODDS):
        if set(names) <= set(fixtures.columns):
            odds = float64_columns(fixtures, names)
            is_better = np.isnan(implied_probabilities(chosen)) & ~np.isnan(implied_probabilities(odds))
            chosen = np.where(is_better, odds, chosen)
    return chosen


def check_odds(odds: tuple[float, float, float]) -> None:
    """Check the decimal odds of one match.

    Raises
    ------
    FootballError
        They are not odds of one match.
    """
    message = odds_error(*odds)
    if message is not None:
        raise FootballError(f"The odds cannot be used: {message}.")


def market_labels(matches: pl.DataFrame, market: pl.DataFrame) -> NDArray[np.float32]:
    """Return what the odds of each match imply, `[n, 5]`: home win, draw, away win, home goals, away goals.

    Parameters
    ----------
    matches
        `match_id` and `is_played`. An unplayed match has no labels.
    market
        `team_market_ratings`.
    """
    home, _ = locate_sides(market, matches["match_id"])
    labels = _gather(market, home, LABELS)
    labels[~matches["is_played"].to_numpy()] = np.nan
    return labels.astype(np.float32)


def locate_sides(ratings: pl.DataFrame, match_ids: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the row numbers of the home teams and of the away teams of matches; null where the table lacks them."""
    rows = ratings.select("match_id", "is_home").with_row_index("row")
    wanted = match_ids.to_frame("match_id")
    home, away = (
        wanted.join(rows.filter(side), on="match_id", how="left", maintain_order="left")["row"]
        for side in (pl.col("is_home"), ~pl.col("is_home"))
    )
    return home, away


def _gather(ratings: pl.DataFrame, rows: pl.Series, names: Sequence[str]) -> NDArray[np.float64]:
    return float64_columns(ratings.select(pl.col(names).gather(rows)), names)


def _columns(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return list(np.ascontiguousarray(values.T))
