"""Two simpler ratings from implied odds: steps of attack and defence, and Elo towards the implied expected score.

[1] Wunderlich and Memmert, 2018: The Betting Odds Rating System.
"""

import numpy as np
from numpy.typing import NDArray

from football_assets.features.schedule import Floats, Indices, Schedule

STRENGTH_STEP = 0.3  # share of the error in log goals that attack and defence follow
LEVEL_STEP = 0.02  # and the league's level
ELO_STEP = 150.0  # points over (implied - expected score), K of [1]
ELO_HOME_STEP = 5.0
ELO_START = 1500.0
START_LEVEL = (0.37, 0.12)  # log goals of the home and the away team
START_ELO_HOME = 60.0


class MarketSteps:
    """Attack, defence and Elo of all teams [teams, 3], levels of all leagues [leagues, 3]; a `RatingPart`.

    Parameters
    ----------
    schedule
        Matches, teams and leagues.
    is_known
        [matches] whether the match has odds.
    log_goals
        [matches, 2] log of the implied goals.
    expected_score
        [matches] of the home team: implied probability of a win plus half that of a draw.
    """

    def __init__(
        self, schedule: Schedule, is_known: NDArray[np.bool_], log_goals: Floats, expected_score: Floats
    ) -> None:
        self.schedule = schedule
        self.is_known = is_known
        self.log_goals = log_goals
        self.expected_score = expected_score
        self.teams = np.tile([0.0, 0.0, ELO_START], (len(schedule.team_pools), 1))
        self.leagues = np.tile([*START_LEVEL, START_ELO_HOME], (len(schedule.tiers), 1))

    def observe(self, matches: Indices) -> None:
        """Move teams and leagues towards the odds of matches of one day a country, in which no team plays twice."""
        teams, league = self.schedule.teams[matches], self.schedule.league[matches]
        now, level = self.teams[teams], self.leagues[league]  # [n, 2, 3], [n, 3]
        attack, defence, elo = now[:, :, 0], now[:, :, 1], now[:, :, 2]  # [n, 2]
        error = self.log_goals[matches] - (level[:, :2] + attack - defence[:, ::-1])
        difference = elo[:, 0] - elo[:, 1] + level[:, 2]
        surplus = self.expected_score[matches] - 1.0 / (1.0 + 10.0 ** (-difference / 400.0))
        now[:, :, 0] += STRENGTH_STEP * error
        now[:, :, 1] -= STRENGTH_STEP * error[:, ::-1]
        now[:, 0, 2] += ELO_STEP * surplus
        now[:, 1, 2] -= ELO_STEP * surplus
        self.teams[teams] = now
        step = np.concatenate([LEVEL_STEP * error, ELO_HOME_STEP * surplus[:, None]], axis=1)
        np.add.at(self.leagues, league, step)
