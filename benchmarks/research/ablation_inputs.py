"""Context features that the tensors do not have, computed from their rows for the ablations of `ablation_set.py`.

Each function takes the tensors and returns them with columns added. A row's value depends on results of earlier days
alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.ratings import RatingConfig, rate_matches
from football_assets.sequences.spec import HOME_ADVANTAGE_SHIFT, Feature
from football_assets.sequences.tensors import SequenceTensors

Values = NDArray[np.float64]

GROUP = "in_"  # begins the names of the columns of `groups`

_CONGESTED_DAYS = (14, 30)
_RELEGATED = 3  # places at the end of a table that are called the danger zone
_POINTS = np.array([[3, 0], [1, 1], [0, 3]])  # by outcome, home and away
_DRAW_MEMORY = 1000.0  # matches of a league
_MOST_GOALS = 12
_OTHER_SPEEDS = (0.008, 0.05)  # steps of attack and defence; the tables' is 0.02
_FEWEST_GOALS = 0.05


_rated: dict[int, Values] = {}  # by table of keys: rating all matches takes ten seconds


def with_context(
    tensors: SequenceTensors, features: Sequence[Feature], columns: NDArray[np.floating]
) -> SequenceTensors:
    """The tensors with context features added, `columns` `[matches, features]`."""
    return replace(
        tensors,
        context=np.concatenate([tensors.context, columns.astype(np.float32)], axis=1),
        spec=tensors.spec.model_copy(update={"context": (*tensors.spec.context, *features)}),
    )


def learnt_home_advantage(tensors: SequenceTensors) -> SequenceTensors:
    """The shift of home advantage under another name: to the network it is an input like others."""
    context = tuple(
        feature.model_copy(update={"name": f"learnt_{feature.name}"})
        if feature.name == HOME_ADVANTAGE_SHIFT
        else feature
        for feature in tensors.spec.context
    )
    return replace(tensors, spec=tensors.spec.model_copy(update={"context": context}))


def congestion(tensors: SequenceTensors) -> SequenceTensors:
    """Matches of each team in the fortnight and the month before."""
    keys = tensors.keys
    days = keys["kickoff_date"].to_physical().to_numpy().astype(np.int64)
    teams = [keys[f"{side}_team_id"] for side in ("home", "away")]
    codes = pl.concat(teams).rank("dense").to_numpy().astype(np.int64).reshape(2, -1)
    played = tensors.played
    key = np.sort(((codes << 20) + days)[:, played].ravel())
    columns, features = [], []
    for span in _CONGESTED_DAYS:
        for side, code in zip(("home", "away"), codes, strict=True):
            until = np.searchsorted(key, (code << 20) + days)
            since = np.searchsorted(key, (code << 20) + days - span)
            columns.append(until - since)
            features.append(_feature(f"{side}_matches_{span}", "matches", 0, span))
    return with_context(tensors, features, np.stack(columns, axis=1))


def stakes(tensors: SequenceTensors) -> SequenceTensors:
    """The share of the season that is played, and how near each team is to the top and to the danger zone.

    Nearness is the points to the leader, and to the third place from the end, over the points still available.
    """
    columns = np.full((len(tensors), 5), np.nan)
    days = tensors.days
    for rows, home, away in _seasons(tensors):
        teams = max(home.max(), away.max()) + 1
        if teams < 2 * _RELEGATED:
            continue
        points, played = np.zeros(teams), np.zeros(teams)
        season_days = days[rows]
        bounds = np.flatnonzero(np.append(True, season_days[1:] != season_days[:-1]))
        for start, end in zip(bounds, [*bounds[1:], len(rows)], strict=True):
            day, at, to = rows[start:end], home[start:end], away[start:end]
            table = np.sort(points)
            left = np.maximum(2 * (teams - 1) - played, 1)
            columns[day, 0] = np.minimum(played[at] / (2 * (teams - 1)), 1.5)
            for offset, team in enumerate((at, to)):
                columns[day, 1 + offset] = (table[-1] - points[team]) / (3 * left[team])
                columns[day, 3 + offset] = (points[team] - table[_RELEGATED - 1]) / (3 * left[team])
            done = tensors.outcome[day] >= 0
            won = _POINTS[tensors.outcome[day][done]]
            for side, team in enumerate((at, to)):
                np.add.at(points, team[done], won[:, side])
                np.add.at(played, team[done], 1)
    features = [
        _feature("season_share", "share", 0, 1.5),
        *(_feature(f"{side}_to_the_top", "share", 0, 3) for side in ("home", "away")),
        *(_feature(f"{side}_above_danger", "share", -3, 3) for side in ("home", "away")),
    ]
    return with_context(tensors, features, columns)


def draw_surplus(tensors: SequenceTensors) -> SequenceTensors:
    """How many more of a league's matches were lately drawn than independent Poisson goals would give."""
    names = (
        "league_home_goals",
        "league_away_goals",
        "home_attack",
        "away_attack",
        "home_defence",
        "away_defence",
    )
    league_home, league_away, home_attack, away_attack, home_defence, away_defence = _context(
        tensors, *names
    ).T
    rates = np.stack(
        [league_home * np.exp(home_attack - away_defence), league_away * np.exp(away_attack - home_defence)]
    ).clip(_FEWEST_GOALS, None)
    factorials = np.cumsum(np.log(np.maximum(np.arange(_MOST_GOALS + 1), 1)))
    mass = np.exp(
        np.arange(_MOST_GOALS + 1) * np.log(rates)[:, :, None] - rates[:, :, None] - factorials
    )  # [2, matches, goals]
    surplus = (tensors.outcome == 1) - (mass[0] * mass[1]).sum(axis=1)
    columns = np.zeros(len(tensors))
    days = tensors.days
    leagues = tensors.keys["league_id"].rank("dense").to_numpy()
    for league in np.unique(leagues):
        rows = np.flatnonzero(leagues == league)
        bounds = np.flatnonzero(np.append(True, days[rows][1:] != days[rows][:-1]))
        now = 0.0
        for start, end in zip(bounds, [*bounds[1:], len(rows)], strict=True):
            day = rows[start:end]
            columns[day] = now
            done = surplus[day[tensors.played[day]]]
            if len(done):
                now += len(done) / (_DRAW_MEMORY + len(done)) * (done.mean() - now)
    return with_context(tensors, [_feature("league_draw_surplus", "share", -0.1, 0.1)], columns[:, None])


def ratings_of_other_speeds(tensors: SequenceTensors) -> SequenceTensors:
    """Attack and defence that follow results more slowly, and faster, than the tables' do."""
    key = id(tensors.keys)
    if key not in _rated:
        tier = _context(tensors, "tier")[:, 0]
        matches = tensors.keys.with_columns(
            pl.col("league_id").str.split(".").list.first().alias("country"),
            pl.Series("tier", tier).fill_nan(None).cast(pl.Int32),
            pl.Series("home_goals", tensors.goals[:, 0]),
            pl.Series("away_goals", tensors.goals[:, 1]),
        )
        columns = []
        for speed in _OTHER_SPEEDS:
            rated = rate_matches(matches, RatingConfig(strength_rate=speed))
            for side in ("home", "away"):
                own = rated.filter("is_home" if side == "home" else ~pl.col("is_home"))
                found = matches.select("match_id").join(
                    own.select("match_id", "attack", "defence"),
                    on="match_id",
                    how="left",
                    maintain_order="left",
                )
                columns.append(found.select("attack", "defence").to_numpy())
        _rated[key] = np.concatenate(columns, axis=1)
    features = [
        _feature(f"{side}_{name}_{speed}", "rating", -3, 3)
        for speed in _OTHER_SPEEDS
        for side in ("home", "away")
        for name in ("attack", "defence")
    ]
    return with_context(tensors, features, _rated[key])


def groups(tensors: SequenceTensors, keys: pl.Series, train: NDArray[np.int64]) -> SequenceTensors:
    """A column a league, or a country, of the training matches: 1 for its own matches."""
    names = keys[train].unique().sort()
    is_one = np.stack([(keys == name).to_numpy() for name in names], axis=1)
    return with_context(tensors, [_feature(f"{GROUP}{name}", "flag", 0, 1) for name in names], is_one)


def _seasons(
    tensors: SequenceTensors,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Of each season of a league its rows in order of time, and its teams as numbers."""
    keys = tensors.keys.with_row_index("row").filter(~pl.col("is_cup"))
    for _, season in keys.group_by("league_id", "season", maintain_order=True):
        teams = pl.concat([season["home_team_id"], season["away_team_id"]])
        home, away = (teams.rank("dense").to_numpy().astype(np.int64) - 1).reshape(2, -1)
        yield season["row"].to_numpy().astype(np.int64), home, away


def _context(tensors: SequenceTensors, *names: str) -> Values:
    """Context features by name, `[matches, names]`."""
    columns = [tensors.spec.context_names.index(name) for name in names]
    return np.asarray(tensors.context[:, columns], dtype=np.float64)


def _feature(name: str, unit: str, lower: float, upper: float) -> Feature:
    return Feature(name=name, unit=unit, lower=lower, upper=upper, description=name)
