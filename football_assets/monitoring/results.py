"""Join logged forecasts with the results that landed later, and score them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from football_assets.domain.columns import PROBABILITY_COLUMNS
from football_assets.domain.scoring_rules import Scores, score
from football_assets.monitoring.log_tables import count_rows, read_batches
from football_assets.monitoring.schema import FORECAST, LOG_SCHEMA, LOG_TABLE
from football_assets.sequences.tier_names import RESULTS, TIER_COLUMN
from football_assets.storage.bucket import Bucket
from football_assets.storage.tables import TABLES

MOVED_DAYS = 7  # a match may be played so much later than it was forecast for
APART_KEPT = 200_000  # forecasts of no fixture that are in memory at once: 150 MB with their inputs
DAYS_PREFIX = f"{TABLES}{LOG_TABLE}/"

# What a forecast was asked about: a match of the fixture lists or of the results, such a match with odds that the
# request gave, teams with custom histories, or a match on no list.
FIXTURE, GIVEN_ODDS = "fixture", "fixture with odds of the request"
CUSTOM_HISTORIES, UNLISTED = "custom histories", "match on no fixture list"

_TEAMS = ["league_id", "home_team_id", "away_team_id"]
_RESULT = ("match_id", "home_goals", "away_goals", "outcome")
_CUSTOM = pl.concat_str(
    [
        pl.lit(CUSTOM_HISTORIES),
        *(pl.col(name).cast(pl.String) for name in ("league_id", "kickoff_date", *FORECAST)),
    ],
    separator=" ",
)


@dataclass(frozen=True)
class LoggedDay:
    """The table of one day of the log."""

    day: date
    object: str


def logged_days(bucket: Bucket, first: date = date.min, last: date = date.max) -> list[LoggedDay]:
    """Days of the log, first and last included, that have a table. Objects of other names are ignored."""
    found = []
    for item in bucket.list(DAYS_PREFIX):
        try:
            day = date.fromisoformat(item.name.removeprefix(DAYS_PREFIX).removesuffix(".parquet"))
        except ValueError:  # copied there by a person or a tool
            continue
        if first <= day <= last:
            found.append(LoggedDay(day, item.name))
    return found


def rows_logged(bucket: Bucket) -> int:
    """Rows of the whole log, from the footers of its tables."""
    return sum(count_rows(bucket, item.object) for item in logged_days(bucket))


def logged_since(
    bucket: Bucket, since: datetime, until: datetime, columns: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the predictions logged in a period, some rows at a time.

    Parameters
    ----------
    columns
        Those to read, `time` among them; None reads all.
    """
    # A record may be a little younger than the day of its segment, which is that of the first.
    for item in logged_days(bucket, since.date() - timedelta(days=1), until.date()):
        with bucket.open(item.object) as source:
            for batch in read_batches(source, columns):
                yield batch.filter(pl.col("time").is_between(since, until, closed="left"))


def forecasts_since(
    bucket: Bucket,
    matches: pl.DataFrame,
    since: datetime,
    until: datetime,
    without: frozenset[int] = frozenset(),
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Join the forecasts of a period with results as `with_results` does, with a part of the log in memory at once.

    Of what was asked about other than fixtures, which a client may invent, the `APART_KEPT` newest are kept.

    Parameters
    ----------
    without
        Model versions whose forecasts are left out.
    columns
        Columns of the log to read, those of `LOG_SCHEMA` that `with_results` needs among them; None reads all.
    """
    kept: pl.DataFrame | None = None
    for part in logged_since(bucket, since, until, columns):
        if part.is_empty():
            continue
        found = with_results(part.filter(~pl.col("model_version").is_in(list(without))), matches)
        both = found if kept is None else pl.concat([kept, found], how="diagonal_relaxed")
        kept = _bounded(_last_of_each(both))
    return with_results(LOG_SCHEMA.to_frame(), matches) if kept is None else kept


def with_results(predictions: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """Select the last forecast of each match by each model version, with the result where it is known.

    A thousand requests for one match are one forecast: the last before the end of the match's day, and only where there
    is none the last after it. Those are honest too, since a version rejects a day whose results it knows. A match that
    was moved counts if it is played within `MOVED_DAYS` after the day it was forecast for, and never before that day,
    since the version might have known the result. Custom histories, which name no teams, are one forecast a different
    input. A match forecast with and without odds of the request is two.

    Parameters
    ----------
    predictions
        Rows of `prediction_log`; those that were written before there were tiers of input are from results.
    matches
        Rows of `stg_matches`.

    Returns
    -------
    pl.DataFrame
        Rows of the log with `fixture`, which names the match, `match_id`, `home_goals`, `away_goals`, `outcome` (null
        where not known), `asked_about` (`FIXTURE`, `GIVEN_ODDS`, `CUSTOM_HISTORIES` or `UNLISTED`), and `requests`,
        how often that version was asked.
    """
    known = matches.select(*_TEAMS, *_RESULT, played_on="kickoff_date").sort("played_on")
    asked = (
        _with_tier(predictions)
        .sort("kickoff_date")
        .join_asof(
            known,
            left_on="kickoff_date",
            right_on="played_on",
            by=_TEAMS,
            strategy="forward",
            tolerance=timedelta(days=MOVED_DAYS),
            check_sortedness=False,
        )
    )
    fixture = pl.coalesce(
        "match_id", pl.concat_str([*_TEAMS, pl.col("kickoff_date").cast(pl.String)], separator=" "), _CUSTOM
    )
    has_given_odds = pl.col(TIER_COLUMN).str.ends_with("match_odds")
    is_listed = pl.col("match_id").is_not_null()
    day = pl.coalesce("played_on", "kickoff_date").cast(pl.Datetime("us", "UTC"))
    return _last_of_each(
        asked.with_columns(
            fixture=pl.when(is_listed & has_given_odds).then(fixture + f" {GIVEN_ODDS}").otherwise(fixture),
            asked_about=pl.when(is_listed & has_given_odds)
            .then(pl.lit(GIVEN_ODDS))
            .when(is_listed)
            .then(pl.lit(FIXTURE))
            .when(pl.col("home_team_id").is_null())
            .then(pl.lit(CUSTOM_HISTORIES))
            .otherwise(pl.lit(UNLISTED)),
            in_time=pl.col("time") < day + timedelta(days=1),
            requests=pl.lit(1, dtype=pl.Int64),
        )
    )


def latest_of_each_match(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Of the rows of `with_results`, what production said last of each match, whichever version it was."""
    return forecasts.sort("in_time", "time").unique("fixture", keep="last", maintain_order=True)


def live_scores(forecasts: pl.DataFrame) -> Scores | None:
    """Scores of the rows of `with_results` whose result is known; None if none is."""
    known = forecasts.filter(pl.col("outcome").is_not_null())
    if known.is_empty():
        return None
    return score(probabilities(known), known["outcome"].cast(pl.Int64).to_numpy())


def scores_by(forecasts: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    """Tabulate live scores for each value of a column, for a person.

    Parameters
    ----------
    forecasts
        Rows of `with_results`.
    column
        `model_version`, or `inputs` for the tiers of input.
    name
        Heading of the column.
    """
    rows = []
    for (value,), part in forecasts.sort(column).group_by(column, maintain_order=True):
        found = live_scores(part)
        rows.append(
            {
                name: value,
                "forecasts": part.height,
                "results": part["outcome"].count(),
                "log loss": None if found is None else round(found.log_loss, 4),
                "RPS": None if found is None else round(found.rps, 4),
                "calibration error": None if found is None else round(found.ece, 4),
            }
        )
    return pl.DataFrame(rows)


def probabilities(forecasts: pl.DataFrame) -> NDArray[np.float64]:
    """Forecast probabilities `[n, 3]`."""
    return forecasts.select(PROBABILITY_COLUMNS).cast(pl.Float64).to_numpy()


def _with_tier(predictions: pl.DataFrame) -> pl.DataFrame:
    tier = pl.col(TIER_COLUMN) if TIER_COLUMN in predictions.columns else pl.lit(None, pl.String)
    return predictions.with_columns(tier.fill_null(RESULTS).alias(TIER_COLUMN))


def _bounded(forecasts: pl.DataFrame) -> pl.DataFrame:
    is_apart = pl.col("asked_about") != FIXTURE
    if forecasts.height <= APART_KEPT or forecasts.filter(is_apart).height <= APART_KEPT:
        return forecasts
    newest = forecasts.filter(is_apart).sort("time").tail(APART_KEPT)
    return pl.concat([forecasts.filter(~is_apart), newest])


def _last_of_each(forecasts: pl.DataFrame) -> pl.DataFrame:
    each = ["fixture", "model_version"]
    return (
        forecasts.with_columns(pl.col("requests").sum().over(each))
        .sort("in_time", "time", "request_id")
        .unique(each, keep="last", maintain_order=True)
    )
