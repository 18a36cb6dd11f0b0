"""The one encoder: past matches and fixtures in, the network's inputs out. Training, backtest and serving call it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.sequences.columns import RATINGS
from football_assets.sequences.spec import OBSERVED, FeatureSpec

_DAY_BITS = 20  # days since 1970 of any year below 2840 fit


@dataclass(frozen=True)
class SequenceBatch:
    """Inputs of the network: float32 `[n, length, features]` twice, and `[n, context features]`."""

    home_history: NDArray[np.float32]
    away_history: NDArray[np.float32]
    context: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.context)


class TeamHistory:
    """Every played match of every team, ready to be looked up by team and day."""

    def __init__(self, matches: pl.DataFrame, spec: FeatureSpec) -> None:
        """Index the matches.

        Parameters
        ----------
        matches
            One row a team and played match: `team_id`, `kickoff_date` and the specification's history features but
            `observed`.
        spec
            Which features, in which order.
        """
        columns = [name for name in spec.history_names if name != OBSERVED]
        ordered = matches.select("team_id", "kickoff_date", *columns).sort("team_id", "kickoff_date")
        codes = ordered["team_id"].rle_id().cast(pl.Int64).to_numpy()
        first = ordered.unique("team_id", keep="first", maintain_order=True)["team_id"]
        self._code_of = pl.DataFrame({"team_id": first}).with_row_index("code")
        self._start = np.searchsorted(codes, np.arange(len(first) + 1))
        self._key = (codes << _DAY_BITS) + _days(ordered["kickoff_date"])
        self._length = spec.history_length
        features = ordered.with_columns(pl.lit(1.0).alias(OBSERVED)).select(
            pl.col(name).cast(pl.Float32) for name in spec.history_names
        )
        # The last row is the padding.
        self._features = np.vstack(
            [features.to_numpy(), np.zeros((1, len(spec.history_names)), dtype=np.float32)]
        ).astype(np.float32, copy=False)

    def before(self, team_ids: pl.Series, dates: pl.Series) -> NDArray[np.float32]:
        """The last matches of each team before a day, `[n, length, features]`, the most recent last, left-padded.

        Parameters
        ----------
        team_ids
            A team without a match, or null, has padding alone.
        dates
            Matches of this day and later are not seen.
        """
        wanted = pl.DataFrame({"team_id": team_ids.cast(pl.String)}).join(
            self._code_of, on="team_id", how="left", maintain_order="left"
        )
        known = wanted["code"].is_not_null().to_numpy()
        codes = wanted["code"].fill_null(0).cast(pl.Int64).to_numpy()
        end = np.searchsorted(self._key, (codes << _DAY_BITS) + _days(dates))
        start = self._start[codes] if len(self._code_of) else np.zeros_like(codes)
        rows = end[:, None] + np.arange(-self._length, 0)[None, :]  # [n, length]
        rows[(rows < start[:, None]) | ~known[:, None]] = -1
        return self._features[rows]


def encode(fixtures: pl.DataFrame, history: TeamHistory, spec: FeatureSpec) -> SequenceBatch:
    """Inputs of the network for fixtures.

    Parameters
    ----------
    fixtures
        One row a fixture: `home_team_id`, `away_team_id`, `kickoff_date` and the specification's context features.
    """
    return SequenceBatch(
        home_history=history.before(fixtures["home_team_id"], fixtures["kickoff_date"]),
        away_history=history.before(fixtures["away_team_id"], fixtures["kickoff_date"]),
        context=encode_context(fixtures, spec),
    )


def encode_in_slices(
    fixtures: pl.DataFrame, history: TeamHistory, spec: FeatureSpec, size: int = 16_384
) -> Iterator[SequenceBatch]:
    """The same, a slice of `size` fixtures at a time, so that memory stays bounded."""
    for part in fixtures.iter_slices(size):
        yield encode(part, history, spec)


def encode_context(fixtures: pl.DataFrame, spec: FeatureSpec) -> NDArray[np.float32]:
    """The context features, `[n, context features]`, NaN where nothing is known."""
    return encode_columns(fixtures, spec.context_names)


def encode_columns(table: pl.DataFrame, names: Iterable[str]) -> NDArray[np.float32]:
    """Columns of a table in the order of `names`, `[n, names]`, NaN where nothing is known."""
    return (
        table.select(pl.col(name).cast(pl.Float32).fill_null(float("nan")) for name in names)
        .to_numpy()
        .astype(np.float32, copy=False)
    )


def history_rows(team_matches: pl.DataFrame, team_ratings: pl.DataFrame) -> pl.DataFrame:
    """Played matches by team with both teams' ratings before each: what `TeamHistory` indexes.

    Parameters
    ----------
    team_matches, team_ratings
        The tables of those names.
    """
    ratings = team_ratings.select("match_id", "team_id", *RATINGS)
    theirs = [pl.col(name).alias(f"opponent_{name}") for name in RATINGS]
    if is_in_pairs(team_matches, ratings):
        # The tables are as they were made: the other side of a match stands beside it, and nothing has to be looked up.
        beside = ratings.select(theirs)[np.arange(len(ratings)) ^ 1]
        return team_matches.hstack(ratings.select(RATINGS)).hstack(beside).filter("is_played")
    opponents = ratings.select("match_id", pl.col("team_id").alias("opponent_id"), *theirs)
    return (
        team_matches.filter("is_played")
        .join(ratings, on=["match_id", "team_id"], how="left")
        .join(opponents, on=["match_id", "opponent_id"], how="left")
    )


def is_in_pairs(team_matches: pl.DataFrame, ratings: pl.DataFrame) -> bool:
    """Whether both tables have the same rows in the same order, two by two the sides of a match."""
    if len(team_matches) != len(ratings) or len(ratings) % 2:
        return False
    sides = ratings["match_id"]
    return bool(
        (sides.gather_every(2) == sides.gather_every(2, 1)).all()
        and all((team_matches[name] == ratings[name]).all() for name in ("match_id", "team_id"))
        and (team_matches["opponent_id"].gather_every(2) == ratings["team_id"].gather_every(2, 1)).all()
    )


def _days(dates: pl.Series) -> NDArray[np.int64]:
    return dates.cast(pl.Date).to_physical().cast(pl.Int64).to_numpy()
