"""The goals model of Dixon and Coles, refitted as results arrive, as a competing model.

Likelihood, gradient and scorelines come from penaltyblog, of the extra `compare`. Its own `fit` minimises by SLSQP,
whose steps cost O(teams³), 10 s for England. Here L-BFGS starts from the last fit, so that a weekly refit is
affordable, and a penalty shrinks teams with few matches to the mean of their league.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit

if TYPE_CHECKING:
    from penaltyblog.models import DixonColesGoalModel

_BOUND = 3.0  # of attack and defence, log goals
_HOME_START, _RHO_START = 0.25, -0.1
_HOME_BOUNDS, _RHO_BOUNDS = (-0.5, 2.0), (-0.3, 0.3)
_ATTACK_START, _DEFENCE_START = 1.0, -1.0


@dataclass(frozen=True)
class DixonColesConfig:
    """Hyperparameters, chosen on the seasons 2016-17 and 2018-19 of 38 leagues (`docs/studies/comparison.md`).

    Parameters
    ----------
    xi
        Decay of a match's weight per day; 0.003 halves it in 231 days.
    window_days
        Length of the training window; older matches would have weights below 2 per cent.
    ridge
        Weight of the squared distance of attack and defence from the mean of the team's league.
    refit_days
        A country is refitted before a day with matches if its fit is at least so many days old.
    """

    xi: float = 0.003
    window_days: int = 1460
    ridge: float = 1.5
    refit_days: int = 7


@dataclass(frozen=True)
class DixonColesForecasts:
    """Probabilities `[n, 3]`, NaN where the league has no match in the window, with counts of fits and unknowns."""

    probabilities: NDArray[np.float64]
    fits: int
    unknown_teams: int  # matches with a team without a match in the window, replaced by its league's mean
    unknown_leagues: int  # matches of a league without a match in the window


@dataclass(frozen=True)
class DixonColesRival:
    """The goals model of Dixon and Coles, refitted every week by country."""

    name: str = "Dixon–Coles"
    key: str = "dixon_coles"
    kind: RivalKind = "model"
    package: str | None = "penaltyblog"

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Forecast `rows`; NaN where a league has no match in the window."""
        found = dixon_coles(tensors, rows, progress=progress)
        note = (
            f"{self.name}: {found.fits:,} fits. {found.unknown_teams:,} of {len(rows):,} matches have a team without "
            "a match in the window, which gets the mean of its league."
        )
        return RivalForecasts(found.probabilities, note)


def dixon_coles(
    tensors: SequenceTensors,
    rows: NDArray[np.int64],
    config: DixonColesConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DixonColesForecasts:
    """Forecast matches from the results of earlier days, country by country [1].

    Parameters
    ----------
    rows
        Rows of played matches to forecast, in order of time.
    progress
        Called with the number of matches done and of all matches.

    Raises
    ------
    ImportError
        penaltyblog is not installed: it is in the extra `compare`.

    References
    ----------
    [1] Dixon and Coles, 1997, Modelling association football scores and inefficiencies in the football betting market.
    """
    from threadpoolctl import threadpool_limits

    config = config or DixonColesConfig()
    countries = tensors.keys["league_id"].str.split(".").list.first()
    forecasts = np.full((len(rows), 3), np.nan)
    fits = unknown_teams = unknown_leagues = done = 0
    for country in countries[rows].unique().sort():
        past = _Past.of(tensors, (countries == country).to_numpy())
        wanted = np.flatnonzero((countries[rows] == country).to_numpy())
        fit: _Fit | None = None
        for places in by_day(wanted, tensors.days[rows]):
            today = rows[places]
            day = tensors.days[today[0]]
            if fit is None or day - fit.day >= np.timedelta64(config.refit_days, "D"):
                with threadpool_limits(
                    1
                ):  # vectors are short: synchronising threads costs more than it saves
                    fit = _refit(past, day, config, fit)
                fits += fit is not None
            if fit is not None:
                known, forecasts[places] = fit.forecast(past, today)
                unknown_teams += int((~known & ~np.isnan(forecasts[places, 0])).sum())
            unknown_leagues += int(np.isnan(forecasts[places, 0]).sum())
            done += len(places)
            if progress is not None:
                progress(done, len(rows))
    return DixonColesForecasts(forecasts, fits, unknown_teams, unknown_leagues)


def by_day(places: NDArray[np.int64], days: NDArray[np.datetime64]) -> Iterator[NDArray[np.int64]]:
    """Yield the positions in the forecasts, one day at a time."""
    ordered = places[np.argsort(days[places], kind="stable")]
    yield from np.split(ordered, np.flatnonzero(np.diff(days[ordered]).astype(np.int64)) + 1)


@dataclass(frozen=True)
class _Past:
    """A country's played matches in order of time, with numbers of teams and leagues by row of the tensors."""

    rows: NDArray[np.int64]
    days: NDArray[np.datetime64]
    goals: NDArray[np.int64]  # [matches of the country, 2]
    home: NDArray[np.int64]  # [all rows], -1 elsewhere; `away` and `league` likewise
    away: NDArray[np.int64]
    league: NDArray[np.int64]
    teams: int

    @classmethod
    def of(cls, tensors: SequenceTensors, is_here: NDArray[np.bool_]) -> "_Past":
        here = np.flatnonzero(is_here)
        keys = tensors.keys[here]
        names = pl.concat([keys["home_team"], keys["away_team"]])
        teams = names.rank("dense").to_numpy().astype(np.int64) - 1
        home, away, league = (np.full(len(tensors), -1) for _ in range(3))
        home[here], away[here] = teams[: len(here)], teams[len(here) :]
        league[here] = keys["league_id"].rank("dense").to_numpy().astype(np.int64) - 1
        played = here[tensors.played[here]]
        goals = tensors.goals[played].astype(np.int64)
        return cls(played, tensors.days[played], goals, home, away, league, int(teams.max()) + 1)


@dataclass(frozen=True)
class _Fit:
    """A model fitted before a day, with the number of each team in it, -1 for none."""

    model: "DixonColesGoalModel"
    day: np.datetime64
    number: NDArray[np.int64]  # [teams of the country]
    attack: NDArray[np.float64]  # [teams of the model]; `defence` and `league` likewise
    defence: NDArray[np.float64]
    league: NDArray[np.int64]

    def forecast(self, past: _Past, rows: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which matches have two known teams, and the probabilities, NaN where a league is unknown."""
        home, away = self.number[past.home[rows]], self.number[past.away[rows]]
        known = (home >= 0) & (away >= 0)
        probabilities = np.full((len(rows), 3), np.nan)
        for i, row in enumerate(rows):
            mates = np.flatnonzero(self.league == past.league[row])
            if known[i] or len(mates):
                probabilities[i] = self.model.outcome(self._side(home[i], mates), self._side(away[i], mates))
        return known, probabilities

    def _side(self, number: int, mates: NDArray[np.int64]) -> tuple[float, float]:
        chosen = mates if number < 0 else np.array([number])
        return float(self.attack[chosen].mean()), float(self.defence[chosen].mean())


def _refit(past: _Past, day: np.datetime64, config: DixonColesConfig, last: _Fit | None) -> _Fit | None:
    first = np.searchsorted(past.days, day - np.timedelta64(config.window_days, "D"))
    stop = np.searchsorted(past.days, day)  # matches of the day itself are excluded
    if first == stop:
        return None
    rows = past.rows[first:stop]
    teams, sides = np.unique(np.concatenate([past.home[rows], past.away[rows]]), return_inverse=True)
    number = np.full(past.teams, -1)
    number[teams] = np.arange(len(teams))
    home, away = sides[: len(rows)], sides[len(rows) :]
    league = np.zeros(len(teams), dtype=np.int64)
    league[np.stack([home, away], axis=1).ravel()] = np.repeat(past.league[rows], 2)  # the latest one wins
    age = (day - past.days[first:stop]).astype("timedelta64[D]").astype(np.float64)
    names = np.char.zfill(np.arange(len(teams)).astype(str), 6)  # penaltyblog sorts the teams by name
    goals = past.goals[first:stop]
    model = _penalised_model()(goals[:, 0], goals[:, 1], names[home], names[away], np.exp(-config.xi * age))
    attack, defence, tail = np.full(len(teams), np.nan), np.full(len(teams), np.nan), None
    if last is not None:
        seen = last.number[teams]
        attack[seen >= 0] = last.attack[seen[seen >= 0]]
        defence[seen >= 0] = last.defence[seen[seen >= 0]]
        tail = last.model.params_array[-2:]
    model.start_from(attack, defence, tail)
    model.fit_penalised(league, config.ridge)
    found = model.params_array
    return _Fit(model, day, number, found[: len(teams)], found[len(teams) : -2], league)


@cache
def _penalised_model() -> Any:
    """Define penaltyblog's model with the faster, penalised fit; a function, because the import takes seconds."""
    from penaltyblog.models import DixonColesGoalModel, FootballProbabilityGrid
    from penaltyblog.models.probabilities import compute_dixon_coles_probabilities
    from scipy.optimize import minimize

    class PenalisedDixonColes(DixonColesGoalModel):
        def start_from(
            self,
            attack: NDArray[np.float64],
            defence: NDArray[np.float64],
            tail: NDArray[np.float64] | None,
        ) -> None:
            """Set the start of the next fit; NaN stands for a team that was not in the last one."""
            self._params = np.concatenate(
                [
                    np.where(np.isnan(attack), _ATTACK_START, attack),
                    np.where(np.isnan(defence), _DEFENCE_START, defence),
                    tail if tail is not None else [_HOME_START, _RHO_START],
                ]
            )

        def fit_penalised(self, league: NDArray[np.int64], ridge: float) -> None:
            n = self.n_teams
            members = np.bincount(league)

            def from_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
                return values - (np.bincount(league, values) / np.maximum(members, 1))[league]

            def objective(params: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
                attack, defence = from_mean(params[:n]), from_mean(params[n : 2 * n])
                gradient = self._gradient(params)
                gradient[:n] += 2 * ridge * attack
                gradient[n : 2 * n] += 2 * ridge * defence
                return self._loss_function(params) + ridge * float(
                    attack @ attack + defence @ defence
                ), gradient

            bounds = [(-_BOUND, _BOUND)] * (2 * n) + [_HOME_BOUNDS, _RHO_BOUNDS]
            result = minimize(
                objective, self._params, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300}
            )
            self._params, self.fitted = result.x, True

        def outcome(self, home: tuple[float, float], away: tuple[float, float]) -> list[float]:
            """Compute the probabilities of the outcomes between two sides, each with its attack and defence."""
            size = 15
            grid, rates = np.empty(size * size), np.empty((2, 1))
            compute_dixon_coles_probabilities(
                home[0], away[0], home[1], away[1], *self._params[-2:], size, grid, rates[0], rates[1]
            )
            found = FootballProbabilityGrid(grid.reshape(size, size), *rates[:, 0])
            return list(found.home_draw_away)

    return PenalisedDixonColes
