"""Compare the distribution of a window's inputs and forecasts with the reference, and find invalid values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import wasserstein_distance

from football_assets.domain.columns import EXPECTED_GOALS_COLUMNS, PROBABILITY_COLUMNS
from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.matching import CALENDAR, GROWING, Comparison, outside
from football_assets.monitoring.schema import FORECAST
from football_assets.monitoring.summary import Finding
from football_assets.sequences.spec import FeatureGroup, FeatureSpec
from football_assets.sequences.tier_names import RATED

LEAST_VALUES = 10
_SUM_TOLERANCE = 1e-3
_BROKEN_NOISE = 4
_SMALLEST_SCALE = 1e-3  # as Evidently has it


@dataclass(frozen=True)
class Column:
    """One column's distance from the reference, in the reference's standard deviations.

    `threshold` is what a drifted column exceeds, given how many teams or leagues its values are of.
    """

    name: str
    distance: float
    threshold: float
    broken: float
    mean: float
    reference_mean: float
    group: FeatureGroup = "results"

    @property
    def drifted(self) -> bool:
        """Whether it is further away than an ordinary window."""
        return self.distance > self.threshold


def column_distances(comparison: Comparison, spec: FeatureSpec, config: DriftConfig) -> list[Column]:
    """Wasserstein distances of inputs and forecasts, the largest first.

    The values of a team, or of a league, depend on each other: a window of few teams may lie far from the reference by
    chance, however many forecasts it has, and so may one whose part of the reference is small. A column is drifted
    beyond what that chance explains; teams, leagues and matches are those whose value is known. A column that is nearly
    empty on one side is not compared.
    """
    groups = {feature.name: feature.group for feature in spec.context}
    columns = []
    for name in [*(n for n in spec.context_names if n not in CALENDAR), *FORECAST]:
        if name not in comparison.window.columns or name not in comparison.reference.columns:
            continue
        window, reference = (
            frame.filter(pl.col(name).cast(pl.Float64).is_not_nan())
            for frame in (comparison.window, comparison.reference)
        )
        ours, theirs = (frame[name].to_numpy().astype(np.float64) for frame in (window, reference))
        if min(len(ours), len(theirs)) < LEAST_VALUES:
            continue
        of_league = name.startswith("league_")
        units = max(1, window["league_id"].n_unique() if of_league else _teams(window))
        chance = config.noise * np.sqrt(1 / units + 1 / min(units, reference["match_id"].n_unique()))
        columns.append(
            Column(
                name,
                float(wasserstein_distance(theirs, ours) / max(theirs.std(), _SMALLEST_SCALE)),
                float(max(config.column_distance, chance)),
                # A league's mean goals hardly move in a few years: seen alone, an ordinary change is many deviations.
                np.inf if of_league else float(max(config.broken_distance, _BROKEN_NOISE * chance)),
                float(ours.mean()),
                float(theirs.mean()),
                groups.get(name, "results"),
            )
        )
    return sorted(columns, key=lambda column: -column.distance)


def judge_columns(columns: list[Column], config: DriftConfig, note: str) -> Finding:
    """Find drift if many columns have moved, or many of those that come from results, or one so far that it is broken.

    The threshold of the share was set on columns that come from results; columns of odds and shots do not dilute it.
    """
    drifted = [column for column in columns if column.drifted]
    broken = [column.name for column in columns if column.distance > column.broken]
    of_results = [column for column in columns if column.group == "results"]
    share = max(drifted_share(columns), drifted_share(of_results))
    text = f"{len(drifted)} of {len(columns)} columns have drifted from the training reference"
    if drifted:
        text += f" ({', '.join(column.name for column in drifted[:5])}{', …' if len(drifted) > 5 else ''})"
    if broken:
        text += f"; beyond any season: {', '.join(broken)}"
    return Finding(
        area="inputs", drifted=share >= config.drift_share or bool(broken), note=_sentences(f"{text}.", note)
    )


def drifted_share(columns: Sequence[Column]) -> float:
    """Share of the columns that drifted; 0 without a column."""
    return sum(column.drifted for column in columns) / len(columns) if columns else 0.0


@dataclass(frozen=True)
class Quality:
    """Shares of a column's values in the window and in the reference that are missing or beyond their bounds.

    `teams`: how many teams of the window the shares are of.
    """

    name: str
    teams: int
    missing: float
    reference_missing: float
    outside: float
    reference_outside: float

    @property
    def excess(self) -> float:
        """The larger excess of the window over the reference."""
        return max(self.missing - self.reference_missing, self.outside - self.reference_outside)


def column_quality(comparison: Comparison, spec: FeatureSpec) -> list[Quality]:
    """Missing values and values out of range of each input, the worst first.

    Shares of inputs of odds and of shots are of the matches whose teams are rated by them, on both sides: a match
    without is no defect. With fewer than `LEAST_VALUES` of them on one side they are not compared.
    """
    qualities = []
    for feature in spec.context:
        name = feature.name
        if name not in comparison.reference.columns:
            continue
        frames = [_rated(frame, feature.group) for frame in (comparison.window, comparison.reference)]
        if feature.group != "results" and min(frame.height for frame in frames) < LEAST_VALUES:
            continue
        ours, theirs = (_shares(frame, name) for frame in frames)
        if name in GROWING:
            ours, theirs = (ours[0], 0.0), (theirs[0], 0.0)
        qualities.append(Quality(name, _teams(frames[0]), ours[0], theirs[0], ours[1], theirs[1]))
    return sorted(qualities, key=lambda quality: -quality.excess)


def judge_quality(qualities: list[Quality], forecasts: pl.DataFrame, config: DriftConfig) -> Finding:
    """Find drift if inputs are missing or out of range more often than in training, or a forecast is invalid."""
    bad = [
        quality
        for quality in qualities
        if quality.excess > max(config.quality_share, 0.5 * config.noise * np.sqrt(2 / max(1, quality.teams)))
    ]
    wrong = forecasts_that_are_none(forecasts)
    parts = [
        f"{quality.name} ({quality.missing:.0%} missing, {quality.outside:.0%} out of range)"
        for quality in bad
    ]
    if wrong:
        parts.append(f"{wrong} forecasts are not probabilities and goals")
    text = (
        f"{'; '.join(parts)}." if parts else "Missing and out-of-range values are as frequent as in training."
    )
    return Finding(area="quality", drifted=bool(parts), note=text)


def forecasts_that_are_none(forecasts: pl.DataFrame) -> int:
    """Forecasts whose probabilities do not sum to one, or whose goals are none."""
    sound = pl.all_horizontal(
        *(pl.col(name).is_between(0, 1) for name in PROBABILITY_COLUMNS),
        *(pl.col(name).is_finite() & (pl.col(name) > 0) for name in EXPECTED_GOALS_COLUMNS),
        (pl.sum_horizontal(PROBABILITY_COLUMNS) - 1).abs() <= _SUM_TOLERANCE,
    )
    return forecasts.filter(~sound.fill_null(value=False)).height


def _rated(frame: pl.DataFrame, group: FeatureGroup) -> pl.DataFrame:
    """Select the rows whose teams are rated by the source of a group; none for odds of the match itself."""
    if group == "results":
        return frame
    flag = RATED.get(group)
    return frame.filter(pl.col(flag) == 1) if flag in frame.columns else frame.clear()


def _shares(frame: pl.DataFrame, name: str) -> tuple[float, float]:
    if name not in frame.columns or frame.is_empty():
        return 1.0, 0.0
    values = frame[name].fill_nan(None) if frame[name].dtype.is_float() else frame[name]
    return values.null_count() / frame.height, float(frame[outside(name)].mean() or 0.0)  # type: ignore[arg-type]


def _teams(window: pl.DataFrame) -> int:
    """Count the teams of the window's forecasts; each custom history counts as one."""
    teams = pl.concat([window["home_team_id"], window["away_team_id"]])
    return teams.drop_nulls().n_unique() + window["home_team_id"].null_count()


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)
