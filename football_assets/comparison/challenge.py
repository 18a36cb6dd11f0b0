"""Forecast the test of the 2023 Soccer Prediction Challenge as one block, from results before its first day.

`football challenge` and `benchmarks.research.challenge_windows` call it. A match of the test knows no result of
the test: all of its matches are encoded from the team state before the first day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.comparison.challenge_world import with_newcomers
from football_assets.errors import FootballError
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.state import TeamState
from football_assets.sequences.state_table import build_team_state
from football_assets.sequences.tensors import MARKET, UNPLAYED, SequenceTensors
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import Epoch
from football_assets.training.parallel.distributed import fit_on_workers
from football_assets.training.predictions import forecast
from football_assets.training.split import split_by_time

STATE_TABLES = ("team_matches", "team_form", "team_ratings", "team_market_ratings", "team_shot_ratings")
"""Feature tables that a team state is built from."""
SEEDS = (7, 8, 9)
"""Seeds of the networks whose forecasts are averaged."""


@dataclass(frozen=True)
class BlockForecast:
    """Probabilities `[n, 3]` of home win, draw and away win, and expected goals `[n, 2]`."""

    probabilities: NDArray[np.float64]
    expected_goals: NDArray[np.float64]


def team_state_before(day: date, spec: FeatureSpec, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Build the team state of the results before a day, whatever else the feature tables hold.

    Ratings and form after a match depend on earlier results alone, so that later rows can simply be left out.

    Parameters
    ----------
    tables
        The feature tables that `build_team_state` reads, by name.
    """
    known = {name: table.filter(pl.col("kickoff_date") < day) for name, table in tables.items()}
    return build_team_state(**known, spec=spec)


def frozen_tensors(
    team_state: pl.DataFrame, fixtures: pl.DataFrame, tensors: SequenceTensors
) -> SequenceTensors:
    """Encode fixtures from a team state, as tensors that a network forecasts like any others.

    Parameters
    ----------
    team_state
        The table of `build_team_state`, of results before the first fixture.
    fixtures
        Rows of `league_id`, `season`, `kickoff_date`, `home_team_id` and `away_team_id`; a team may be unknown, a
        league may not.
    tensors
        Those that the network is fitted on.

    Raises
    ------
    FootballError
        A league has no match in the team state.
    """
    known = team_state.filter(pl.col("team_id").is_null())["league_id"].drop_nulls()
    unknown = fixtures.filter(~pl.col("league_id").is_in(known.implode()))["league_id"].unique().sort()
    if len(unknown):
        raise FootballError(
            f"There is no result before the first day of the test in {', '.join(unknown)}: add results of "
            "these leagues to the training file, or remove their matches from the test."
        )
    spec = tensors.spec
    batch = TeamState(with_newcomers(team_state, fixtures), spec).encode_rows(fixtures)
    n, length = len(fixtures), spec.history_length
    histories = [
        history.reshape(n * length, len(spec.history_names))
        for history in (batch.home_history, batch.away_history)
    ]
    start = np.arange(n, dtype=np.int32) * length
    spans = np.stack([start, start + length], axis=1)  # [n, 2]: a history is its own span, with its padding
    elo = {
        side: pl.Series(f"{side}_elo", batch.context[:, spec.context_names.index(f"{side}_elo")])
        for side in ("home", "away")
    }
    return replace(
        tensors,
        past=np.vstack([*histories, np.zeros((1, len(spec.history_names)), dtype=np.float32)]),
        home_span=spans,
        away_span=spans + np.int32(n * length),
        context=batch.context,
        outcome=np.full(n, UNPLAYED, dtype=np.int64),
        goals=np.full((n, 2), UNPLAYED, dtype=np.int16),
        market=np.full((n, len(MARKET)), np.nan, dtype=np.float32),
        keys=fixtures.with_columns(*elo.values()),
    )


def forecast_block(
    tensors: SequenceTensors,
    fixtures: SequenceTensors,
    start: date,
    config: TrainingConfig | None = None,
    seeds: Sequence[int] = SEEDS,
    on_training: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> BlockForecast:
    """Fit one network per seed on the matches before a day, and average their forecasts of the fixtures.

    Parameters
    ----------
    tensors
        Matches to fit on; those from `start` on are not used.
    fixtures
        What `frozen_tensors` returned.
    on_training
        Called before each fit with its number from 1 and the number of fits.

    Raises
    ------
    NotEnoughData
        Too few matches lie before `start`.
    """
    config = config or TrainingConfig()
    split = split_by_time(tensors, config.split.model_copy(update={"test_start": start}))
    rows = np.arange(len(fixtures))
    forecasts = []
    for number, seed in enumerate(seeds, start=1):
        if on_training is not None:
            on_training(number, len(seeds))
        fit = fit_on_workers(tensors, split, config.model_copy(update={"seed": seed}), on_epoch)
        forecasts.append(forecast(fit.network, fixtures, rows))
    return BlockForecast(
        np.mean([probabilities for probabilities, _ in forecasts], axis=0),
        np.mean([goals for _, goals in forecasts], axis=0),
    )
