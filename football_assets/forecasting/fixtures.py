"""Forecasts of fixtures by the production model: all unplayed ones of the tables, or one that a person names."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from football_assets.domain.columns import PROBABILITY_COLUMNS, countries_of
from football_assets.domain.leagues import league_of
from football_assets.domain.scorelines import likeliest_scores, score_matrix, scores_text
from football_assets.errors import RegistryError
from football_assets.forecasting.schema import FIXTURE_SCHEMA
from football_assets.registry.inputs_used import groups_used, limited_tier
from football_assets.registry.model_bundle import ModelBundle
from football_assets.registry.predictor import load_feature_spec, load_predictor, load_team_state
from football_assets.registry.store import Registry
from football_assets.sequences.columns import columns_read, tables_read_by
from football_assets.sequences.encoder import SequenceBatch, TeamHistory, encode, history_rows
from football_assets.sequences.fixture_days import (
    FIXTURE_ODDS,
    FIXTURE_TABLE,
    OVERDUE,
    ListedDays,
    next_match_day,
    results_known_until,
    split_overdue,
)
from football_assets.sequences.home_advantage import COLUMNS_READ, with_home_advantage
from football_assets.sequences.rating_context import pre_match_odds, read_rated_table, with_rating_context
from football_assets.sequences.spec import FeatureSpec
from football_assets.sequences.tier_names import TIER_COLUMN, inputs_text, uses_match_odds
from football_assets.sequences.tiers import tier_of
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import as_markdown, read_table, read_table_of, table_objects

_ORDER = (OVERDUE, "kickoff_date", "kickoff_time", "league_id", "home_team", "match_id")
_KEYS = tuple(FIXTURE_SCHEMA)[:7]


def production_bundle(registry: Registry, scratch: Path) -> tuple[int, ModelBundle]:
    """Load the production version; returns its number and files.

    Raises
    ------
    RegistryError
        No version is in production; the message has the gate's reasons and the remedy.
    """
    aliases = registry.aliases()
    if "production" in aliases:
        return aliases["production"], registry.open(aliases["production"]).load(scratch)
    candidate = aliases.get("candidate")
    if candidate is None:
        raise RegistryError("No model is registered yet: materialize the asset 'registered_model' first.")
    decision = registry.decision(candidate) or {"refusals": ["The gate has not evaluated it."]}
    reasons = " ".join(decision["refusals"])
    raise RegistryError(
        f"No model is in production: the gate rejected version {candidate}. {reasons} Land "
        f"more results and train again, or promote it regardless: `football models promote {candidate}`."
    )


def forecast_fixtures(bundle: ModelBundle, version: int, bucket: Bucket, today: date) -> pl.DataFrame:
    """Forecast every match without a result, with the inputs that the bundle's model was trained on.

    Parameters
    ----------
    bundle
        Files of the model version.
    version
        Its number.
    bucket
        Holds the tables of features. Of countries without a fixture only the results are read.
    today
        The latest day that `results_known_until` gives.

    Returns
    -------
    pl.DataFrame
        One row per fixture, the upcoming ones first, each part in order of kick-off; columns of `FIXTURE_SCHEMA`.

    Raises
    ------
    ObjectNotFound
        The bucket lacks a table.
    RegistryError
        The model needs an input that the tables do not have any more.
    """
    spec = load_feature_spec(bundle)
    matches = read_table(bucket, "match_features", columns=["league_id", *COLUMNS_READ])
    countries = countries_of(matches.filter(~pl.col("is_played")))
    features, team_matches, team_ratings = (
        read_table_of(bucket, name, countries) for name in ("match_features", "team_matches", "team_ratings")
    )
    times = read_table_of(bucket, "stg_matches", countries, ["match_id", "kickoff_time"])
    fixtures = features.filter(~pl.col("is_played")).join(times, on="match_id", how="left")
    fixtures = with_home_advantage(fixtures, matches)
    teams = pl.concat([fixtures["home_team_id"], fixtures["away_team_id"]]).unique()
    columns = columns_read(spec)
    rated = {
        table: read_rated_table(bucket, table.name, columns[table.name], countries)
        for table in tables_read_by(spec)
    }
    fixtures = with_rating_context(fixtures, rated, spec)
    past = history_rows(
        team_matches.filter(pl.col("team_id").is_in(teams.implode())), team_ratings, *rated.values()
    )
    try:
        batch = encode(fixtures, TeamHistory(past, spec), spec)
    except pl.exceptions.ColumnNotFoundError as error:
        raise RegistryError(
            f"Model version {version} needs an input that no longer exists ({str(error).splitlines()[0]}): train "
            "and promote a new version."
        ) from error
    known_until = results_known_until(matches, today)
    keys = fixtures.select(
        *_KEYS,
        (pl.col("kickoff_date") < known_until).alias(OVERDUE),
        *(
            pl.Series(name, values, nan_to_null=True)
            for name, values in zip(FIXTURE_ODDS, pre_match_odds(fixtures).T, strict=True)
        ),
    )
    return forecast_rows(bundle, version, keys, batch, spec).sort(_ORDER, nulls_last=True)


def listed_days(bucket: Bucket) -> ListedDays:
    """Days of the fixtures that have been forecast; none before the first time."""
    return ListedDays(read_table(bucket, FIXTURE_TABLE) if table_objects(bucket, FIXTURE_TABLE) else None)


def forecast_match(
    registry: Registry,
    scratch: Path,
    league: str,
    home_team: str,
    away_team: str,
    day: date | None = None,
    *,
    odds: tuple[float, float, float] | None = None,
    today: date | None = None,
) -> pl.DataFrame:
    """Forecast one match by names, with the production model and what it knew when it was registered.

    Parameters
    ----------
    registry
        Where the production model is.
    scratch
        Folder that keeps a copy of it.
    league, home_team, away_team
        League identifier or name, and teams by a name that `clubs` or the results know.
    day
        Day of the match; None: as `next_match_day` says.
    odds
        Decimal odds of home win, draw and away win. A model that has not learnt to use them ignores them.
    today
        None: the day in UTC.

    Returns
    -------
    pl.DataFrame
        One row with the columns of `FIXTURE_SCHEMA`; `match_id` and `kickoff_time` are null.

    Raises
    ------
    RegistryError
        There is no production model.
    UnknownLeague, UnknownTeam
        A name is not known; the message offers the nearest.
    FootballError
        A team meets itself, or the day lies before results that the model knows.
    """
    version, bundle = production_bundle(registry, scratch)
    state = load_team_state(bundle)
    pairing = state.resolve(league, home_team, away_team)
    if day is None:
        today = today or datetime.now(UTC).date()
        day = next_match_day(state, listed_days(registry.bucket), pairing, today)
    match = state.known_fixture(pairing, day, odds=odds)
    row = (None, match.league_id, match.season, day, None, match.home_team, match.away_team, False)
    names = (*_KEYS, OVERDUE, *FIXTURE_ODDS)
    keys = pl.DataFrame(
        [(*row, *(odds or (None, None, None)))],
        schema={name: FIXTURE_SCHEMA[name] for name in names},
        orient="row",
    )
    return forecast_rows(bundle, version, keys, state.encode_known([match]), state.spec)


def forecast_rows(
    bundle: ModelBundle, version: int, keys: pl.DataFrame, batch: SequenceBatch, spec: FeatureSpec
) -> pl.DataFrame:
    """Forecast encoded fixtures.

    Parameters
    ----------
    bundle, version
        The model.
    keys
        The first columns of `FIXTURE_SCHEMA`, `is_overdue`, and `FIXTURE_ODDS`, null where none were encoded.
    batch
        Inputs of the same fixtures, in the same order.
    spec
        Names the inputs.

    Returns
    -------
    pl.DataFrame
        Columns of `FIXTURE_SCHEMA`. Odds that the model does not use are null.
    """
    predictor = load_predictor(bundle)
    probabilities, goals = predictor.predict(batch.home_history, batch.away_history, batch.context)
    scores = likeliest_scores(score_matrix(goals[:, 0], goals[:, 1], probabilities))
    used = groups_used(predictor, spec)
    tiers = [limited_tier(tier, used) for tier in tier_of(batch.context, spec)]
    uses_odds = pl.Series(values=[uses_match_odds(tier) for tier in tiers], dtype=pl.Boolean)
    return keys.with_columns(
        *(pl.Series(name, probabilities[:, i]) for i, name in enumerate(PROBABILITY_COLUMNS)),
        *(pl.Series(name, goals[:, i]) for i, name in enumerate(("xg_home", "xg_away"))),
        pl.Series("likeliest_scores", [scores_text(item) for item in scores], dtype=pl.String),
        pl.lit(version).alias("model_version"),
        pl.Series(TIER_COLUMN, tiers, dtype=pl.String),
        *(pl.when(uses_odds).then(pl.col(name)).alias(name) for name in FIXTURE_ODDS),
    ).select(pl.col(name).cast(dtype) for name, dtype in FIXTURE_SCHEMA.items())


def next_fixtures_text(forecasts: pl.DataFrame, fixtures: int = 10) -> str:
    """Tabulate the next fixtures of every league in Markdown, then all whose day has passed without a result.

    Parameters
    ----------
    forecasts
        Rows of `forecast_fixtures`.
    fixtures
        How many of each league to show.
    """
    coming, overdue = split_overdue(forecasts)
    parts = [
        f"### {league_of(str(league_id)).name}\n\n{_fixtures_markdown(league.head(fixtures))}"
        for (league_id,), league in coming.group_by("league_id", maintain_order=True)
    ]
    if not overdue.is_empty():
        parts.append(f"### Date passed, no result yet\n\n{_fixtures_markdown(overdue, league='league_id')}")
    return "\n\n".join(parts) or "There is no fixture without a result."


def _fixtures_markdown(fixtures: pl.DataFrame, **more: str) -> str:
    shown = fixtures.select(
        date="kickoff_date",
        **more,
        home="home_team",
        away="away_team",
        **{name: _percent(f"p_{name.split()[0]}") for name in ("home win", "draw", "away win")},
        goals=pl.format("{} – {}", pl.col("xg_home").round(1), pl.col("xg_away").round(1)),
        scores="likeliest_scores",
        inputs=pl.Series([inputs_text(tier) for tier in fixtures[TIER_COLUMN]], dtype=pl.String),
    )
    return as_markdown(shown)


def _percent(column: str) -> pl.Expr:
    return pl.format("{} %", (pl.col(column) * 100).round(0).cast(pl.Int64))
