"""Drift of a window of production: compare inputs, forecasts and results with the training data of the model.

`collect` reads the data, `examine` compares them; neither draws or writes anything.

Drift starts a training. It is therefore measured only on data that landed results change: forecasts of matches of the
fixture lists, and results.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from football_assets.domain.scoring_rules import log_loss
from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.feeds import (
    FeedState,
    comparable_groups,
    fallen_shares,
    feed_states,
    stopped_leagues,
)
from football_assets.monitoring.inputs import (
    Column,
    Quality,
    column_distances,
    column_quality,
    drifted_share,
    judge_columns,
    judge_quality,
)
from football_assets.monitoring.matching import Comparison, compare_like_with_like
from football_assets.monitoring.outcomes import ResultTest, judge_results, result_tests
from football_assets.monitoring.production import (
    Production,
    last_result_learnt,
    load_production,
    with_the_same_inputs,
)
from football_assets.monitoring.results import (
    CUSTOM_HISTORIES,
    FIXTURE,
    GIVEN_ODDS,
    UNLISTED,
    forecasts_since,
    latest_of_each_match,
    live_scores,
    probabilities,
)
from football_assets.monitoring.summary import DriftSummary, Finding
from football_assets.registry.store import Registry
from football_assets.storage.bucket import Bucket


@dataclass(frozen=True)
class Evidence:
    """What is judged. Rows are those of `monitoring.results.with_results`, each match once.

    `asked` is of the window of predictions, `comparable` the part of it whose inputs are production's; `results` is of
    the window of results, with a known outcome. `newest_learnt` is the day of the last result that any version knows.
    `apart` is of the window of predictions too: custom histories, matches on no fixture list, and forecasts with odds
    that the request gave. It is reported and not judged, since a client may invent it and no training on landed results
    could answer it. `feeds` are of the landed results.
    """

    now: datetime
    production: Production | None
    newest_result: date | None
    asked: pl.DataFrame
    comparable: pl.DataFrame
    results: pl.DataFrame
    newest_learnt: date | None = None
    apart: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"asked_about": pl.String}))
    feeds: Sequence[FeedState] = ()


@dataclass(frozen=True)
class DriftReport:
    """A summary and what it rests on. None and empty where there was too little to compare."""

    summary: DriftSummary
    comparison: Comparison | None
    columns: list[Column]
    qualities: list[Quality]
    tests: list[ResultTest]
    results: pl.DataFrame
    apart: pl.DataFrame


def collect(bucket: Bucket, matches: pl.DataFrame, config: DriftConfig, now: datetime) -> Evidence:
    """Read the windows that end now.

    Every version that served counts, with what it said last of a match: results arrive after the next version has taken
    over. Versions that a rollback withdrew do not.

    Parameters
    ----------
    matches
        Rows of `stg_matches`.
    """
    registry = Registry(bucket)
    production = load_production(registry)
    since = now - timedelta(days=max(config.window_days, config.results_days))
    logged = forecasts_since(bucket, matches, since, now, without=frozenset(registry.withdrawn()))
    latest = latest_of_each_match(logged)
    window = latest.filter(pl.col("time") >= now - timedelta(days=config.window_days))
    asked = window.filter(pl.col("asked_about") == FIXTURE)
    apart = window.filter(pl.col("asked_about") != FIXTURE)
    comparable = asked
    if production is not None:
        versions = with_the_same_inputs(registry, production, asked["model_version"].unique().to_list())
        comparable = asked.filter(pl.col("model_version").is_in(versions))
    newest: date | None = matches.filter("is_played")["kickoff_date"].max()  # type: ignore[assignment]
    results = latest.filter(
        pl.col("asked_about") == FIXTURE,
        pl.col("outcome").is_not_null(),
        pl.col("time") >= now - timedelta(days=config.results_days),
    )
    learnt = last_result_learnt(registry) if production is not None else None
    return Evidence(now, production, newest, asked, comparable, results, learnt, apart, feed_states(matches))


def examine(evidence: Evidence, config: DriftConfig) -> DriftReport:
    """Judge the evidence."""
    production = evidence.production
    inputs = _inputs(evidence, config)
    columns = inputs.columns
    tests, outcomes, scores, expected = _results(evidence, config)
    findings = [inputs.finding, inputs.quality, outcomes, scores]
    drifted = [finding for finding in findings if finding.drifted]
    judged = [finding for finding in findings if finding.drifted is not None]
    status = "drift" if drifted else "ok" if judged else "insufficient_data"
    reasons = [finding.note for finding in (drifted if judged else findings)]
    live = live_scores(evidence.results)
    newest = evidence.newest_result
    summary = DriftSummary(
        made_at=evidence.now,
        window_start=evidence.now - timedelta(days=config.window_days),
        window_end=evidence.now,
        results_since=evidence.now - timedelta(days=config.results_days),
        model_version=production.version if production else None,
        model_published=production.published if production else None,
        model_as_of=production.as_of if production else None,
        newest_result=newest,
        model_age_days=_days_between(production.as_of if production else None, newest),
        unlearnt_days=_days_between(evidence.newest_learnt, newest),
        predictions=evidence.asked.height,
        custom_histories=_count(evidence.apart, CUSTOM_HISTORIES),
        unlisted=_count(evidence.apart, UNLISTED),
        given_odds=_count(evidence.apart, GIVEN_ODDS),
        results=evidence.results.height,
        status=status,  # type: ignore[arg-type]
        reasons=list(dict.fromkeys(reasons)),
        findings=findings,
        feeds=[*(state.note for state in evidence.feeds if state.note), *inputs.feeds],
        stopped_feeds={state.group: len(state.stopped) for state in evidence.feeds},
        drifted_columns=[column.name for column in columns if column.drifted],
        drift_share=drifted_share(columns) if columns else None,
        live_log_loss=live.log_loss if live else None,
        live_rps=live.rps if live else None,
        expected_log_loss=expected,
        calibration_error=live.ece if live else None,
        thresholds=config.model_dump(),
    )
    return DriftReport(
        summary, inputs.comparison, columns, inputs.qualities, tests, evidence.results, evidence.apart
    )


def _count(apart: pl.DataFrame, kind: str) -> int:
    return apart.filter(pl.col("asked_about") == kind).height


def _days_between(known: date | None, newest: date | None) -> int | None:
    return None if known is None or newest is None else max(0, (newest - known).days)


class _Inputs(NamedTuple):
    """The comparison of inputs and forecasts; `feeds` says of which feeds the window has less than the reference."""

    comparison: Comparison | None
    columns: list[Column]
    finding: Finding
    qualities: list[Quality]
    quality: Finding
    feeds: list[str]


def _inputs(evidence: Evidence, config: DriftConfig) -> _Inputs:
    def insufficient(note: str) -> _Inputs:
        inputs, quality = (Finding(area=area, drifted=None, note=note) for area in ("inputs", "quality"))
        return _Inputs(None, [], inputs, [], quality, [])

    production = evidence.production
    if production is None:
        return insufficient("No model is in production: there is nothing to compare.")
    asked = evidence.asked.height
    if asked < config.least_predictions:
        return insufficient(
            f"{asked} matches of the fixture lists were forecast in {config.window_days} days; "
            f"{config.least_predictions} are needed to compare inputs."
        )
    comparison = compare_like_with_like(
        evidence.comparable, production.reference, production.spec, config.seed
    )
    other = asked - evidence.comparable.height
    note = f"{other} forecasts are of versions with other inputs, or none." if other else ""
    note = " ".join(part for part in (comparison.note, note) if part)
    if comparison.window.height < config.least_predictions:
        return insufficient(
            f"{comparison.window.height} of {asked} forecasts can be compared with the training of version "
            f"{production.version}; {config.least_predictions} are needed. {note}".strip()
        )
    qualities = column_quality(comparison, production.spec)
    quality = judge_quality(qualities, evidence.asked, config)
    comparable = comparable_groups(comparison, production.spec, stopped_leagues(evidence.feeds))
    columns = column_distances(comparable, production.spec, config)
    finding = judge_columns(columns, config, note)
    return _Inputs(comparable, columns, finding, qualities, quality, fallen_shares(comparison))


def _results(
    evidence: Evidence, config: DriftConfig
) -> tuple[list[ResultTest], Finding, Finding, float | None]:
    results, production = evidence.results, evidence.production
    if results.height < config.least_results:
        note = (
            f"{results.height} results of forecasts of the last {config.results_days} days are known; "
            f"{config.least_results} are needed to test them."
        )
        outcomes, scores = (Finding(area=area, drifted=None, note=note) for area in ("outcomes", "scores"))
        return [], outcomes, scores, None
    tests = result_tests(results, config)
    outcomes, scores = judge_results(tests)
    if production is None or not production.has_results:
        note = f"{scores.note} The reference of this model holds no results: its log loss cannot be compared."
        return tests, outcomes, scores.model_copy(update={"note": note}), None
    return tests, outcomes, scores, _expected_log_loss(results, production, config)


def _expected_log_loss(results: pl.DataFrame, production: Production, config: DriftConfig) -> float | None:
    """Log loss of the reference's forecasts, weighted by league and phase of the season as the results are."""
    reference = compare_like_with_like(results, production.reference, production.spec, config.seed).reference
    if reference.is_empty():
        return None
    return log_loss(probabilities(reference), reference["outcome"].cast(pl.Int64).to_numpy())
