"""The fixture lists: unplayed matches with the forecasts of `fixture_predictions`, as the bucket has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from football_assets.domain.leagues import league_of
from football_assets.domain.scorelines import Score, likeliest_scores, score_matrix
from football_assets.sequences.fixture_days import TABLE, ListedDays, split_overdue
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import read_table, table_object


@dataclass(frozen=True)
class FixtureList:
    """Unplayed matches in order of kick-off, as the API answers them.

    `rows` are the coming ones, `overdue` those whose day has passed without a result.
    """

    version: str | None  # of the object in the bucket
    model_version: int | None
    rows: list[dict[str, Any]]
    overdue: list[dict[str, Any]]
    _days: ListedDays = field(repr=False)

    @classmethod
    def empty(cls) -> "FixtureList":
        """No fixture has been forecast yet."""
        return cls(None, None, [], [], ListedDays())

    @classmethod
    def read(cls, bucket: Bucket, known: "FixtureList") -> "FixtureList":
        """The list as it is now; `known` itself where nothing has changed."""
        info = bucket.stat(table_object(TABLE))
        if info is None:
            return cls.empty()
        if info.version == known.version:
            return known
        table = read_table(bucket, TABLE)
        coming, overdue = split_overdue(table)
        version = max(table["model_version"].to_list(), default=None)
        return cls(info.version, version, _rows(coming), _rows(overdue), ListedDays(table))

    def day_of(self, league_id: str, home_team: str, away_team: str, earliest: date) -> date | None:
        """The day of the next fixture of two teams, from the earliest on, as `ListedDays` has it."""
        return self._days.day_of(league_id, home_team, away_team, earliest)

    def select(
        self, league_id: str | None, first: date | None, last: date | None, *, overdue: bool = False
    ) -> list[dict[str, Any]]:
        """Coming or overdue fixtures of a league, or all, from a day to a day."""
        return [
            row
            for row in (self.overdue if overdue else self.rows)
            if (league_id is None or row["league"] == league_id)
            and (first is None or row["date"] >= first)
            and (last is None or row["date"] <= last)
        ]


def _rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    goals = table.select("xg_home", "xg_away").to_numpy()
    probabilities = table.select("p_home", "p_draw", "p_away").to_numpy()
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
                [row["p_home"], row["p_draw"], row["p_away"]], [row["xg_home"], row["xg_away"]], scores
            ),
        }
        for row, scores in zip(table.iter_rows(named=True), likeliest, strict=True)
    ]


def forecast_body(
    probabilities: list[float], expected_goals: list[float], likeliest: Sequence[Score]
) -> dict[str, Any]:
    """The members of an answer that say what the model forecasts."""
    home, draw, away = probabilities
    home_goals, away_goals = expected_goals
    return {
        "probabilities": {"home": home, "draw": draw, "away": away},
        "expected_goals": {"home": home_goals, "away": away_goals},
        "likeliest_scores": [
            {"home": home, "away": away, "probability": probability} for home, away, probability in likeliest
        ],
    }
