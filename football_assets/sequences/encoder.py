"""The one encoder of past matches and fixtures into the network's inputs, for training, backtest and serving."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.sequences.columns import HISTORY_RATINGS, RATED_TABLES
from football_assets.sequences.spec import FLAG, OBSERVED, FeatureSpec

_SIDE = ("match_id", "team_id")
_DAY_BITS = 20  # days since 1970 of any year below 2840 fit


@dataclass(frozen=True)
class SequenceBatch:
    """Inputs of the network: float32 `[n, length, features]` twice, and `[n, context features]`."""

    home_history: NDArray[np.float32]
    away_history: NDArray[np.float32]
    context: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.context)


def read_histories(past: NDArray[np.float32], spans: NDArray[np.integer], length: int) -> NDArray[np.float32]:
    """Gather the last matches of teams, `[n, length, features]`, the most recent last, left-padded.

    Parameters
    ----------
    past
        Played matches sorted by team and day, `[team matches + 1, features]`; the last row is the padding.
    spans
        `[n, 2]`: first row of the team's matches, and the row after its last known match.
    length
        Number of matches in a history.
    """
    rows = spans[:, 1:].astype(np.intp) + np.arange(-length, 0)  # [n, length]
    rows[rows < spans[:, :1]] = len(past) - 1
    histories: NDArray[np.float32] = past[rows]
    return histories


class TeamHistory:
    """Every played match of every team, indexed by team and day.

    `past` holds the matches sorted by team and day, `[team matches + 1, features]`; the last row is the padding.
    """

    def __init__(self, matches: pl.DataFrame, spec: FeatureSpec) -> None:
        """Index the matches.

        Parameters
        ----------
        matches
            One row per team and played match: `team_id`, `kickoff_date` and the specification's history features
            except `observed`. A flag that is null is encoded as 0.
        spec
            The features and their order.
        """
        columns = [name for name in spec.history_names if name != OBSERVED]
        ordered = matches.select("team_id", "kickoff_date", *columns).sort("team_id", "kickoff_date")
        teams = ordered.group_by("team_id", maintain_order=True).len()
        self._code_of = teams.select("team_id").with_row_index("code")
        self._start = np.append(0, np.cumsum(teams["len"].to_numpy(), dtype=np.int64))
        codes = np.repeat(np.arange(len(teams)), np.diff(self._start))
        self._key = (codes << _DAY_BITS) + _days(ordered["kickoff_date"])
        self._length = spec.history_length
        flags = [feature.name for feature in spec.history if feature.unit == FLAG]
        features = (
            ordered.with_columns(pl.lit(1.0).alias(OBSERVED))
            .select(pl.col(name).cast(pl.Float32) for name in spec.history_names)
            .with_columns(pl.col(flags).fill_null(0))
        )
        padding = np.zeros((1, len(spec.history_names)), dtype=np.float32)
        self.past = np.vstack([features.to_numpy(), padding]).astype(np.float32, copy=False)

    def spans(self, team_ids: pl.Series, dates: pl.Series) -> NDArray[np.int32]:
        """Locate each team's matches before a day in `past`: `[n, 2]`, the spans that `read_histories` takes.

        Parameters
        ----------
        team_ids
            A team without a match, or null, gets the empty span 0, 0.
        dates
            Matches of this day and later are excluded.
        """
        wanted = pl.DataFrame({"team_id": team_ids.cast(pl.String)}).join(
            self._code_of, on="team_id", how="left", maintain_order="left"
        )
        codes = wanted["code"].fill_null(len(self._code_of)).cast(pl.Int64).to_numpy()
        start = self._start[codes]
        end = np.searchsorted(self._key, (codes << _DAY_BITS) + _days(dates))
        spans = np.stack([start, end], axis=1).astype(np.int32)
        spans[start == end] = 0  # an empty span does not depend on the team's position
        return spans

    def before(self, team_ids: pl.Series, dates: pl.Series) -> NDArray[np.float32]:
        """Return each team's last matches before a day, as `read_histories` does; parameters as in `spans`."""
        return read_histories(self.past, self.spans(team_ids, dates), self._length)


def encode(fixtures: pl.DataFrame, history: TeamHistory, spec: FeatureSpec) -> SequenceBatch:
    """Encode fixtures.

    Parameters
    ----------
    fixtures
        One row per fixture: `home_team_id`, `away_team_id`, `kickoff_date` and the specification's context features.
    """
    return SequenceBatch(
        home_history=history.before(fixtures["home_team_id"], fixtures["kickoff_date"]),
        away_history=history.before(fixtures["away_team_id"], fixtures["kickoff_date"]),
        context=encode_context(fixtures, spec),
    )


def encode_context(fixtures: pl.DataFrame, spec: FeatureSpec) -> NDArray[np.float32]:
    """Encode the context features, `[n, context features]`, NaN where unknown."""
    return encode_columns(fixtures, spec.context_names)


def encode_columns(table: pl.DataFrame, names: Iterable[str]) -> NDArray[np.float32]:
    """Encode columns of a table in the order of `names`, `[n, names]`, NaN where unknown."""
    return (
        table.select(pl.col(name).cast(pl.Float32).fill_null(float("nan")) for name in names)
        .to_numpy()
        .astype(np.float32, copy=False)
    )


def float64_columns(table: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Return columns as a new array `[n, names]` in row order, NaN for null."""
    columns = table.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in names)
    return np.array(columns.to_numpy(), order="C")


def history_rows(
    team_matches: pl.DataFrame, team_ratings: pl.DataFrame, *rated: pl.DataFrame
) -> pl.DataFrame:
    """Join played matches by team with both teams' ratings before each: the rows that `TeamHistory` indexes.

    Parameters
    ----------
    team_matches, team_ratings
        The tables of those names.
    rated
        `team_market_ratings` and `team_shot_ratings`, for a specification with their columns in the history.
    """
    for table in rated:
        team_matches = _beside(team_matches, table)
    ratings = team_ratings.select(*_SIDE, *HISTORY_RATINGS)
    theirs = [pl.col(name).alias(f"opponent_{name}") for name in HISTORY_RATINGS]
    if is_in_pairs(team_matches, ratings):
        # In the order of the feature build both sides of a match are neighbours, so that no join is needed.
        beside = ratings.select(theirs)[np.arange(len(ratings)) ^ 1]
        return team_matches.hstack(ratings.select(HISTORY_RATINGS)).hstack(beside).filter("is_played")
    opponents = ratings.select("match_id", pl.col("team_id").alias("opponent_id"), *theirs)
    return (
        team_matches.filter("is_played")
        .join(ratings, on=_SIDE, how="left")
        .join(opponents, on=["match_id", "opponent_id"], how="left")
    )


def _beside(team_matches: pl.DataFrame, rated: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of a past match that a table of ratings has, by team and match."""
    names = [name for table in RATED_TABLES for name in table.history if name in rated.columns]
    if len(team_matches) == len(rated) and all((team_matches[key] == rated[key]).all() for key in _SIDE):
        return team_matches.hstack(rated.select(names))
    return team_matches.join(rated.select(*_SIDE, *names), on=_SIDE, how="left", maintain_order="left")


def is_in_pairs(team_matches: pl.DataFrame, ratings: pl.DataFrame) -> bool:
    """Check whether both tables have the same rows in the same order, the two sides of a match as neighbours."""
    if len(team_matches) != len(ratings) or len(ratings) % 2:
        return False
    sides = ratings["match_id"]
    return bool(
        (sides.gather_every(2) == sides.gather_every(2, 1)).all()
        and all((team_matches[name] == ratings[name]).all() for name in ("match_id", "team_id"))
        and (team_matches["opponent_id"].gather_every(2) == ratings["team_id"].gather_every(2, 1)).all()
    )


def country_of_team() -> pl.Expr:
    """Return the country of a `team_id` as an expression: `eng` of `eng:Arsenal`."""
    return pl.col("team_id").str.splitn(":", 2).struct.field("field_0").alias("country")


def _days(dates: pl.Series) -> NDArray[np.int64]:
    return dates.cast(pl.Date).to_physical().cast(pl.Int64).to_numpy()
