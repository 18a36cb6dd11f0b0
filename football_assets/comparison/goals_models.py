"""The best goals model of penaltyblog as it ships, refitted as results arrive, as a rival.

`dixon_coles` uses penaltyblog's likelihood with a fit and a penalty of its own; here model and fit are penaltyblog's.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from football_assets.comparison.dixon_coles import by_day
from football_assets.comparison.rival import RivalForecasts, RivalKind, RivalProgress
from football_assets.sequences.tensors import SequenceTensors
from football_assets.training.split import TimeSplit

if TYPE_CHECKING:
    from penaltyblog.models import PoissonGoalsModel


@dataclass(frozen=True)
class GoalsModelConfig:
    """Hyperparameters, chosen on the seasons 2016-17 and 2018-19 (`docs/studies/comparison.md`).

    Parameters
    ----------
    model
        Name of the class in `penaltyblog.models`.
    xi
        Decay of a match's weight per day; 0.0015 halves it in 462 days.
    window_days
        Length of the training window.
    refit_days
        A country is refitted before a day with matches if its fit is at least so many days old.
    least_matches
        Matches in the window below which a country has no fit.
    """

    model: str = "ZeroInflatedPoissonGoalsModel"
    xi: float = 0.0015
    window_days: int = 1825
    refit_days: int = 28
    least_matches: int = 50


@dataclass(frozen=True)
class GoalsModelForecasts:
    """Probabilities `[n, 3]`, NaN where a team has no match behind the fit, with counts of fits and failed fits."""

    probabilities: NDArray[np.float64]
    fits: int
    failed: int


@dataclass(frozen=True)
class GoalsModelRival:
    """The goals model of penaltyblog with the lowest log loss on the seasons it was chosen on."""

    name: str = "penaltyblog, goals model"
    key: str = "goals_model"
    kind: RivalKind = "model"
    package: str | None = "penaltyblog"

    def forecast(
        self,
        tensors: SequenceTensors,
        split: TimeSplit,
        rows: NDArray[np.int64],
        progress: RivalProgress | None = None,
    ) -> RivalForecasts:
        """Forecast `rows`; NaN where a team is unknown to the fit."""
        config = GoalsModelConfig()
        found = forecast_goals_model(tensors, rows, config, progress)
        note = f"{self.name}: {config.model}, {found.fits:,} fits, {found.failed:,} more did not converge."
        return RivalForecasts(found.probabilities, note)


def forecast_goals_model(
    tensors: SequenceTensors,
    rows: NDArray[np.int64],
    config: GoalsModelConfig | None = None,
    progress: RivalProgress | None = None,
) -> GoalsModelForecasts:
    """Forecast matches from the results of earlier days, country by country.

    A country that penaltyblog cannot fit keeps its last fit until the next day with matches.

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
    """
    from threadpoolctl import threadpool_limits

    config = config or GoalsModelConfig()
    countries = tensors.keys["league_id"].str.split(".").list.first()
    home, away = (tensors.keys[f"{side}_team"].to_numpy() for side in ("home", "away"))
    forecasts = np.full((len(rows), 3), np.nan)
    fits = failed = done = 0
    for country in countries[rows].unique().sort():
        here = (countries == country).to_numpy()
        past = np.flatnonzero(here & tensors.played)
        model: PoissonGoalsModel | None = None
        fitted = np.datetime64("NaT")
        for places in by_day(np.flatnonzero(here[rows]), tensors.days[rows]):
            day = tensors.days[rows[places[0]]]
            if model is None or day - fitted >= np.timedelta64(config.refit_days, "D"):
                window = past[(tensors.days[past] < day) & (tensors.days[past] >= _first_day(day, config))]
                if len(window) >= config.least_matches:
                    with threadpool_limits(
                        1
                    ):  # vectors are short: synchronising threads costs more than it saves
                        found = _fit(tensors, window, home, away, day, config)
                    model, fitted = (model, fitted) if found is None else (found, day)
                    fits, failed = fits + (found is not None), failed + (found is None)
            if model is not None:
                forecasts[places] = _outcomes(model, home[rows[places]], away[rows[places]])
            done += len(places)
            if progress is not None:
                progress(done, len(rows))
    return GoalsModelForecasts(forecasts, fits, failed)


def _first_day(day: np.datetime64, config: GoalsModelConfig) -> np.datetime64:
    return day - np.timedelta64(config.window_days, "D")


def _outcomes(
    model: "PoissonGoalsModel", home: NDArray[np.object_], away: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Return the probabilities of some pairs of teams, `[n, 3]`, NaN where the model does not know one of them."""
    found = np.full((len(home), 3), np.nan)
    for i, (host, guest) in enumerate(zip(home, away, strict=True)):
        if host in model.team_to_idx and guest in model.team_to_idx:
            found[i] = model.predict(host, guest).home_draw_away
    return found


def _fit(
    tensors: SequenceTensors,
    window: NDArray[np.int64],
    home: NDArray[np.object_],
    away: NDArray[np.object_],
    day: np.datetime64,
    config: GoalsModelConfig,
) -> "PoissonGoalsModel | None":
    """Fit on the rows of the window; None if penaltyblog does not converge."""
    from penaltyblog import models

    age = (day - tensors.days[window]).astype("timedelta64[D]").astype(np.float64)
    goals = tensors.goals[window].astype(np.int64)
    kind = getattr(models, config.model)
    model = kind(goals[:, 0], goals[:, 1], home[window], away[window], np.exp(-config.xi * age))
    try:
        model.fit()
    except ValueError:
        return None
    return model
