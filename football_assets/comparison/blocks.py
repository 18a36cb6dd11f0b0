"""Blocks of matches on which forecasters are scored: all, those with odds, and those that somebody published.

All rows of a block are on the same matches, so scores and differences within it compare.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.rival import Rival
from football_assets.domain.block_bootstrap import Difference, league_weeks, paired_differences
from football_assets.domain.leagues import league_of
from football_assets.domain.scoring_rules import Scores, score
from football_assets.training.backtest import outcomes_of
from football_assets.training.evaluation import probabilities_of

OURS = "LSTM"
ALL_MATCHES, WITH_ODDS = "all matches", "with odds"
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """A forecaster's scores on the matches of a block, and their differences from the network's, by measure."""

    forecaster: str
    scores: Scores
    differences: dict[str, Difference]

    def as_dict(self) -> dict[str, Any]:
        """Return scores and differences by name."""
        return {
            **self.scores.as_dict(),
            "differences": {name: asdict(difference) for name, difference in self.differences.items()},
        }


@dataclass(frozen=True)
class Block:
    """A subset of the matches, and the forecasters' scores on them.

    `known` is the number of its matches that each bookmaker and each published forecaster has.
    """

    name: str
    matches: int
    league_weeks: int
    rows: list[Row]
    known: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the block as JSON values."""
        return {
            "block": self.name,
            "matches": self.matches,
            "league_weeks": self.league_weeks,
            "known": self.known,
            "forecasters": {row.forecaster: row.as_dict() for row in self.rows},
        }

    def describe(self) -> str:
        """Describe in one line which matches the block has, and how many of them the partial forecasters know."""
        text = f"{self.matches:,} matches, {self.league_weeks:,} league-weeks"
        known = "; ".join(f"{name}: {count:,}" for name, count in self.known.items())
        return f"{text} ({known})" if known else text


@dataclass(frozen=True)
class _Level:
    """Matches, the forecasters of some matches that know all of these, and whether parts of them are shown."""

    name: str
    matches: Mask
    shown: tuple[str, ...] = ()
    in_parts: bool = False


def blocks_of(forecasts: pl.DataFrame, rivals: Sequence[Rival]) -> list[Block]:
    """Score the models on all matches, and all forecasters on the matches that each of them knows.

    Parameters
    ----------
    forecasts
        One row per match with `date`, `league_id`, `season`, goals, the network's probabilities and those of the
        rivals.
    rivals
        The rivals; one without columns in `forecasts`, or without any probability, is left out.

    Returns
    -------
    list of Block
        All matches, by tier and by season; matches with the odds of every bookmaker, likewise, then those of each
        bookmaker that has more; the matches of each published forecaster, alone and with the odds.
    """
    present = [rival for rival in rivals if f"{rival.key}_p_home" in forecasts.columns]
    probabilities = {rival.name: probabilities_of(forecasts, f"{rival.key}_") for rival in present}
    probabilities[OURS] = probabilities_of(forecasts)
    known: dict[str, Mask] = {
        rival.name: ~np.isnan(probabilities[rival.name][:, 0]) for rival in present if rival.kind != "model"
    }
    known = {name: matches for name, matches in known.items() if matches.any()}
    models = [rival.name for rival in present if rival.kind == "model"]
    published, bookmakers = (
        [rival.name for rival in present if rival.kind == kind and rival.name in known]
        for kind in ("published", "bookmaker")
    )
    scored = _Scored(
        probabilities, known, outcomes_of(forecasts), league_weeks(forecasts["league_id"], forecasts["date"])
    )
    blocks = []
    for level in _levels(len(forecasts), known, published, bookmakers):
        names = [*models, OURS, *level.shown]
        parts = _parts(forecasts, level) if level.in_parts else ()
        blocks += [
            scored.block(name, matches, names) for name, matches in ((level.name, level.matches), *parts)
        ]
    return blocks


def _levels(
    count: int, known: Mapping[str, Mask], published: Sequence[str], bookmakers: Sequence[str]
) -> Iterator[_Level]:
    every = np.ones(count, dtype=bool)
    yield _Level(ALL_MATCHES, every, in_parts=True)
    yield from _with_odds("with", every, (), known, bookmakers)
    for name in published:
        title = f"matches of {name}"
        yield _Level(title, known[name], (name,))
        yield from _with_odds(f"{title} with", known[name], (name,), known, bookmakers)


def _with_odds(
    title: str, within: Mask, shown: tuple[str, ...], known: Mapping[str, Mask], bookmakers: Sequence[str]
) -> Iterator[_Level]:
    """Yield the matches with the odds of every bookmaker, and those of each bookmaker that has more."""
    if not bookmakers:
        return
    common = within & np.all([known[name] for name in bookmakers], axis=0)
    if common.any():
        yield _Level(f"{title} odds", common, (*shown, *bookmakers), in_parts=not shown)
    for name in bookmakers:
        own = within & known[name]
        if (own & ~common).any():
            yield _Level(f"{title} {name}", own, (*shown, name))


def _parts(forecasts: pl.DataFrame, level: _Level) -> Iterator[tuple[str, Mask]]:
    """Yield the parts of a level by tier and by season, where there are several."""
    tier_of = {league: _tier(league) for league in forecasts["league_id"].unique()}
    tiers = forecasts["league_id"].replace_strict(tier_of, return_dtype=pl.String)
    for labels in (tiers, forecasts["season"].cast(pl.String)):
        found = labels.filter(pl.Series(level.matches)).unique().sort()
        for label in found if len(found) > 1 else ():
            yield f"{level.name}, {label}", level.matches & (labels == label).to_numpy()


def _tier(league_id: str) -> str:
    league = league_of(league_id)
    return "cups" if league.tier is None else f"tier {league.tier}"


@dataclass(frozen=True)
class _Scored:
    """All forecasts and outcomes, from which blocks are cut."""

    probabilities: Mapping[str, NDArray[np.float64]]  # by forecaster, [n, 3]
    known: Mapping[str, Mask]
    outcomes: NDArray[np.int64]
    weeks: NDArray[np.int64]

    def block(self, title: str, chosen: Mask, names: Sequence[str]) -> Block:
        """Score some forecasters on the chosen matches, which all of them know."""
        here = {name: self.probabilities[name][chosen] for name in names}
        outcomes = self.outcomes[chosen]
        weeks = np.unique(self.weeks[chosen], return_inverse=True)[1]
        differences = paired_differences(here, OURS, outcomes, weeks)
        rows = [
            Row(name, score(values, outcomes), differences.get(name, {})) for name, values in here.items()
        ]
        known = {name: int((matches & chosen).sum()) for name, matches in self.known.items()}
        return Block(title, int(chosen.sum()), int(weeks.max()) + 1, rows, known)
