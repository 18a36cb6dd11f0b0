"""The feature specification: names, units, bounds and order of every input of the network.

One object, saved beside the tensors and inside each model bundle. The encoder and the network take the order from it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from football_assets.features.rating_columns import (
    MARKET_CONTEXT_COLUMNS,
    MARKET_HISTORY_COLUMNS,
    RESULT_CONTEXT,
    SHOT_CONTEXT_COLUMNS,
    SHOT_HISTORY_COLUMNS,
    RatingColumn,
)
from football_assets.storage.model_files import FEATURE_SPEC

FeatureGroup = Literal["results", "odds", "shots", "match_odds"]


class Feature(BaseModel):
    """One input in its natural unit; the network normalises it."""

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str
    lower: float = Field(description="Smaller values are clipped to it.")
    upper: float = Field(description="Larger values are clipped to it.")
    description: str
    group: FeatureGroup = Field(
        "results", description="What it is computed from; `match_odds` are odds of the match itself."
    )


class FeatureSpec(BaseModel):
    """Inputs of the network.

    `home_history` and `away_history` are float32 `[matches, history_length, len(history)]`, the most recent match
    last, left-padded with zeros where a team has played fewer; `context` is float32 `[matches, len(context)]`, NaN
    where unknown.
    """

    model_config = ConfigDict(frozen=True)

    version: int = Field(1, description="Version of this file format.")
    history_length: int = Field(10, ge=1)
    history: tuple[Feature, ...]
    context: tuple[Feature, ...]

    @property
    def history_names(self) -> list[str]:
        """Names of the features of a past match, in order."""
        return [feature.name for feature in self.history]

    @property
    def context_names(self) -> list[str]:
        """Names of the features of the match itself, in order."""
        return [feature.name for feature in self.context]

    def save(self, folder: Path) -> None:
        """Write the specification into a folder of tensors or a bundle."""
        (folder / FEATURE_SPEC).write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "FeatureSpec":
        """Read the specification of a folder of tensors or a bundle."""
        return cls.model_validate_json((folder / FEATURE_SPEC).read_text(encoding="utf-8"))


OBSERVED = "observed"
HOME_ADVANTAGE_SHIFT = "home_advantage_shift"  # a feature of the day, not of the match: `home_advantage.py`
MATCH_ODDS = ("match_odds_p_home", "match_odds_p_draw", "match_odds_p_away")  # by odds of the match itself
FLAG = "flag"  # unit of a feature that is 1 or 0, never NaN
_RATING = "rating"


def _rated(columns: Iterable[RatingColumn], group: FeatureGroup) -> tuple[Feature, ...]:
    """Build the features that are derived from ratings; those of `RESULT_CONTEXT` are known without odds."""
    return tuple(
        Feature(**column._asdict(), group="results" if column.name in RESULT_CONTEXT else group)
        for column in columns
    )


_HISTORY = (
    Feature(name="goals_for", unit="goals", lower=0, upper=8, description="Goals the team scored."),
    Feature(name="goals_against", unit="goals", lower=0, upper=8, description="Goals the team conceded."),
    Feature(name="is_home", unit=FLAG, lower=0, upper=1, description="1 at home, 0 away."),
    Feature(
        name="elo", unit="Elo points", lower=0, upper=4000, description="The team's Elo rating before it."
    ),
    Feature(
        name="opponent_elo", unit="Elo points", lower=0, upper=4000, description="The opponent's before it."
    ),
    Feature(
        name="attack", unit=_RATING, lower=-3, upper=3, description="The team's attack rating before it."
    ),
    Feature(
        name="defence", unit=_RATING, lower=-3, upper=3, description="The team's defence rating before it."
    ),
    Feature(
        name="opponent_attack",
        unit=_RATING,
        lower=-3,
        upper=3,
        description="The opponent's attack before it.",
    ),
    Feature(
        name="opponent_defence", unit=_RATING, lower=-3, upper=3, description="The opponent's defence before."
    ),
    Feature(
        name="rest_days",
        unit="days",
        lower=0,
        upper=60,
        description="Days since the team's match before it; NaN for its first.",
    ),
    Feature(name="is_cup", unit=FLAG, lower=0, upper=1, description="1 for a cup match."),
    Feature(name=OBSERVED, unit=FLAG, lower=0, upper=1, description="1 for a match, 0 for padding."),
    *_rated(MARKET_HISTORY_COLUMNS, "odds"),
    *_rated(SHOT_HISTORY_COLUMNS, "shots"),
)


def both_sides(name: str, unit: str, lower: float, upper: float, description: str) -> tuple[Feature, Feature]:
    """Build the same feature of the home team and of the away team."""
    home, away = (
        Feature(
            name=f"{side}_{name}",
            unit=unit,
            lower=lower,
            upper=upper,
            description=f"{description}, {side} team.",
        )
        for side in ("home", "away")
    )
    return home, away


_CONTEXT = (
    *both_sides("elo", "Elo points", 0, 4000, "Elo rating before the match"),
    *both_sides("attack", _RATING, -3, 3, "Attack rating before the match"),
    *both_sides("defence", _RATING, -3, 3, "Defence rating before the match"),
    *both_sides("rest_days", "days", 0, 30, "Days since the last match played"),
    *both_sides("matches_known", "matches", 0, 40, "Matches played before"),
    *both_sides("points_10", "points a match", 0, 3, "Points a match over the last ten"),
    *both_sides("goals_for_10", "goals a match", 0, 6, "Goals a match over the last ten"),
    *both_sides("goals_against_10", "goals a match", 0, 6, "Goals conceded a match over the last ten"),
    *both_sides("venue_points_5", "points a match", 0, 3, "Points a match over the last five at this venue"),
    *both_sides("season_played", "matches", 0, 60, "Matches played this season"),
    *both_sides("season_points_per_match", "points a match", 0, 3, "Points a match this season"),
    *both_sides(
        "season_goal_difference_per_match", "goals a match", -4, 4, "Goal difference a match this season"
    ),
    Feature(
        name="league_home_goals",
        unit="goals a match",
        lower=0.2,
        upper=4,
        description="Recent home goals, league.",
    ),
    Feature(
        name="league_away_goals",
        unit="goals a match",
        lower=0.2,
        upper=4,
        description="Recent away goals, league.",
    ),
    Feature(
        name=HOME_ADVANTAGE_SHIFT,
        unit="log goals",
        lower=-0.6,
        upper=0.6,
        description="Recent deviation of home advantage in all leagues from what their mean goals imply.",
    ),
    Feature(
        name="tier",
        unit="tier",
        lower=1,
        upper=5,
        description="Tier of the league, 1 the top; NaN for a cup.",
    ),
    Feature(name="is_cup", unit=FLAG, lower=0, upper=1, description="1 for a cup match."),
    *_rated(MARKET_CONTEXT_COLUMNS, "odds"),
    *_rated(SHOT_CONTEXT_COLUMNS, "shots"),
    *(
        Feature(
            name=name,
            unit="probability",
            lower=0,
            upper=1,
            description=f"{outcome} by the match's own pre-match odds, never by closing odds, margin removed by the "
            "power method.",
            group="match_odds",
        )
        for name, outcome in zip(MATCH_ODDS, ("Home win", "Draw", "Away win"), strict=True)
    ),
)

DEFAULT_SPEC = FeatureSpec(history=_HISTORY, context=_CONTEXT)
