"""Feeds beside results, of odds and of match statistics: which have stopped, and which inputs they make comparable.

The network is trained with either feed missing, so a feed that stops costs accuracy but is no reason to train. It is
reported in a sentence, and inputs that depend on it are compared only where they are known.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from football_assets.monitoring.matching import Comparison
from football_assets.sequences.spec import FeatureGroup, FeatureSpec
from football_assets.sequences.tier_names import RATED

FEED_COLUMNS: dict[FeatureGroup, tuple[str, ...]] = {
    "odds": ("closing_odds_home", "pre_match_odds_home", "bookmaker_odds_home", "odds_home"),
    "shots": ("home_shots_on_target",),
}
"""Columns of `stg_matches` of which one is known for a match that the feed has."""
_WORDS: dict[str, str] = {"odds": "odds", "shots": "shots on target"}

_RECENT_DAYS = 30
_EARLIER_DAYS = 365
_LEAST_EARLIER = 20  # matches of a league
_LEAST_RECENT = 12  # more than the play-offs of a league, which a feed may not list
_HAD = 0.5  # least share of the earlier matches with the feed
_STOPPED = 0.1  # largest share of the recent ones
_FALLEN = 0.5  # of the share of the reference
_LEAST_SHARE = 0.1
_LEAGUES_NAMED = 5


@dataclass(frozen=True)
class FeedState:
    """A feed in the leagues that had it.

    Attributes
    ----------
    group
        Group of inputs that the feed gives.
    leagues
        Leagues that had the feed in the year before the last 30 days of results.
    stopped
        Those of them that do not have it any more.
    last_day
        Day of the last match of those with the feed; None if none stopped.
    """

    group: FeatureGroup
    leagues: int
    stopped: tuple[str, ...]
    last_day: date | None

    @property
    def note(self) -> str:
        """Say what stopped, in a sentence; empty if nothing did."""
        if not self.stopped:
            return ""
        named = ", ".join(self.stopped[:_LEAGUES_NAMED]) + (
            ", …" if len(self.stopped) > _LEAGUES_NAMED else ""
        )
        return (
            f"No {_WORDS[self.group]} have landed since {self.last_day} in {len(self.stopped)} of the {self.leagues} "
            f"leagues that had them ({named}): check the source."
        )


def feed_states(matches: pl.DataFrame) -> list[FeedState]:
    """Find the leagues in which a feed stopped: their results still land, without odds or without shots.

    Parameters
    ----------
    matches
        Rows of `stg_matches`. A feed whose columns they lack has no state.
    """
    played = matches.filter("is_played")
    newest = played["kickoff_date"].max()
    states = []
    for group, columns in FEED_COLUMNS.items():
        present = [name for name in columns if name in matches.columns]
        if present and isinstance(newest, date):
            known = played.select(
                "league_id",
                "kickoff_date",
                known=pl.any_horizontal(pl.col(name).is_not_null() for name in present),
                is_recent=pl.col("kickoff_date") > newest - timedelta(days=_RECENT_DAYS),
            ).filter(pl.col("kickoff_date") > newest - timedelta(days=_RECENT_DAYS + _EARLIER_DAYS))
            states.append(_feed_state(group, known))
    return states


def _feed_state(group: FeatureGroup, matches: pl.DataFrame) -> FeedState:
    """Judge a feed by rows of `league_id`, `kickoff_date`, `known` and `is_recent`."""
    recent, known = pl.col("is_recent"), pl.col("known")
    leagues = (
        matches.group_by("league_id")
        .agg(
            earlier=(~recent).sum(),
            recent=recent.sum(),
            had=known.filter(~recent).mean(),
            has=known.filter(recent).mean(),
            last_day=pl.col("kickoff_date").filter(known).max(),
        )
        .filter(pl.col("earlier") >= _LEAST_EARLIER, pl.col("had") >= _HAD)
        .sort("league_id")
    )
    stopped = leagues.filter(pl.col("recent") >= _LEAST_RECENT, pl.col("has") <= _STOPPED)
    last = stopped["last_day"].max()
    return FeedState(
        group, leagues.height, tuple(stopped["league_id"]), last if isinstance(last, date) else None
    )


def stopped_leagues(states: Sequence[FeedState]) -> dict[FeatureGroup, tuple[str, ...]]:
    """Return the leagues in which each feed stopped."""
    return {state.group: state.stopped for state in states}


def comparable_groups(
    comparison: Comparison, spec: FeatureSpec, stopped: Mapping[FeatureGroup, Collection[str]]
) -> Comparison:
    """Keep the inputs of odds and of shots only where they can be compared; elsewhere they become null.

    They can be compared in leagues whose feed has not stopped and that have rated matches on both sides, and there in
    matches of rated teams. Flags, and odds of the match itself, which a client may invent, are never compared.

    Parameters
    ----------
    comparison
        The window and its reference.
    spec
        Names the group of each input.
    stopped
        Leagues in which a feed stopped, by group.
    """
    frames = [comparison.window, comparison.reference]
    names = {
        group: [feature.name for feature in spec.context if feature.group == group]
        for group in ("odds", "shots", "match_odds")
    }
    for group, columns in names.items():
        rows = _comparable_rows(frames, group, stopped.get(group, ()))  # type: ignore[call-overload]
        frames = [
            frame.with_columns(
                pl.when(kept & (name not in RATED.values())).then(pl.col(name)).alias(name)
                for name in columns
                if name in frame.columns
            )
            for frame, kept in zip(frames, rows, strict=True)
        ]
    return replace(comparison, window=frames[0], reference=frames[1])


def _comparable_rows(frames: Sequence[pl.DataFrame], group: str, stopped: Collection[str]) -> list[pl.Expr]:
    flag = RATED.get(group)
    if flag is None or not all(flag in frame.columns for frame in frames):
        return [pl.lit(value=False) for _ in frames]
    rated = [set(frame.filter(pl.col(flag) == 1)["league_id"]) for frame in frames]
    leagues = sorted(set.intersection(*rated) - set(stopped))
    return [(pl.col(flag) == 1) & pl.col("league_id").is_in(leagues) for _ in frames]


def fallen_shares(comparison: Comparison) -> list[str]:
    """Say of each feed in a sentence if far fewer matches are rated by it than in the reference."""
    notes = []
    for group, flag in RATED.items():
        if flag in comparison.window.columns and flag in comparison.reference.columns:
            ours, theirs = (
                frame.filter(pl.col(flag) == 1).height / max(1, frame.height)
                for frame in (comparison.window, comparison.reference)
            )
            if theirs >= _LEAST_SHARE and ours < _FALLEN * theirs:
                notes.append(
                    f"{ours:.0%} of the forecasts have past {_WORDS[group]}, and {theirs:.0%} of the training "
                    "reference had them: inputs that depend on them are compared only where they are known."
                )
    return notes
