"""Sequence tensors on disk: one .npy file each, so that training maps them into memory, and the row keys beside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode_in_slices, history_rows
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec

UNPLAYED = -1
KEYS = "keys.parquet"
KEY_COLUMNS = (
    "match_id",
    "league_id",
    "season",
    "kickoff_date",
    "home_team",
    "away_team",
    "home_team_id",
    "away_team_id",
    "is_played",
    "is_cup",
    "home_elo",
    "away_elo",
    "odds_home",
    "odds_draw",
    "odds_away",
)


@dataclass(frozen=True)
class SequenceTensors:
    """All matches as the network sees them, in order of kick-off day; arrays are mapped, not read."""

    home_history: NDArray[np.float32]  # [matches, history_length, history_features]
    away_history: NDArray[np.float32]
    context: NDArray[np.float32]  # [matches, context_features]
    outcome: NDArray[np.int64]  # [matches]: 0 home, 1 draw, 2 away, -1 unplayed
    goals: NDArray[np.int16]  # [matches, 2]: -1 unplayed
    keys: pl.DataFrame
    spec: FeatureSpec

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: NDArray[np.integer]) -> SequenceBatch:
        """The inputs of some rows, read into memory."""
        return SequenceBatch(self.home_history[rows], self.away_history[rows], self.context[rows])

    @property
    def played(self) -> NDArray[np.bool_]:
        """Which rows have a result."""
        return self.outcome != UNPLAYED

    @property
    def days(self) -> NDArray[np.datetime64]:
        """Kick-off day of each row."""
        return self.keys["kickoff_date"].to_numpy()


def write_tensors(
    match_features: pl.DataFrame,
    team_matches: pl.DataFrame,
    team_ratings: pl.DataFrame,
    folder: Path,
    spec: FeatureSpec = DEFAULT_SPEC,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Encode every match into a folder of arrays.

    Parameters
    ----------
    match_features, team_matches, team_ratings
        The tables of those names.
    folder
        An empty folder; receives `home_history.npy`, `away_history.npy`, `context.npy`, `outcome.npy`, `goals.npy`,
        `keys.parquet` and `feature_spec.json`.
    progress
        Called with the matches done and the matches in all.
    """
    matches = match_features.sort("kickoff_date", "league_id", "match_id")
    history = TeamHistory(history_rows(team_matches, team_ratings), spec)
    count = len(matches)
    history_shape = (count, spec.history_length, len(spec.history))
    with (
        _create(folder / "home_history.npy", history_shape) as home,
        _create(folder / "away_history.npy", history_shape) as away,
        _create(folder / "context.npy", (count, len(spec.context))) as context,
    ):
        done = 0
        for batch in encode_in_slices(matches, history, spec):
            batch.home_history.tofile(home)
            batch.away_history.tofile(away)
            batch.context.tofile(context)
            done += len(batch)
            if progress is not None:
                progress(done, count)
    np.save(folder / "outcome.npy", matches["outcome"].fill_null(UNPLAYED).cast(pl.Int64).to_numpy())
    goals = matches.select(pl.col("home_goals", "away_goals").fill_null(UNPLAYED).cast(pl.Int16)).to_numpy()
    np.save(folder / "goals.npy", np.ascontiguousarray(goals))
    matches.select(KEY_COLUMNS).write_parquet(folder / KEYS, compression="zstd")
    spec.save(folder)


def open_tensors(folder: Path) -> SequenceTensors:
    """Map a folder written by `write_tensors`."""
    return SequenceTensors(
        home_history=_open(folder / "home_history.npy"),
        away_history=_open(folder / "away_history.npy"),
        context=_open(folder / "context.npy"),
        outcome=_open(folder / "outcome.npy"),
        goals=_open(folder / "goals.npy"),
        keys=pl.read_parquet(folder / KEYS),
        spec=FeatureSpec.load(folder),
    )


@contextmanager
def _create(path: Path, shape: tuple[int, ...]) -> Iterator[BinaryIO]:
    """A .npy file of float32 with its header written, to which the numbers are appended."""
    with path.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(np.empty(0, dtype=np.float32)) | {"shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        yield file


def _open(path: Path) -> NDArray:
    empty = np.load(path, allow_pickle=False, mmap_mode=None) if path.stat().st_size <= 128 else None
    return empty if empty is not None else np.load(path, allow_pickle=False, mmap_mode="r")
