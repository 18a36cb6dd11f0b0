"""Sample the training reference with the window's mix of leagues and phases of the season.

Requests vary with time: another league, the first round, a month without football. This is not drift. The reference is
therefore sampled with the window's shares of leagues and phases, and columns that depend on how long before the match
it was requested are excluded on both sides.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT, FeatureSpec

ROWS = 4000
LEAST_ROWS = 10  # of a league's phase in the reference; fewer stand for nothing
PAUSE_DAYS = 21
PHASES = (0, 5, 15)  # most matches a team has played this season: the opening, the start, autumn, the rest

# How many matches of a team are known: it only grows, and the network sees no more than its upper bound.
GROWING = frozenset({"home_matches_known", "away_matches_known"})

# Said by the calendar and the competition that were asked about; the shift of home advantage is one number a day.
CALENDAR = GROWING | frozenset(
    {
        "home_rest_days",
        "away_rest_days",
        "home_season_played",
        "away_season_played",
        "tier",
        "is_cup",
        HOME_ADVANTAGE_SHIFT,
    }
)

_STRATUM = ["league_id", "phase"]
_PLAYED = ("home_season_played", "away_season_played")
_REST = ("home_rest_days", "away_rest_days")


@dataclass(frozen=True)
class Comparison:
    """Rows of the window and of the reference that can be compared, and how many of the window cannot."""

    window: pl.DataFrame
    reference: pl.DataFrame
    paused: (
        int  # forecasts of teams that have not played for weeks within a season: asked long before the match
    )
    foreign: int  # forecasts of leagues, or phases of a season, that the reference hardly has

    @property
    def note(self) -> str:
        """What was set aside, as a sentence; empty if nothing was."""
        parts = []
        if self.paused:
            parts.append(f"{self.paused} forecasts reach over a pause of more than {PAUSE_DAYS} days")
        if self.foreign:
            parts.append(f"{self.foreign} are of leagues or phases of a season that the reference hardly has")
        return f"Not compared: {', '.join(parts)}." if parts else ""


def compare_like_with_like(
    window: pl.DataFrame, reference: pl.DataFrame, spec: FeatureSpec, seed: int
) -> Comparison:
    """Draw from the reference what the window's leagues and phases of the season call for.

    Parameters
    ----------
    window
        Forecasts with `league_id` and the specification's context features.
    reference
        Rows of a bundle's reference.
    """
    window, reference = (_bounded(frame, spec) for frame in (window, reference))
    ours, theirs = window.filter(~_is_paused(window)), reference.filter(~_is_paused(reference))
    strata = theirs.group_by(_STRATUM).len().filter(pl.col("len") >= LEAST_ROWS)
    known = ours.join(strata, on=_STRATUM, how="semi", maintain_order="left")
    return Comparison(
        window=known,
        reference=_draw(theirs, known, seed),
        paused=window.height - ours.height,
        foreign=ours.height - known.height,
    )


def _bounded(frame: pl.DataFrame, spec: FeatureSpec) -> pl.DataFrame:
    """Numbers as the network sees them, with the phase of the season; `<name>__outside` says what was cut."""
    features = [feature for feature in spec.context if feature.name in frame.columns]
    value = {feature.name: pl.col(feature.name) for feature in features}
    return frame.with_columns(
        *(value[f.name].clip(f.lower, f.upper) for f in features),
        *(
            (~value[f.name].is_between(f.lower, f.upper)).fill_null(value=False).alias(outside(f.name))
            for f in features
        ),
        phase=_phase(frame),
    )


def outside(name: str) -> str:
    """Column that says whether an input was beyond its bounds."""
    return f"{name}__outside"


def _phase(frame: pl.DataFrame) -> pl.Expr:
    if not set(_PLAYED) <= set(frame.columns):
        return pl.lit(0)
    played = pl.max_horizontal(_PLAYED).fill_null(0)
    return pl.sum_horizontal((played > last).cast(pl.Int32) for last in PHASES)


def _is_paused(frame: pl.DataFrame) -> pl.Series:
    if not {*_PLAYED, *_REST} <= set(frame.columns):
        return pl.repeat(value=False, n=frame.height, eager=True, dtype=pl.Boolean)
    paused = (pl.max_horizontal(_REST) > PAUSE_DAYS) & (pl.min_horizontal(_PLAYED) > 0)
    return frame.select(paused=paused.fill_null(value=False))["paused"]


def _draw(reference: pl.DataFrame, window: pl.DataFrame, seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    rows = reference.with_row_index("row").select("row", *_STRATUM)
    drawn = []
    for *stratum, count in window.group_by(_STRATUM).len().sort(_STRATUM).iter_rows():
        pool = rows.filter(league_id=stratum[0], phase=stratum[1])["row"].to_numpy()
        drawn.append(generator.choice(pool, max(1, round(ROWS * count / window.height))))
    return reference[np.concatenate(drawn)] if drawn else reference.clear()
