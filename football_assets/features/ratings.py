"""Elo, attack and defence ratings of every team before and after each of its matches.

`rate_matches` is called by the `team_ratings` asset, by the backtest and by tests. It walks through the calendar once:
all values before a day's matches are read before any result of that day is used, so a rating does not depend on results
of its own day.

Three rules for teams that change league and for newcomers:

- Ratings belong to the country, not to the league: a promoted or relegated team keeps its own.
- A team without a played match has its league's entry rating. At the start of a country's history that is a prior,
  lower by a step per tier. A tier first seen later starts as many steps below (or above) the entry rating of the
  nearest known tier.
- The entry rating then learns: while a newcomer plays established teams, it follows a share of the newcomer's change. A
  match of two newcomers has no effect, since the one gains what the other loses.

A cup has no tier: its newcomers enter as in the lowest tier known in the country.

[1] Hvattum and Arntzen, 2010: Using ELO ratings for match result prediction in association football.
[2] Maher, 1982: Modelling association football scores.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.schedule import ROW_ORDER, Floats, Indices, Schedule, schedule_of, side_by_side

RATINGS = ("elo", "attack", "defence")
LEAGUE_STATE = (
    "league_home_goals",
    "league_away_goals",
    "league_entry_elo",
    "league_entry_attack",
    "league_entry_defence",
)
MAX_EXPECTED_GOALS = 10.0  # keeps a step along the gradient finite


@dataclass(frozen=True)
class RatingConfig:
    """Constants of the ratings. Elo is in points, attack and defence are in log goals.

    The defaults were chosen on regressions fitted on July 2000 to June 2015 and scored on July 2015 to June 2020.
    """

    elo_start: float = 1500.0
    elo_tier_step: float = 100.0  # a tier starts so far below the tier above it
    elo_k: float = 8.0  # points moved by a draw, over (score - expected score); k0 in [1]
    elo_margin_power: float = 1.0  # k grows with (1 + goal difference) to this power; lambda in [1]
    elo_home_scale: float = 200.0  # home advantage in points over log(league home goals / league away goals)
    strength_rate: float = 0.02  # step along the gradient of the Poisson log-likelihood of [2]
    strength_tier_step: float = 0.15
    goals_home_prior: float = 1.5
    goals_away_prior: float = 1.15
    goals_prior_matches: float = 50.0  # weight of these priors
    goals_memory_matches: float = 1000.0  # the mean goals forget like a mean over so many matches
    newcomer_matches: int = 30  # a team is a newcomer until it has played so many matches in its country
    entry_rate: float = 0.2  # share of a newcomer's change that the league's entry rating follows


def rate_matches(stg_matches: pl.DataFrame, config: RatingConfig | None = None) -> pl.DataFrame:
    """Rate every team before and after every match.

    Parameters
    ----------
    stg_matches
        One row per match; the columns `match_id`, `league_id`, `country`, `tier`, `season`, `kickoff_date`,
        `home_team_id`, `away_team_id`, `home_goals`, `away_goals` and `is_played` are read.
    config
        Constants of the ratings; None stands for the defaults.

    Returns
    -------
    pl.DataFrame
        One row per team and match, in order of kickoff_date, league_id, match_id, team_id. `elo`, `attack`, `defence`
        and the league's state are those before the day of the match, `…_after` those after it. A team's own `…_after`
        are null until the match is played.
    """
    matches = stg_matches.sort(*ROW_ORDER[:3])
    before, after, league_before, league_after = _walk(schedule_of(matches), config or RatingConfig())
    league_columns = {
        **dict(zip(LEAGUE_STATE, league_before.T, strict=True)),
        **{f"{name}_after": values for name, values in zip(LEAGUE_STATE, league_after.T, strict=True)},
    }
    keys = ("kickoff_date", "league_id", "season", "is_played")
    sides = [
        matches.select("match_id", pl.col(team).alias("team_id"), pl.lit(side == 0).alias("is_home"), *keys)
        .with_columns(pl.Series(name, before[:, side, i]) for i, name in enumerate(RATINGS))
        .with_columns(pl.Series(f"{name}_after", after[:, side, i]) for i, name in enumerate(RATINGS))
        .with_columns(pl.when("is_played").then(f"{name}_after").alias(f"{name}_after") for name in RATINGS)
        .with_columns(pl.Series(name, values) for name, values in league_columns.items())
        for side, team in enumerate(("home_team_id", "away_team_id"))
    ]
    return pl.concat(sides)[side_by_side(matches)]


class _Leagues:
    """Mean goals and entry ratings of all leagues, as known at the end of a day."""

    def __init__(self, schedule: Schedule, config: RatingConfig) -> None:
        count = len(schedule.pools)
        self.config = config
        self.pools = schedule.pools
        self.tiers = schedule.tiers
        self.goals = np.tile([config.goals_home_prior, config.goals_away_prior], (count, 1))  # [leagues, 2]
        self.goals_matches = np.full(count, config.goals_prior_matches)
        self.tier_step = np.array(
            [config.elo_tier_step, config.strength_tier_step, config.strength_tier_step]
        )
        # A league without a match enters like its source, the nearest known tier, plus an offset.
        start = np.array([config.elo_start, 0.0, 0.0])
        self.own_entry = (
            start - np.nan_to_num(self.tiers - 1.0)[:, None] * self.tier_step
        )  # [leagues, ratings]
        self.source = np.arange(count)
        self.offset = np.zeros_like(self.own_entry)
        self.is_known = np.zeros(count, dtype=bool)

    def entry(self, league: Indices) -> Floats:
        """Entry ratings [n, ratings]."""
        return self.own_entry[self.source[league]] + self.offset[league]

    def state(self, league: Indices) -> Floats:
        """Columns `LEAGUE_STATE` [n, 5]."""
        return np.concatenate([self.goals[league], self.entry(league)], axis=1)

    def learn_goals(self, league: Indices, goals: Floats) -> None:
        """Move the mean goals towards those of a day's matches, `goals` [n, 2]."""
        matches = np.bincount(league, minlength=len(self.pools))
        weight = self.goals_matches + matches
        for side in range(2):
            total = np.bincount(league, weights=goals[:, side], minlength=len(self.pools))
            self.goals[:, side] += (total - matches * self.goals[:, side]) / weight
        self.goals_matches = np.minimum(weight, self.config.goals_memory_matches)

    def meet(self, league: Indices) -> None:
        """Give leagues that have a match behind them an entry rating of their own."""
        is_new = ~self.is_known[league] & ~np.isnan(self.tiers[league])
        if not is_new.any():
            return
        new = np.unique(league[is_new])
        self.own_entry[new] = self.entry(new)
        self.source[new] = new
        self.offset[new] = 0.0
        self.is_known[new] = True
        for pool in np.unique(self.pools[new]):
            known = np.flatnonzero((self.pools == pool) & self.is_known)
            for other in np.flatnonzero((self.pools == pool) & ~self.is_known):
                if np.isnan(self.tiers[other]):
                    self.source[other] = known[np.argmax(self.tiers[known])]
                else:
                    nearest = known[np.argmin(np.abs(self.tiers[known] - self.tiers[other]))]
                    self.source[other] = nearest
                    self.offset[other] = (self.tiers[nearest] - self.tiers[other]) * self.tier_step

    def learn_entry(self, league: Indices, is_newcomer: NDArray[np.bool_], change: Floats) -> None:
        """Let entry ratings follow the `change` [n, 2, ratings] of newcomers that met established teams."""
        is_lesson = is_newcomer & ~is_newcomer[:, ::-1] & self.is_known[league][:, None]
        match, side = np.nonzero(is_lesson)
        if len(match):
            np.add.at(self.own_entry, league[match], self.config.entry_rate * change[match, side])


def _walk(schedule: Schedule, config: RatingConfig) -> tuple[Floats, Floats, Floats, Floats]:
    """Values before and after: of teams [matches, 2, ratings], of leagues [matches, league state]."""
    matches = len(schedule.league)
    before = np.empty((matches, 2, len(RATINGS)))
    after = np.empty_like(before)
    league_before = np.empty((matches, len(LEAGUE_STATE)))
    league_after = np.empty_like(league_before)

    ratings = np.zeros((len(schedule.team_pools), len(RATINGS)))
    matches_played = np.zeros(len(schedule.team_pools))
    leagues = _Leagues(schedule, config)

    for day in schedule.each_day():
        teams = schedule.teams[day]  # [n, 2]
        league = schedule.league[day]  # [n]
        state = leagues.state(league)  # [n, league state]
        played_before = matches_played[teams]  # [n, 2]
        now = np.where(played_before[:, :, None] > 0, ratings[teams], state[:, None, 2:])  # [n, 2, ratings]
        before[day] = now
        league_before[day] = state

        played = schedule.is_played[day]
        if played.any():
            teams, league, state = teams[played], league[played], state[played]
            played_before, now = played_before[played], now[played]
            goals = schedule.goals[day][played]
            change = rating_change(now, state[:, :2], goals, config)
            ratings[teams] = now
            np.add.at(ratings, teams, change)
            np.add.at(matches_played, teams, 1.0)
            leagues.learn_goals(league, goals)
            leagues.meet(league)
            leagues.learn_entry(league, played_before < config.newcomer_matches, change)
        after[day] = ratings[schedule.teams[day]]
        league_after[day] = leagues.state(schedule.league[day])
    return before, after, league_before, league_after


def rating_change(now: Floats, league_goals: Floats, goals: Floats, config: RatingConfig) -> Floats:
    """Return the changes by results: [n, 2, ratings]. The Elo points of the two sides sum to zero."""
    elo, attack, defence = now[:, :, 0], now[:, :, 1], now[:, :, 2]  # [n, 2]
    margin = goals[:, 0] - goals[:, 1]
    home_advantage = config.elo_home_scale * np.log(league_goals[:, 0] / league_goals[:, 1])
    expected = 1.0 / (1.0 + 10.0 ** (-(elo[:, 0] - elo[:, 1] + home_advantage) / 400.0))
    score = 0.5 * (np.sign(margin) + 1.0)
    points = config.elo_k * (1.0 + np.abs(margin)) ** config.elo_margin_power * (score - expected)

    expected_goals = np.minimum(league_goals * np.exp(attack - defence[:, ::-1]), MAX_EXPECTED_GOALS)
    surplus = config.strength_rate * (goals - expected_goals)  # [n, 2]
    change = np.empty_like(now)
    change[:, 0, 0], change[:, 1, 0] = points, -points
    change[:, :, 1] = surplus
    change[:, :, 2] = -surplus[:, ::-1]
    return change
