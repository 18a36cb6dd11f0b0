"""Replay past seasons through the drift report, as if every match had been requested from a production model.

The tests and the benchmark call it, also with changed results: more goals, or no home advantage.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.features.dbt_build import build_features
from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import DriftReport, Evidence, examine
from football_assets.monitoring.production import Production
from football_assets.monitoring.results import latest_of_each_match, with_results
from football_assets.monitoring.schema import FORECAST, LOG_SCHEMA
from football_assets.registry.bundle import reference_rows, reference_table
from football_assets.sequences.tensors import SequenceTensors, build_tensors, open_tensors
from football_assets.sequences.tier_names import TIER_COLUMN
from football_assets.sequences.tiers import tier_of
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table
from football_assets.training.config import TrainingConfig
from football_assets.training.fit import fit_forecaster
from football_assets.training.network import MatchForecaster
from football_assets.training.predictions import forecast
from football_assets.training.split import split_by_time
from football_assets_tests.builders.rated_tables import rated_tables
from football_assets_tests.builders.tables import write_by_country

_MODELS = ["stg_matches", "team_matches", "team_form"]
_ASKED_AT = time(12, tzinfo=UTC)  # on the day before the match


@dataclass(frozen=True)
class World:
    """Results with their features and tensors."""

    matches: pl.DataFrame
    tensors: SequenceTensors


@dataclass(frozen=True)
class Learnt:
    """A network that was trained on results before a day and is used as production."""

    network: MatchForecaster
    production: Production


@dataclass(frozen=True)
class Window:
    """A window of a replay and its report."""

    start: date
    days: int
    report: DriftReport

    @property
    def status(self) -> str:
        """ok, drift or insufficient_data."""
        return self.report.summary.status


def build_world(raw_matches: pl.DataFrame, folder: Path) -> World:
    """Build features and tensors of results in an empty folder, as the asset graph does."""
    bucket, scratch = open_bucket(str(folder / "bucket")), folder / "scratch"
    countries = write_by_country(bucket, "raw_matches", raw_matches)
    build_features(bucket, _MODELS, countries, scratch)
    for name, rated in rated_tables(read_table(bucket, "stg_matches")).items():
        write_by_country(bucket, name, rated, countries)
    build_features(bucket, ["match_features"], countries, scratch)
    tensors = folder / "tensors"
    tensors.mkdir(parents=True)
    build_tensors(bucket, tensors)
    return World(read_table(bucket, "stg_matches"), open_tensors(tensors))


def learn(world: World, until: date, config: TrainingConfig | None = None) -> Learnt:
    """Train on the results before a day, and keep the reference as a model bundle does."""
    config = config or TrainingConfig()
    split = split_by_time(world.tensors, config.split.model_copy(update={"test_start": until}))
    network = fit_forecaster(world.tensors, split, config).network
    rows = reference_rows(world.tensors, split.as_dict())
    reference = reference_table(world.tensors, rows, *forecast(network, world.tensors, rows))
    as_of = until - timedelta(days=1)
    published = datetime.combine(until, time(tzinfo=UTC))
    return Learnt(network, Production(1, published, as_of, world.tensors.spec, reference))


def ask_for_every_match(world: World, learnt: Learnt, first: date, last: date) -> pl.DataFrame:
    """Return the log of one request for each match from `first` to `last`, on the day before the match."""
    days = world.tensors.days
    rows = np.flatnonzero(
        world.tensors.played & (days >= np.datetime64(first)) & (days <= np.datetime64(last))
    )
    probabilities, goals = forecast(learnt.network, world.tensors, rows)
    keys = world.tensors.keys[rows].select("league_id", "home_team_id", "away_team_id", "kickoff_date")
    asked_at = (
        pl.col("kickoff_date").dt.offset_by("-1d").dt.combine(_ASKED_AT, "us").dt.replace_time_zone("UTC")
    )
    numbers = np.concatenate([probabilities, goals], axis=1)
    context = world.tensors.context[rows]
    log = keys.with_columns(
        request_id=pl.int_range(pl.len()).cast(pl.String),
        time=asked_at,
        model_version=pl.lit(learnt.production.version),
        kind=pl.lit("predict"),
        latency_ms=pl.lit(1.0),
        segment=pl.lit("replay.jsonl"),
        line=pl.int_range(1, pl.len() + 1),
        traceparent=None,
        tracestate=None,
        unnamed_features=None,
        **{TIER_COLUMN: pl.Series(tier_of(context, world.tensors.spec), dtype=pl.String)},
        **{name: pl.Series(numbers[:, i]) for i, name in enumerate(FORECAST)},
    )
    inputs = pl.DataFrame(context, schema=world.tensors.spec.context_names).fill_nan(None)
    return log.select(pl.col(name).cast(dtype) for name, dtype in LOG_SCHEMA.items()).hstack(inputs)


def replay(
    log: pl.DataFrame,
    matches: pl.DataFrame,
    production: Production,
    first: date,
    last: date,
    days: int,
    config: DriftConfig | None = None,
) -> list[Window]:
    """Compute the reports of consecutive windows of `days` days, with all results known.

    Parameters
    ----------
    log
        Rows of `ask_for_every_match`.
    matches
        Rows of `stg_matches`.
    """
    config = (config or DriftConfig()).model_copy(update={"window_days": days, "results_days": days})
    asked_for = latest_of_each_match(with_results(log, matches))
    windows = []
    start = first
    while start + timedelta(days=days - 1) <= last:
        now = datetime.combine(start + timedelta(days=days), time(tzinfo=UTC))
        asked = asked_for.filter(pl.col("time").is_between(now - timedelta(days=days), now, closed="left"))
        known = asked.filter(pl.col("outcome").is_not_null())
        report = examine(Evidence(now, production, now.date(), asked, asked, known), config)
        windows.append(Window(start, days, report))
        start += timedelta(days=days)
    return windows


def more_goals(raw_matches: pl.DataFrame, since: date, goals: float = 0.7, seed: int = 0) -> pl.DataFrame:
    """Return the results with `goals` more goals per match from a day on, equally often for either team."""
    generator = np.random.default_rng(seed)
    added = generator.poisson(goals / 2, (raw_matches.height, 2))
    home, away = (raw_matches[f"{side}_goals"].to_numpy() for side in ("home", "away"))
    return _rewritten(raw_matches, since, home + added[:, 0], away + added[:, 1])


def without_home_advantage(raw_matches: pl.DataFrame, since: date, seed: int = 0) -> pl.DataFrame:
    """Return the results with as many home goals as away goals from a day on.

    Home goals are removed and away goals added until both have the mean of their earlier numbers.
    """
    generator = np.random.default_rng(seed)
    before = raw_matches.filter(pl.col("kickoff_date") < since).drop_nulls(["home_goals", "away_goals"])
    home_mean, away_mean = (float(before[f"{side}_goals"].to_numpy().mean()) for side in ("home", "away"))
    mean = (home_mean + away_mean) / 2
    home, away = (raw_matches[f"{side}_goals"].fill_null(0).to_numpy() for side in ("home", "away"))
    fewer = generator.binomial(home, min(1.0, mean / home_mean))
    more = away + generator.poisson(max(0.0, mean - away_mean), raw_matches.height)
    return _rewritten(raw_matches, since, fewer, more)


def _rewritten(
    raw_matches: pl.DataFrame, since: date, home: NDArray[np.number], away: NDArray[np.number]
) -> pl.DataFrame:
    later = pl.col("kickoff_date") >= since
    return raw_matches.with_columns(
        pl.when(later & pl.col(name).is_not_null())
        .then(pl.Series(values, nan_to_null=True).cast(raw_matches.schema[name], strict=False))
        .otherwise(name)
        .alias(name)
        for name, values in (("home_goals", home), ("away_goals", away))
    )
