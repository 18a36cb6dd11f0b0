"""Sequence tensors on disk: one .npy file each, so that training maps them into memory, and the row keys beside.

A past match is stored once a team, not once in every history that it belongs to: a match has, for both teams, the span
of the matches known before its day, and its histories are read through it. That is a sixth of the bytes to write, to
hash, to map and to send to workers, and any length of history is in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.errors import FootballError
from football_assets.orchestration.increments import (
    MADE_FROM,
    changed_countries,
    code_digest,
    country,
    country_keys,
)
from football_assets.sequences import columns as columns_of
from football_assets.sequences import encoder
from football_assets.sequences.columns import KEY_COLUMNS, columns_read
from football_assets.sequences.encoder import (
    SequenceBatch,
    TeamHistory,
    encode_context,
    history_rows,
    read_histories,
)
from football_assets.sequences.home_advantage import home_advantage_shift
from football_assets.sequences.spec import DEFAULT_SPEC, HOME_ADVANTAGE_SHIFT, FeatureSpec
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import country_versions, read_table_of

UNPLAYED = -1
KEYS = "keys.parquet"
ARRAYS = ("past", "home_span", "away_span", "context", "outcome", "goals")
PAST_ROWS = "football_past_rows"  # entry of the keys' footer: rows of `past` by country, in order
_SPANS = ("home_span", "away_span")
_OF_MATCHES = ARRAYS[1:]
_ORDER = ("kickoff_date", "league_id", "match_id")


@dataclass(frozen=True)
class SequenceTensors:
    """All matches as the network sees them, in order of kick-off day; arrays are mapped, not read.

    `take` reads the inputs of some matches. A span is the first of a team's rows in `past`, and the one after the last
    that is known before the day of the match; the last row of `past` is the padding of histories.
    """

    past: NDArray[np.float32]  # [team matches + 1, history_features], by team and day
    home_span: NDArray[np.int32]  # [matches, 2]
    away_span: NDArray[np.int32]
    context: NDArray[np.float32]  # [matches, context_features]
    outcome: NDArray[np.int64]  # [matches]: 0 home, 1 draw, 2 away, -1 unplayed
    goals: NDArray[np.int16]  # [matches, 2]: -1 unplayed
    keys: pl.DataFrame
    spec: FeatureSpec

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: NDArray[np.integer]) -> SequenceBatch:
        """The inputs of some rows, read into memory."""
        length = self.spec.history_length
        return SequenceBatch(
            read_histories(self.past, self.home_span[rows], length),
            read_histories(self.past, self.away_span[rows], length),
            self.context[rows],
        )

    @property
    def played(self) -> NDArray[np.bool_]:
        """Which rows have a result."""
        return self.outcome != UNPLAYED

    @property
    def days(self) -> NDArray[np.datetime64]:
        """Kick-off day of each row."""
        return self.keys["kickoff_date"].to_numpy()


def build_tensors(
    bucket: Bucket, folder: Path, earlier: Path | None = None, spec: FeatureSpec = DEFAULT_SPEC
) -> list[str]:
    """Encode every match of the bucket's tables into an empty folder of arrays, as `write_tensors` does.

    Parameters
    ----------
    earlier
        A folder that an earlier call wrote. What its countries' rows were made from is noted there: those that are made
        from the same still are taken over, and their tables are not read. The files are the same with it and without.

    Returns
    -------
    list[str]
        Countries whose matches were encoded.

    Raises
    ------
    ObjectNotFound
        The bucket lacks a table.
    """
    columns = columns_read(spec)
    sources = (Path(__file__), Path(columns_of.__file__), Path(encoder.__file__))
    code = code_digest(*sources, spec.model_dump_json())
    keys = country_keys([country_versions(bucket, name) for name in columns], code)
    countries = changed_countries(keys, _noted(earlier) if earlier is not None else {})
    tables = {name: read_table_of(bucket, name, countries, read) for name, read in columns.items()}
    kept = [name for name in keys if name not in countries]
    write_tensors(**tables, folder=folder, spec=spec, made_from=keys, earlier=earlier, kept=kept)
    return countries


def write_tensors(
    match_features: pl.DataFrame,
    team_matches: pl.DataFrame,
    team_ratings: pl.DataFrame,
    folder: Path,
    spec: FeatureSpec = DEFAULT_SPEC,
    made_from: Mapping[str, str] | None = None,
    earlier: Path | None = None,
    kept: Sequence[str] = (),
) -> None:
    """Encode matches into a folder of arrays.

    Parameters
    ----------
    match_features, team_matches, team_ratings
        The tables of those names, in any order.
    folder
        An empty folder; receives a `.npy` file of each of `ARRAYS`, `keys.parquet` and `feature_spec.json`.
    made_from
        What each country's rows were made from, to be noted.
    earlier, kept
        A folder that an earlier call wrote, and the countries whose matches are taken over from it.
    """
    parts = [_encoded(match_features, team_matches, team_ratings, spec)]
    if earlier is not None and kept:
        parts.append(_Part(open_tensors(earlier), _past_rows(earlier), kept))
    joined = _joined(parts, spec)
    _save(replace(joined, tensors=_with_home_advantage(joined.tensors)), made_from or {}, folder)


@dataclass(frozen=True)
class _Part:
    """Tensors of which the matches of some countries are wanted."""

    tensors: SequenceTensors
    past_rows: Mapping[str, int]  # by country, in the order of `past`
    countries: Sequence[str]

    def starts(self) -> dict[str, int]:
        """First row of each country in `past`."""
        ends = np.cumsum(list(self.past_rows.values()), dtype=np.int64).tolist()
        return dict(zip(self.past_rows, [0, *ends], strict=False))


def _encoded(
    match_features: pl.DataFrame, team_matches: pl.DataFrame, team_ratings: pl.DataFrame, spec: FeatureSpec
) -> _Part:
    history = TeamHistory(history_rows(team_matches, team_ratings), spec)
    home, away = (
        history.spans(match_features[f"{side}_team_id"], match_features["kickoff_date"])
        for side in ("home", "away")
    )
    goals = match_features.select(pl.col("home_goals", "away_goals").fill_null(UNPLAYED).cast(pl.Int16))
    fixtures = match_features.with_columns(pl.lit(None, pl.Float32).alias(HOME_ADVANTAGE_SHIFT))
    tensors = SequenceTensors(
        past=history.past,
        home_span=home,
        away_span=away,
        context=encode_context(fixtures, spec),
        outcome=match_features["outcome"].fill_null(UNPLAYED).cast(pl.Int64).to_numpy(),
        goals=goals.to_numpy(),
        keys=match_features.select(KEY_COLUMNS),
        spec=spec,
    )
    return _Part(tensors, history.countries, match_features.select(country().unique()).to_series().to_list())


def _joined(parts: Sequence[_Part], spec: FeatureSpec) -> _Part:
    """The wanted matches of all parts, in order, over one array of past matches, its countries in order of name."""
    blocks = {
        name: (part, start)
        for part in parts
        for name, start in part.starts().items()
        if name in part.countries
    }
    rows = {name: blocks[name][0].past_rows[name] for name in sorted(blocks)}
    padding = np.zeros((1, len(spec.history)), dtype=np.float32)
    past = [part.tensors.past[start : start + rows[name]] for name in rows for part, start in [blocks[name]]]
    joined = _Part(parts[0].tensors, rows, list(rows))
    starts = joined.starts()
    arrays: dict[str, list[NDArray]] = {name: [] for name in _OF_MATCHES}
    keys = []
    for part in parts:
        of_country = part.tensors.keys.select(country()).to_series()
        wanted = of_country.is_in(part.countries).to_numpy()
        shifts = {name: starts[name] - start for name, start in part.starts().items() if name in starts}
        shift = of_country.replace_strict(shifts, default=0, return_dtype=pl.Int32).to_numpy()
        for name in _OF_MATCHES:
            values = getattr(part.tensors, name)[wanted]
            if name in _SPANS:
                is_known = values[:, 1] > values[:, 0]
                values = values + (shift[wanted] * is_known)[:, None]
            arrays[name].append(values)
        keys.append(part.tensors.keys.filter(pl.Series(wanted)))
    all_keys = pl.concat(keys)
    order = all_keys.select(pl.arg_sort_by(*_ORDER)).to_series().to_numpy()
    tensors = SequenceTensors(
        past=np.concatenate([*past, padding]),
        **{name: np.ascontiguousarray(np.concatenate(values)[order]) for name, values in arrays.items()},
        keys=all_keys[order],
        spec=spec,
    )
    return _Part(tensors, rows, list(rows))


def _with_home_advantage(tensors: SequenceTensors) -> SequenceTensors:
    """The shift of home advantage filled in for every match: it depends on the matches of all countries."""
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


def _save(part: _Part, made: Mapping[str, str], folder: Path) -> None:
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(part.tensors, name))
    noted = {MADE_FROM: json.dumps(dict(made)), PAST_ROWS: json.dumps(part.past_rows)}
    part.tensors.keys.write_parquet(folder / KEYS, compression="zstd", metadata=noted)
    part.tensors.spec.save(folder)


def _past_rows(folder: Path) -> dict[str, int]:
    return dict(json.loads(pl.read_parquet_metadata(folder / KEYS)[PAST_ROWS]))


def _noted(folder: Path) -> dict[str, str]:
    """What each country's rows were made from; nothing where the folder does not say."""
    noted: dict[str, str] = json.loads(pl.read_parquet_metadata(folder / KEYS).get(MADE_FROM, "{}"))
    return noted


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
            "Materialise sequence_tensors again."
        )
    return SequenceTensors(
        **{name: _open(folder / f"{name}.npy") for name in ARRAYS},
        keys=pl.read_parquet(folder / KEYS),
        spec=FeatureSpec.load(folder),
    )


def _open(path: Path) -> NDArray:
    empty = np.load(path, allow_pickle=False, mmap_mode=None) if path.stat().st_size <= 128 else None
    return empty if empty is not None else np.load(path, allow_pickle=False, mmap_mode="r")
