"""RPS and RMSE on windows like the test of the 2023 Soccer Prediction Challenge, from its training file.

    python -m benchmarks.research.challenge_windows --training training.csv.xz --work challenge_windows_home

A window is 14 to 26 April of a year, forecast as one block as `football challenge` does. Features are computed once,
in WORK/home; a window's forecasts are kept in WORK and computed again only if the file is deleted.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.research.comparison import markdown
from football_assets.cli.scratch_home import materialize_in_scratch
from football_assets.comparison.challenge import (
    SEEDS,
    STATE_TABLES,
    forecast_block,
    frozen_tensors,
    team_state_before,
)
from football_assets.comparison.challenge_files import read_training
from football_assets.comparison.challenge_scores import outcomes_of_goals, squared_error_each
from football_assets.comparison.challenge_world import fixtures_of, number_teams, write_landing_files
from football_assets.comparison.dixon_coles import DixonColesConfig, dixon_coles
from football_assets.domain.block_bootstrap import interval_text, league_weeks, paired_differences
from football_assets.domain.scoring_rules import ranked_probability_score_each
from football_assets.sequences.tensors import SequenceTensors, open_tensors
from football_assets.storage.artifacts import fetch
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table
from football_assets.training.baselines import elo_logistic
from football_assets.training.config import SplitConfig
from football_assets.training.split import split_by_time

YEARS = (2016, 2017, 2018, 2019, 2021, 2022)  # in April 2020 hardly anyone played
FIRST, LAST = (4, 14), (4, 26)
OURS = "LSTM"
_ONE_FIT = DixonColesConfig(refit_days=100_000)
_UNIQUE = ("league_id", "kickoff_date", "home_team_id", "away_team_id")


@dataclass(frozen=True)
class World:
    """The features of the whole training file."""

    matches: pl.DataFrame
    teams: pl.DataFrame
    tensors: SequenceTensors
    tables: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Window:
    """Forecasts of a window's matches: probabilities `[n, 3]` and expected goals `[n, 2]` by forecaster."""

    matches: pl.DataFrame
    probabilities: Mapping[str, NDArray[np.float64]]
    expected_goals: Mapping[str, NDArray[np.float64]]

    @property
    def goals(self) -> NDArray[np.int64]:
        """The results, `[n, 2]`."""
        return self.matches.select("home_goals", "away_goals").to_numpy()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--training", type=Path, required=True, help="training file of the challenge")
    parser.add_argument("--work", type=Path, required=True, help="folder for features and forecasts")
    parser.add_argument("--years", type=int, nargs="+", default=YEARS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    given = parser.parse_args()
    world = world_of(given.training, given.work)
    windows = {str(year): window_of(world, year, given.seeds, given.work) for year in given.years}
    sys.stdout.write(f"{rps_table(windows)}\n\n{rmse_table(windows)}\n")


def world_of(training: Path, work: Path) -> World:
    """Read the features of a training file, which are computed first if the folder has none."""
    matches = read_training(training)
    teams = number_teams(matches)
    home, raw = work / "home", work / "raw"
    if not (home / "bucket" / "artifacts" / "sequence_tensors").exists():
        raw.mkdir(parents=True)
        write_landing_files(matches, teams, raw)
        materialize_in_scratch(home, (raw,), "+sequence_tensors")
    bucket = open_bucket(str(home / "bucket"))
    tensors = open_tensors(fetch(bucket, "sequence_tensors", work / "scratch"))
    return World(matches, teams, tensors, {name: read_table(bucket, name) for name in STATE_TABLES})


def window_of(world: World, year: int, seeds: Sequence[int], work: Path) -> Window:
    """Forecast the window of a year with every forecaster."""
    start, end = date(year, *FIRST), date(year, *LAST)
    state = team_state_before(start, world.tensors.spec, world.tables)
    leagues = state.filter(pl.col("team_id").is_null())["league_id"].drop_nulls()
    test = world.matches.filter(
        pl.col("day").is_between(start, end), pl.col("league_id").is_in(leagues.implode())
    )
    known = world.matches.filter(pl.col("day") < start)
    fixtures = frozen_tensors(state, fixtures_of(test, known, world.teams), world.tensors)
    networks = [_network(world.tensors, fixtures, start, seed, work) for seed in seeds]
    ours, goals = (np.mean([found[part] for found in networks], axis=0) for part in (0, 1))
    elo, league_means = _elo(world.tensors, fixtures, start), _league_means(fixtures)
    goals_model = _dixon_coles(world.tensors, fixtures, elo)
    return Window(
        test,
        {
            "Elo, logistic": elo,
            "Dixon–Coles": goals_model,
            "LSTM, one seed": networks[0][0],
            OURS: ours,
            "mean of LSTM and Dixon–Coles": (ours + goals_model) / 2,
        },
        {"means of the league": league_means, "LSTM, one seed": networks[0][1], OURS: goals},
    )


def _network(
    tensors: SequenceTensors, fixtures: SequenceTensors, start: date, seed: int, work: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Forecast with the network of a seed, or read its forecasts."""
    file = work / f"window_{start}_{seed}.npz"
    if not file.exists():
        sys.stderr.write(f"Training for {start}, seed {seed}\n")
        found = forecast_block(tensors, fixtures, start, seeds=(seed,))
        np.savez(file, probabilities=found.probabilities, expected_goals=found.expected_goals)
    with np.load(file) as arrays:
        return arrays["probabilities"], arrays["expected_goals"]


def _elo(tensors: SequenceTensors, fixtures: SequenceTensors, start: date) -> NDArray[np.float64]:
    """Forecast by the regression on Elo, fitted on the matches that the network trains on."""
    train = split_by_time(tensors, SplitConfig(test_start=start)).train
    elo = [part.keys.select("home_elo", "away_elo").cast(pl.Float64) for part in (tensors, fixtures)]
    both = replace(tensors, keys=pl.concat(elo), outcome=np.append(tensors.outcome, fixtures.outcome))
    return elo_logistic(both, train, np.arange(len(tensors), len(both)))


def _league_means(fixtures: SequenceTensors) -> NDArray[np.float64]:
    names = fixtures.spec.context_names
    columns = [names.index(f"league_{side}_goals") for side in ("home", "away")]
    return fixtures.context[:, columns].astype(np.float64)


def _dixon_coles(
    tensors: SequenceTensors, fixtures: SequenceTensors, otherwise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Forecast by one fit per country before its first match; where a match has none, by another forecaster."""
    numbered = tensors.keys.select(*_UNIQUE).with_row_index("row")
    rows = fixtures.keys.join(numbered, on=_UNIQUE, how="left", maintain_order="left")["row"]
    found = np.flatnonzero(rows.is_not_null().to_numpy())
    order = np.argsort(rows.to_numpy()[found])
    forecasts = dixon_coles(tensors, rows.to_numpy()[found][order].astype(np.int64), _ONE_FIT).probabilities
    result = otherwise.copy()
    result[found[order]] = np.where(np.isnan(forecasts), otherwise[found[order]], forecasts)
    return result


def rps_table(windows: Mapping[str, Window]) -> str:
    """Lay out the RPS by window and over all, with the difference from the LSTM in thousandths over all."""
    every = list(windows.values())
    matches = pl.concat(window.matches for window in every)
    blocks = league_weeks(matches["league_id"], matches["day"])
    outcomes = outcomes_of_goals(np.concatenate([window.goals for window in every]))
    names = list(every[0].probabilities)
    together = {name: np.concatenate([window.probabilities[name] for window in every]) for name in names}
    differences = paired_differences(together, OURS, outcomes, blocks)
    lines = []
    for name in names:
        each = [
            ranked_probability_score_each(window.probabilities[name], outcomes_of_goals(window.goals)).mean()
            for window in every
        ]
        mean = ranked_probability_score_each(together[name], outcomes).mean()
        apart = f" ({interval_text(differences[name]['rps'])})" if name != OURS else ""
        lines.append([name, *(f"{value:.4f}" for value in each), f"{mean:.4f}{apart}"])
    header = [f"{year}: {len(window.matches)}" for year, window in windows.items()]
    return markdown(["RPS", *header, f"all: {len(matches):,}"], lines)


def rmse_table(windows: Mapping[str, Window]) -> str:
    """Lay out the RMSE by window and over all, and that of the whole numbers nearest to the LSTM's goals."""
    every = list(windows.values())
    forecasters = {
        name: [window.expected_goals[name] for window in every] for name in every[0].expected_goals
    }
    forecasters["LSTM, whole goals"] = [np.floor(goals + 0.5) for goals in forecasters[OURS]]
    lines = []
    for name, predicted in forecasters.items():
        squares = [
            squared_error_each(goals, window.goals) for goals, window in zip(predicted, every, strict=True)
        ]
        means = [np.sqrt(part.mean()) for part in (*squares, np.concatenate(squares))]
        lines.append([name, *(f"{value:.4f}" for value in means)])
    return markdown(["RMSE", *windows, "all"], lines)


if __name__ == "__main__":
    main()
