"""FiveThirtyEight's published forecasts of club football as a rival, on the matches that it forecast.

`spi_matches.csv` has its probabilities as they were before the match. They are compared with and never an input.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.odds import JOIN_COLUMNS, match_rows
from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.domain.leagues import SPI_LEAGUES
from football_assets.errors import FootballError
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit

SPI_COLUMNS = ("date", "league", "team1", "team2", "prob1", "probtie", "prob2")
SPI_PROBABILITIES = ("fivethirtyeight_p_home", "fivethirtyeight_p_draw", "fivethirtyeight_p_away")
"""Columns of the keys that `join_fivethirtyeight` adds."""
_SUM_TOLERANCE = 0.01  # the file has four decimals
_DAYS_OFF = (0, -1, 1)  # its days are those of one time zone
_SHOWN = 3


class FiveThirtyEightError(FootballError):
    """A file is not FiveThirtyEight's `spi_matches.csv`."""


@dataclass(frozen=True)
class JoinedFiveThirtyEight:
    """Tensors whose keys carry FiveThirtyEight's probabilities, and how many rows of the file found their match.

    `rows` are those of the leagues in `SPI_LEAGUES` on days of the tensors; `shifted` of the matched ones were a day
    off, and `unmatched` describes the others.
    """

    tensors: SequenceTensors
    rows: int
    matched: int
    shifted: int
    unmatched: list[str]

    def describe(self) -> str:
        """Describe the join in one line."""
        text = (
            f"FiveThirtyEight: {self.matched:,} of {self.rows:,} rows of these leagues and days found their match, "
            f"{self.shifted:,} of them a day earlier or later"
        )
        if self.unmatched:
            more = ", …" if len(self.unmatched) > _SHOWN else ""
            text += f"; {len(self.unmatched):,} without a match: {', '.join(self.unmatched[:_SHOWN])}{more}"
        return f"{text}."


@dataclass(frozen=True)
class FiveThirtyEightRival:
    """FiveThirtyEight's probabilities, which `join_fivethirtyeight` has put into the keys; NaN where it has none."""

    name: str = "FiveThirtyEight"
    key: str = "fivethirtyeight"
    kind: RivalKind = "published"
    package: str | None = None

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Read the probabilities of `rows`."""
        if SPI_PROBABILITIES[0] not in tensors.keys.columns:
            return RivalForecasts(np.full((len(rows), 3), np.nan))
        return RivalForecasts(
            tensors.keys[rows].select(pl.col(SPI_PROBABILITIES).fill_null(np.nan)).to_numpy()
        )


def read_fivethirtyeight(path: Path) -> pl.DataFrame:
    """Read `date`, `league_id`, `home`, `away` and `SPI_PROBABILITIES` of the leagues in `SPI_LEAGUES`.

    Matches of a knockout round, with no chance of a draw in the file, are left out: there it says who advances.

    Parameters
    ----------
    path
        FiveThirtyEight's `spi_matches.csv`.

    Raises
    ------
    FiveThirtyEightError
        The file cannot be read, lacks a column, has none of the leagues, or a row has no valid day or no
        probabilities that sum to 1.
    """
    try:
        text = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise FiveThirtyEightError(f"{path} cannot be read as CSV: {str(error).splitlines()[0]}") from error
    missing = [name for name in SPI_COLUMNS if name not in text.columns]
    if missing:
        raise FiveThirtyEightError(f"{path} has no column {', '.join(missing)}: it is not spi_matches.csv.")
    probabilities = [pl.col(name).cast(pl.Float64, strict=False) for name in ("prob1", "probtie", "prob2")]
    rows = (
        text.with_row_index("line", offset=2)
        .filter(pl.col("league").is_in(list(SPI_LEAGUES)), probabilities[1].ne_missing(0.0))
        .select(
            "line",
            pl.col("date").str.to_date("%Y-%m-%d", strict=False),
            pl.col("league").replace_strict(SPI_LEAGUES).alias("league_id"),
            pl.col("team1").alias("home"),
            pl.col("team2").alias("away"),
            *(value.alias(name) for value, name in zip(probabilities, SPI_PROBABILITIES, strict=True)),
        )
    )
    if rows.is_empty():
        raise FiveThirtyEightError(
            f"{path} has no match of a league that is known, like {next(iter(SPI_LEAGUES))}."
        )
    whole = pl.sum_horizontal(SPI_PROBABILITIES).is_between(1 - _SUM_TOLERANCE, 1 + _SUM_TOLERANCE)
    usable = pl.all_horizontal(
        pl.col("date", "home", "away").is_not_null(), *(pl.col(name) > 0 for name in SPI_PROBABILITIES), whole
    )
    bad = rows.filter(~usable.fill_null(value=False))
    if len(bad):
        raise FiveThirtyEightError(
            f"{path}, line {bad['line'][0]}: not a day, two teams and three probabilities that sum to 1. "
            f"There are {len(bad):,} such lines."
        )
    return rows.drop("line")


def join_fivethirtyeight(tensors: SequenceTensors, published: pl.DataFrame) -> JoinedFiveThirtyEight:
    """Join the probabilities to the keys of the tensors as the columns `SPI_PROBABILITIES`.

    A row matches as one of odds does: league, day and one of the two clubs. Rows without a match are looked for a day
    earlier and a day later among the matches that no other row has found.

    Parameters
    ----------
    published
        The rows of `read_fivethirtyeight`. Those of leagues and days without any match in the tensors are left out.
    """
    days = tensors.keys.group_by("league_id").agg(
        first=pl.col("kickoff_date").cast(pl.Date).min(), last=pl.col("kickoff_date").cast(pl.Date).max()
    )
    wanted = (
        published.join(days, on="league_id", maintain_order="left")
        .filter(pl.col("date").is_between("first", "last"))
        .drop("first", "last")
    )
    row = np.full(len(wanted), -1)
    off = np.zeros(len(wanted), dtype=np.int64)
    for offset in _DAYS_OFF:
        moved = wanted.select(JOIN_COLUMNS).with_columns(pl.col("date") + pl.duration(days=offset))
        found = match_rows(tensors, moved).fill_null(-1).to_numpy()
        new = (row < 0) & (found >= 0) & ~np.isin(found, row[row >= 0])
        row[new], off[new] = found[new], offset
    place, count = np.unique(row[row >= 0], return_counts=True)
    row[np.isin(row, place[count > 1])] = -1  # two rows for one match: neither is sure
    matched = row >= 0
    values = np.full((len(tensors), 3), np.nan)
    probabilities = wanted.select(SPI_PROBABILITIES).to_numpy()[matched]
    values[row[matched]] = probabilities / probabilities.sum(axis=1, keepdims=True)
    keys = tensors.keys.with_columns(
        pl.Series(name, values[:, i]).fill_nan(None) for i, name in enumerate(SPI_PROBABILITIES)
    )
    lost = wanted.filter(pl.Series(~matched)).select(JOIN_COLUMNS).iter_rows()
    return JoinedFiveThirtyEight(
        tensors=replace(tensors, keys=keys),
        rows=len(wanted),
        matched=int(matched.sum()),
        shifted=int((matched & (off != 0)).sum()),
        unmatched=[f"{day} {league} {home} – {away}" for day, league, home, away in lost],
    )
