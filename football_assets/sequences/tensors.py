"""Sequence tensors on disk: one .npy file each, which training memory-maps, and the row keys.

A past match is stored once per team, not once per history that contains it. Each match has, for both teams, the row
span of the matches before its day, from which its histories are gathered. This takes a sixth of the bytes to write,
hash, map and send to workers, and supports any history length.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.measures import BOOKMAKER_ODDS, CLOSING_ODDS, PRE_MATCH_ODDS
from football_assets.errors import FootballError
from football_assets.sequences.columns import (
    KEY_COLUMNS,
    MARKET_TABLE,
    RATED_TABLES,
    SHOT_TABLE,
    columns_read,
)
from football_assets.sequences.encoder import (
    SequenceBatch,
    TeamHistory,
    encode_context,
    history_rows,
    read_histories,
)
from football_assets.sequences.home_advantage import home_advantage_shift
from football_assets.sequences.rating_context import market_labels, read_rated_table, with_rating_context
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, FeatureSpec
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table

UNPLAYED = -1
KEYS = "keys.parquet"
ARRAYS = ("past", "home_span", "away_span", "context", "outcome", "goals", "market")
MARKET = ("p_home", "p_draw", "p_away", "home_goals", "away_goals")  # columns of `SequenceTensors.market`
_ADDED = (*PRE_MATCH_ODDS, *BOOKMAKER_ODDS, *CLOSING_ODDS)  # partitions of earlier versions lack them
_ORDER = ("kickoff_date", "league_id", "match_id")


@dataclass(frozen=True)
class SequenceTensors:
    """All matches as the network sees them, in order of kick-off day; arrays are mapped, not read.

    `take` reads the inputs of some matches. A span is the first of a team's rows in `past`, and the one after the last
    that is known before the day of the match; the last row of `past` is the padding of histories. `market` is a target
    of training, not an input.
    """

    past: NDArray[np.float32]  # [team matches + 1, history_features], by team and day
    home_span: NDArray[np.int32]  # [matches, 2]
    away_span: NDArray[np.int32]
    context: NDArray[np.float32]  # [matches, context_features]
    outcome: NDArray[np.int64]  # [matches]: 0 home, 1 draw, 2 away, -1 unplayed
    goals: NDArray[np.int16]  # [matches, 2]: -1 unplayed
    market: NDArray[np.float32]  # [matches, 5]: MARKET by the match's own odds; NaN unknown
    keys: pl.DataFrame
    spec: FeatureSpec

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: NDArray[np.integer]) -> SequenceBatch:
        """Read the inputs of some rows into memory."""
        length = self.spec.history_length
        return SequenceBatch(
            read_histories(self.past, self.home_span[rows], length),
            read_histories(self.past, self.away_span[rows], length),
            self.context[rows],
        )

    @property
    def played(self) -> NDArray[np.bool_]:
        """Which rows have a result."""
        played: NDArray[np.bool_] = self.outcome != UNPLAYED
        return played

    @property
    def days(self) -> NDArray[np.datetime64]:
        """Kick-off day of each row."""
        return self.keys["kickoff_date"].to_numpy()


def build_tensors(bucket: Bucket, folder: Path, spec: FeatureSpec = DEFAULT_SPEC) -> None:
    """Encode every match of the bucket's tables into an empty folder of arrays, as `write_tensors` does.

    Raises
    ------
    ObjectNotFound
        The bucket lacks a table other than those of ratings of odds and shots.
    """
    rated = {table.name for table in RATED_TABLES}
    tables = {
        name: read_rated_table(bucket, name, columns)
        if name in rated
        else read_table(bucket, name, columns=columns, optional=[each for each in columns if each in _ADDED])
        for name, columns in columns_read(spec).items()
    }
    write_tensors(**tables, folder=folder, spec=spec)


def write_tensors(
    match_features: pl.DataFrame,
    team_matches: pl.DataFrame,
    team_ratings: pl.DataFrame,
    team_market_ratings: pl.DataFrame,
    team_shot_ratings: pl.DataFrame,
    folder: Path,
    spec: FeatureSpec = DEFAULT_SPEC,
) -> None:
    """Encode matches into a folder of arrays.

    Parameters
    ----------
    match_features, team_matches, team_ratings, team_market_ratings, team_shot_ratings
        The tables of those names, in any order.
    folder
        An empty folder; receives a `.npy` file of each of `ARRAYS`, `keys.parquet` and `feature_spec.json`.
    """
    matches = match_features.sort(*_ORDER)
    rated = {MARKET_TABLE: team_market_ratings, SHOT_TABLE: team_shot_ratings}
    history = TeamHistory(history_rows(team_matches, team_ratings, *rated.values()), spec)
    home, away = (
        history.spans(matches[f"{side}_team_id"], matches["kickoff_date"]) for side in ("home", "away")
    )
    goals = matches.select(pl.col("home_goals", "away_goals").fill_null(UNPLAYED).cast(pl.Int16))
    fixtures = with_rating_context(matches, rated, spec).with_columns(
        pl.lit(None, pl.Float32).alias(HOME_ADVANTAGE_SHIFT)
    )
    tensors = SequenceTensors(
        past=history.past,
        home_span=home,
        away_span=away,
        context=encode_context(fixtures, spec),
        outcome=matches["outcome"].fill_null(UNPLAYED).cast(pl.Int64).to_numpy(),
        goals=np.ascontiguousarray(goals.to_numpy()),
        market=market_labels(matches, team_market_ratings),
        keys=matches.select(KEY_COLUMNS),
        spec=spec,
    )
    _save(_with_home_advantage(tensors), folder)


def _with_home_advantage(tensors: SequenceTensors) -> SequenceTensors:
    """Return the tensors with the shift of home advantage, which depends on the matches of all countries."""
    names = tensors.spec.context_names
    if HOME_ADVANTAGE_SHIFT not in names:
        return tensors
    goals = {f"{side}_goals": tensors.goals[:, column] for column, side in enumerate(("home", "away"))}
    means = {
        name: tensors.context[:, names.index(name)] for name in ("league_home_goals", "league_away_goals")
    }
    matches = tensors.keys.with_columns(pl.Series(name, values) for name, values in (goals | means).items())
    context = np.array(tensors.context)
    context[:, names.index(HOME_ADVANTAGE_SHIFT)] = home_advantage_shift(matches).before(
        matches["kickoff_date"]
    )
    return replace(tensors, context=context)


def _save(tensors: SequenceTensors, folder: Path) -> None:
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(tensors, name))
    tensors.keys.write_parquet(folder / KEYS, compression="zstd")
    tensors.spec.save(folder)


def open_tensors(folder: Path) -> SequenceTensors:
    """Map a folder written by `write_tensors`.

    Raises
    ------
    FootballError
        Another version wrote it.
    """
    missing = [name for name in ARRAYS if not (folder / f"{name}.npy").is_file()]
    if missing:
        raise FootballError(
            f"The tensors in {folder} have no {', '.join(missing)}: another version of this package wrote them. "
            "Materialize sequence_tensors again."
        )
    return SequenceTensors(
        **{name: _open(folder / f"{name}.npy") for name in ARRAYS},
        keys=pl.read_parquet(folder / KEYS),
        spec=FeatureSpec.load(folder),
    )


def _open(path: Path) -> NDArray[Any]:
    mode: Literal["r"] | None = None if path.stat().st_size <= 128 else "r"  # an empty array cannot be mapped
    array: NDArray[Any] = np.load(path, allow_pickle=False, mmap_mode=mode)
    return array
