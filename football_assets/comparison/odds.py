"""Read decimal odds from a CSV, validate them and join them to the matches of the tensors.

Odds serve comparison and paper bets only: no forecast depends on them.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.clubs import canonical_club, words_of
from football_assets.domain.leagues import league_of, parse_league_id
from football_assets.errors import FootballError, UnknownLeague
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.baselines import ODDS_COLUMNS, decimal_odds

COLUMNS = ("date", "season", "league", "home", "away", "hg", "ag", "oh", "od", "oa")
JOIN_COLUMNS = ("date", "league_id", "home", "away")
_SHOWN = 3


class OddsError(FootballError):
    """A file of odds is unusable."""


@dataclass(frozen=True)
class JoinedOdds:
    """Tensors whose keys carry the odds, and the number of rows that matched.

    `unmatched` describes each row without a match, `contradictions` the rows whose score differs from their match's.
    """

    tensors: SequenceTensors
    rows: int
    matched: int
    unmatched: list[str]
    contradictions: list[str]

    def describe(self) -> str:
        """Describe the join in one line."""
        text = f"{self.matched:,} of {self.rows:,} rows of odds found their match"
        for what, cases in (("without a match", self.unmatched), ("with another score", self.contradictions)):
            if cases:
                more = ", …" if len(cases) > _SHOWN else ""
                text += f"; {len(cases):,} {what}: {', '.join(cases[:_SHOWN])}{more}"
        return f"{text}."


def read_odds(path: Path) -> pl.DataFrame:
    """Read odds by match: `date`, `league_id`, `home`, `away`, `hg`, `ag`, `odds_home`, `odds_draw`, `odds_away`.

    Parameters
    ----------
    path
        A CSV with the columns date (YYYY-MM-DD), season, league, home, away, hg, ag and the decimal odds oh, od, oa of
        home win, draw and away win.

    Raises
    ------
    OddsError
        The file cannot be read, lacks a column, or a row has no valid day, league or odds above 1.
    """
    try:
        text = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OddsError(f"{path} cannot be read as CSV: {str(error).splitlines()[0]}") from error
    missing = [name for name in COLUMNS if name not in text.columns]
    if missing:
        raise OddsError(f"{path} has no column {', '.join(missing)}: its header must be {','.join(COLUMNS)}.")
    leagues = {league: _league_id(league) for league in text["league"].drop_nulls().unique()}
    odds = text.select(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False),
        pl.col("league").replace_strict(leagues, default=None, return_dtype=pl.String).alias("league_id"),
        "home",
        "away",
        pl.col("hg", "ag").cast(pl.Int64, strict=False),
        *(
            pl.col(short).cast(pl.Float64, strict=False).alias(name)
            for short, name in zip(("oh", "od", "oa"), ODDS_COLUMNS, strict=True)
        ),
    )
    usable = pl.all_horizontal(
        pl.col("date", "league_id", "home", "away").is_not_null(),
        *((pl.col(name) > 1).fill_null(value=False) & pl.col(name).is_finite() for name in ODDS_COLUMNS),
    )
    bad = odds.with_row_index("line", offset=2).filter(~usable)
    if len(bad):
        line = bad["line"][0]
        raise OddsError(
            f"{path}, line {line}: {','.join(str(cell) for cell in text.row(line - 2))} is not a day, a league, two "
            f"teams and decimal odds above 1. Correct or remove such lines: there are {len(bad):,}."
        )
    twice = odds.filter(odds.select("date", "league_id", "home").is_duplicated())
    if len(twice):
        raise OddsError(
            f"{path} has odds of {twice['home'][0]} at home on {twice['date'][0]} more than once: keep one per match."
        )
    return odds


def join_odds(tensors: SequenceTensors, odds: pl.DataFrame, *, keep: bool = True) -> JoinedOdds:
    """Join odds to the columns `odds_…` of the tensors' keys, in place of those that they hold.

    A row matches if league and day agree and one of the two names means the same club: a club plays once a day, so the
    other name may be unknown.

    Parameters
    ----------
    keep
        Whether matches without a row of `odds` keep the odds that they hold; else they have none.
    """
    row = match_rows(tensors, odds)
    found = row.is_not_null().to_numpy()
    rows = row.drop_nulls().to_numpy()
    values = decimal_odds(tensors).copy() if keep else np.full((len(tensors), 3), np.nan)
    values[rows] = odds.select(ODDS_COLUMNS).to_numpy()[found]
    goals = odds.select(pl.col("hg", "ag").fill_null(-1)).to_numpy()
    differs = np.zeros(len(odds), dtype=bool)
    differs[found] = ((goals[found] != tensors.goals[rows]) & (goals[found] >= 0)).any(axis=1)
    differs[found] &= tensors.played[rows]
    return JoinedOdds(
        tensors=replace(
            tensors,
            keys=tensors.keys.with_columns(
                pl.Series(name, values[:, i]).fill_nan(None) for i, name in enumerate(ODDS_COLUMNS)
            ),
        ),
        rows=len(odds),
        matched=int(found.sum()),
        unmatched=_descriptions(odds, ~found),
        contradictions=_descriptions(odds, differs),
    )


def match_rows(tensors: SequenceTensors, wanted: pl.DataFrame) -> pl.Series:
    """Find the row of the tensors of each wanted match, null where there is none.

    Parameters
    ----------
    wanted
        The columns `JOIN_COLUMNS`: day, league and the names of both clubs. League and day have to agree, and one of
        the two clubs: a club plays once a day, so the other name may be unknown.
    """
    keys = tensors.keys.select(
        pl.int_range(pl.len()).alias("row"),
        pl.col("kickoff_date").cast(pl.Date).alias("date"),
        "league_id",
        *(_club(f"{side}_team").alias(side) for side in ("home", "away")),
    )
    named = wanted.with_columns(_club(side).alias(side) for side in ("home", "away"))
    both, home, away = (
        named.join(keys.unique(on, keep="none"), on=on, how="left", maintain_order="left")["row"]
        for on in (
            ["league_id", "date", "home", "away"],
            ["league_id", "date", "home"],
            ["league_id", "date", "away"],
        )
    )
    return both.fill_null(home).fill_null(away)


def _league_id(text: str) -> str | None:
    try:
        return parse_league_id(text)
    except UnknownLeague:
        return None


def _club(column: str) -> pl.Expr:
    """Return the words of the canonical name of the club in a column."""
    return pl.struct("league_id", column).map_elements(
        lambda row: _club_words(row["league_id"], row[column]), return_dtype=pl.String
    )


@cache
def _club_words(league_id: str, name: str) -> str:
    return " ".join(words_of(canonical_club(league_of(league_id).country, name)))


def _descriptions(odds: pl.DataFrame, chosen: NDArray[np.bool_]) -> list[str]:
    rows = odds.filter(pl.Series(chosen)).select(JOIN_COLUMNS).iter_rows()
    return [f"{day} {league} {home} – {away}" for day, league, home, away in rows]
