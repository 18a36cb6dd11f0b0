"""Sequence tensors on disk: one .npy file each, so that training maps them into memory, and the row keys beside."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.errors import FootballError
from football_assets.increments import changed_countries, code_digest, country_keys, footer, is_of, made_from
from football_assets.sequences import encoder
from football_assets.sequences.columns import KEY_COLUMNS
from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode_in_slices, history_rows
from football_assets.sequences.spec import DEFAULT_SPEC, FeatureSpec

UNPLAYED = -1
KEYS = "keys.parquet"
_SLICE = 16_384  # matches that are encoded at a time
_INPUTS = ("home_history", "away_history", "context")


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
    earlier: Path | None = None,
) -> list[str] | None:
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
    earlier
        A folder that an earlier call wrote. What its countries' rows were made from is noted there: of those that are
        made from the same still, the numbers are copied. The files are the same with it and without it.

    Returns
    -------
    list[str] | None
        Countries whose matches were encoded; None: all.
    """
    matches = _in_order(match_features)
    keys = country_keys([match_features, team_matches, team_ratings], _code(spec))
    countries = _countries_to_encode(keys, earlier, matches)
    if countries is None or earlier is None:
        history = TeamHistory(history_rows(team_matches, team_ratings), spec)
        batches = encode_in_slices(matches, history, spec, _SLICE)
    else:
        concerned = is_of(countries)
        history = TeamHistory(
            history_rows(team_matches.filter(concerned), team_ratings.filter(concerned)), spec
        )
        batches = _encode_or_copy(matches, history, spec, open_tensors(earlier), countries)
    count = len(matches)
    history_shape = (count, spec.history_length, len(spec.history))
    with (
        _create(folder / "home_history.npy", history_shape) as home,
        _create(folder / "away_history.npy", history_shape) as away,
        _create(folder / "context.npy", (count, len(spec.context))) as context,
    ):
        done = 0
        for batch in batches:
            batch.home_history.tofile(home)
            batch.away_history.tofile(away)
            batch.context.tofile(context)
            done += len(batch)
            if progress is not None:
                progress(done, count)
    np.save(folder / "outcome.npy", matches["outcome"].fill_null(UNPLAYED).cast(pl.Int64).to_numpy())
    goals = matches.select(pl.col("home_goals", "away_goals").fill_null(UNPLAYED).cast(pl.Int16)).to_numpy()
    np.save(folder / "goals.npy", np.ascontiguousarray(goals))
    matches.select(KEY_COLUMNS).write_parquet(folder / KEYS, compression="zstd", metadata=footer(keys))
    spec.save(folder)
    return countries


def _in_order(match_features: pl.DataFrame) -> pl.DataFrame:
    """By kick-off day; a table that is in order already, as it is made, is not copied."""
    order = match_features.select(pl.arg_sort_by("kickoff_date", "league_id", "match_id")).to_series()
    is_ordered = (order == pl.int_range(len(order), eager=True)).all()
    return match_features if is_ordered else match_features[order]


def _code(spec: FeatureSpec) -> str:
    return code_digest(Path(__file__), Path(encoder.__file__), spec.model_dump_json())


def _countries_to_encode(
    keys: dict[str, str], earlier: Path | None, matches: pl.DataFrame
) -> list[str] | None:
    noted = made_from(earlier / KEYS) if earlier is not None else None
    return changed_countries(keys, noted, matches)


def _encode_or_copy(
    matches: pl.DataFrame,
    history: TeamHistory,
    spec: FeatureSpec,
    earlier: SequenceTensors,
    countries: Sequence[str],
) -> Iterator[SequenceBatch]:
    """The inputs of all matches, a slice at a time: of some countries encoded, of the others copied."""
    rows = pl.DataFrame({"match_id": earlier.keys["match_id"], "row": np.arange(len(earlier))})
    placed = matches.join(rows, on="match_id", how="left", maintain_order="left")
    for part in placed.iter_slices(_SLICE):
        is_new = part.select(is_of(countries)).to_series().to_numpy()
        old = part["row"].filter(~pl.Series(is_new))
        if old.null_count():
            raise FootballError(
                f"The earlier arrays lack {old.null_count()} matches that their footer says they hold: write them anew."
            )
        fresh = encoder.encode(part.filter(is_new), history, spec)
        copied = earlier.take(old.to_numpy())
        merged = []
        for name in _INPUTS:
            both = np.empty((len(part), *getattr(fresh, name).shape[1:]), dtype=np.float32)
            both[is_new], both[~is_new] = getattr(fresh, name), getattr(copied, name)
            merged.append(both)
        yield SequenceBatch(*merged)


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
