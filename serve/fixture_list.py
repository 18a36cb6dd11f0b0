"""The fixture lists: unplayed matches with their forecasts, read from the table `fixture_predictions`."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.domain.leagues import league_of
from football_assets.domain.scorelines import likeliest_scores, score_matrix
from football_assets.sequences.fixture_days import (
    FIXTURE_ODDS,
    FIXTURE_TABLE,
    ListedDays,
    split_overdue,
    with_inputs,
)
from football_assets.sequences.tier_names import TIER_COLUMN
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, table_object
from serve.answers import forecast_body


@dataclass(frozen=True)
class FixtureList:
    """Unplayed matches in order of kick-off, as rows of the HTTP API's answers.

    Attributes
    ----------
    object_version
        Version of the table's object in the bucket; None without a table.
    model_version
        Registry version that forecast the fixtures; None without a fixture.
    rows
        The upcoming fixtures.
    overdue
        The fixtures whose day has passed without a result.
    """

    object_version: str | None
    model_version: int | None
    rows: list[dict[str, Any]]
    overdue: list[dict[str, Any]]
    _days: ListedDays = field(repr=False)

    @classmethod
    def empty(cls) -> "FixtureList":
        """Return the list before any fixture has been forecast."""
        return cls(None, None, [], [], ListedDays())

    @classmethod
    def read(cls, bucket: Bucket, known: "FixtureList") -> "FixtureList":
        """Read the list; returns `known` itself if the table has not changed since."""
        info = bucket.stat(table_object(FIXTURE_TABLE))
        if info is None:
            return cls.empty()
        if info.version == known.object_version:
            return known
        table = with_inputs(read_table(bucket, FIXTURE_TABLE))
        coming, overdue = split_overdue(table)
        model_version = max(table["model_version"].to_list(), default=None)
        days = ListedDays.of_parts(coming, overdue)
        return cls(info.version, model_version, _rows(coming), _rows(overdue), days)

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        """Return the day of the next fixture of two teams, from the earliest on. See `ListedDays.day_of`."""
        return self._days.day_of(league_id, home_team, away_team, earliest)

    def select(
        self, league_id: str | None, first: date | None, last: date | None, *, overdue: bool = False
    ) -> list[dict[str, Any]]:
        """Select coming or overdue fixtures.

        Parameters
        ----------
        league_id
            League of the fixtures; None: all leagues.
        first, last
            First and last day, both included; None: no bound.
        overdue
            Whether to select overdue fixtures instead of upcoming ones.
        """
        return [
            row
            for row in (self.overdue if overdue else self.rows)
            if (league_id is None or row["league"] == league_id)
            and (first is None or row["date"] >= first)
            and (last is None or row["date"] <= last)
        ]


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    goals = table.select(EXPECTED_GOALS_COLUMNS).to_numpy()
    probabilities = table.select(PROBABILITY_COLUMNS).to_numpy()
    likeliest = likeliest_scores(score_matrix(goals[:, 0], goals[:, 1], probabilities))
    return [
        {
            "league": row["league_id"],
            "league_name": league_of(row["league_id"]).name,
            "season": row["season"],
            "date": row["kickoff_date"],
            "time": row["kickoff_time"],
            "home_team": row["home_team"],
            "away_team": row["away_team"],
            **forecast_body(
                [row[name] for name in PROBABILITY_COLUMNS],
                [row[name] for name in EXPECTED_GOALS_COLUMNS],
                scores,
                row[TIER_COLUMN],
            ),
            "odds": _odds_body(row),
        }
        for row, scores in zip(table.iter_rows(named=True), likeliest, strict=True)
    ]


def _odds_body(row: dict[str, Any]) -> dict[str, float] | None:
    """Name the odds of the match that the forecast uses, as `schemas.MatchOdds` does; None where it uses none."""
    home, draw, away = (row[name] for name in FIXTURE_ODDS)
    return None if home is None else {"home": home, "draw": draw, "away": away}
