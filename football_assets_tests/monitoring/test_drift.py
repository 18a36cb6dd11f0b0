"""The verdict rests on what production was asked and on the reference in its own bundle, and says what it rests on."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from football_assets.automation.drift_sensor import reasons_to_retrain
from football_assets.domain.scoring_rules import log_loss
from football_assets.monitoring.compaction import compact
from football_assets.monitoring.config import DriftConfig
from football_assets.monitoring.drift import DriftReport, collect, examine
from football_assets.monitoring.matching import CALENDAR
from football_assets.monitoring.report import apart_table, render
from football_assets.registry.store import Registry
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.prediction_logs import (
    fixtures_of,
    lines,
    no_matches,
    publish_inputs,
    publish_production,
    record,
    records_of,
    reference_like,
    results_of,
    upload,
)

NOW = datetime(2015, 12, 1, 12, tzinfo=UTC)
ASKED = NOW - timedelta(days=3)
CONFIG = DriftConfig()
REFERENCE = reference_like(4000)
WINDOW = reference_like(300, seed=1)
SCORED = ["outcome", "home_goals", "away_goals"]


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    """With a model in production that learnt from REFERENCE."""
    bucket = LocalBucket(tmp_path / "bucket")
    publish_production(bucket, tmp_path / "version", REFERENCE)
    return bucket


def report_on(
    bucket: LocalBucket, window: pl.DataFrame, matches: pl.DataFrame | None = None, **changes: object
) -> DriftReport:
    """The report after a window was asked and logged; `matches` None: they are on the fixture lists."""
    upload(bucket, "a-000000", lines(*records_of(window, ASKED, **changes)), day=str(ASKED.date()))
    compact(bucket)
    matches = fixtures_of(window, ASKED.date()) if matches is None else matches
    return examine(collect(bucket, matches, CONFIG, NOW), CONFIG)


def test_production_that_sees_what_it_learnt_from_is_ok(bucket: LocalBucket) -> None:
    report = report_on(bucket, WINDOW, results_of(WINDOW, ASKED.date()))

    summary = report.summary
    assert (summary.status, summary.reasons, summary.drifted_columns, summary.drift_share) == (
        "ok",
        [],
        [],
        0.0,
    )
    assert (summary.predictions, summary.results) == (300, 300)
    assert (summary.window_start, summary.window_end) == (NOW - timedelta(days=30), NOW)
    assert [finding.drifted for finding in summary.findings] == [False] * 4
    p = WINDOW.select("p_home", "p_draw", "p_away").to_numpy()
    assert summary.live_log_loss == pytest.approx(log_loss(p, WINDOW["outcome"].to_numpy()))
    theirs = REFERENCE.select("p_home", "p_draw", "p_away").to_numpy()
    assert summary.expected_log_loss == pytest.approx(
        log_loss(theirs, REFERENCE["outcome"].to_numpy()), abs=0.03
    )
    assert summary.thresholds["drift_share"] == CONFIG.drift_share


def test_inputs_that_have_moved_are_drift_and_results_that_agree_are_not(bucket: LocalBucket) -> None:
    moved = [
        name
        for name in DEFAULT_SPEC.context_names
        if name.startswith(("home_", "away_")) and name not in CALENDAR
    ]
    scale = {feature.name: (feature.upper - feature.lower) / 12 for feature in DEFAULT_SPEC.context}
    window = WINDOW.with_columns(pl.col(name) + 2 * scale[name] for name in moved)

    summary = report_on(bucket, window, results_of(window, ASKED.date())).summary

    assert summary.status == "drift"
    assert set(summary.drifted_columns) == set(moved)
    assert len(summary.reasons) == 1
    assert summary.finding("inputs").drifted
    assert not summary.finding("outcomes").drifted


def test_football_with_more_goals_is_drift_although_the_inputs_are_as_before(bucket: LocalBucket) -> None:
    results = results_of(WINDOW, ASKED.date()).with_columns(pl.col("home_goals") + 1)

    summary = report_on(bucket, WINDOW, results).summary

    assert summary.status == "drift"
    assert not summary.finding("inputs").drifted
    assert summary.reasons[0].startswith("goals 3.7")


def test_too_few_predictions_and_results_are_quiet_and_say_what_is_missing(bucket: LocalBucket) -> None:
    window = WINDOW.head(49)

    summary = report_on(bucket, window, results_of(window, ASKED.date())).summary

    assert summary.status == "insufficient_data"
    assert summary.reasons == [
        "49 matches of the fixture lists were forecast in 30 days; 50 are needed to compare inputs.",
        "49 results of forecasts of the last 90 days are known; 60 are needed to test them.",
    ]
    assert [finding.drifted for finding in summary.findings] == [None] * 4
    assert (summary.drift_share, summary.expected_log_loss) == (None, None)
    assert summary.live_log_loss is not None


def test_an_empty_log_is_quiet(bucket: LocalBucket) -> None:
    summary = examine(collect(bucket, no_matches(), CONFIG, NOW), CONFIG).summary

    assert (summary.status, summary.predictions, summary.model_version) == ("insufficient_data", 0, 1)
    assert (summary.live_log_loss, summary.newest_result, summary.model_age_days) == (None, None, None)


def test_without_a_production_model_the_report_is_quiet_and_says_so(tmp_path: Path) -> None:
    bucket = LocalBucket(tmp_path / "bucket")

    summary = examine(collect(bucket, no_matches(), CONFIG, NOW), CONFIG).summary

    assert (summary.status, summary.model_version) == ("insufficient_data", None)
    assert summary.reasons[0] == "No model is in production: there is nothing to compare."


def test_a_thousand_requests_for_few_matches_are_quiet(bucket: LocalBucket) -> None:
    upload(
        bucket,
        "a-000000",
        lines(*(record(n, time="2015-11-28T10:00:00Z", away_team_id="eng:X") for n in range(1000))),
    )
    compact(bucket)
    listed = fixtures_of(WINDOW.head(1), date(2015, 11, 28)).with_columns(
        league_id=pl.lit("eng.1"), home_team_id=pl.lit("eng:Arsenal"), away_team_id=pl.lit("eng:X")
    )

    summary = examine(collect(bucket, listed, CONFIG, NOW), CONFIG).summary

    assert (summary.status, summary.predictions, summary.unlisted) == ("insufficient_data", 1, 0)


STRANGE = WINDOW.with_columns(
    pl.col(feature.name) * 0 + feature.upper
    for feature in DEFAULT_SPEC.context
    if feature.name not in CALENDAR
)
NO_NAMES = {"kind": "sequences", "home_team_id": None, "away_team_id": None}


@pytest.mark.parametrize(
    ("number", "changes", "counted"),
    [
        (48, NO_NAMES, "custom_histories"),
        (300, NO_NAMES, "custom_histories"),
        (300, {}, "unlisted"),
        (300, {"kickoff_date": "2016-02-29"}, "unlisted"),
    ],
)
@pytest.mark.parametrize("real", [10, 300])
def test_what_a_client_invents_is_reported_apart_and_never_a_reason_to_train(
    bucket: LocalBucket, number: int, changes: dict[str, object], counted: str, real: int
) -> None:
    invented = [item | changes for item in records_of(STRANGE.head(number), ASKED)]
    for position, item in enumerate(invented):  # each a different match, of a team that is on no list
        item["p"] = [0.9 - position / 1000, 0.05, 0.05 + position / 1000]
        item["home_team_id"] = (
            None if "home_team_id" in changes else f"{item['league_id']}:invented {position}"
        )
    upload(bucket, "b-000000", lines(*invented), day=str(ASKED.date()))

    report = report_on(bucket, WINDOW.head(real))

    summary = report.summary
    assert summary.status == ("ok" if real == 300 else "insufficient_data")
    assert (summary.predictions, getattr(summary, counted)) == (real, number)
    assert summary.custom_histories + summary.unlisted == number
    assert reasons_to_retrain(summary, 30) == []
    shown = "custom histories" if counted == "custom_histories" else "match on no fixture list"
    assert apart_table(report).select("forecasts of", "forecasts").rows() == [(shown, number)]


def test_the_page_lists_what_a_client_has_invented(bucket: LocalBucket) -> None:
    upload(
        bucket,
        "b-000000",
        lines(*(item | NO_NAMES for item in records_of(STRANGE.head(48), ASKED))),
        day=str(ASKED.date()),
    )

    page = render(report_on(bucket, WINDOW.head(10)), {}).decode()

    assert "<td>custom histories</td><td>48</td>" in page


def test_odds_that_a_client_gives_change_no_verdict_and_hide_no_forecast(bucket: LocalBucket) -> None:
    given = [
        item
        | {"inputs": "results+match_odds", "p": [0.01, 0.01, 0.98], "time": f"{ASKED:%Y-%m-%d}T23:00:00Z"}
        for item in records_of(WINDOW, ASKED)
    ]
    upload(bucket, "b-000000", lines(*given), day=str(ASKED.date()))

    report = report_on(bucket, WINDOW, results_of(WINDOW, ASKED.date()))

    summary = report.summary
    assert (summary.status, summary.predictions, summary.results, summary.given_odds) == ("ok", 300, 300, 300)
    p = WINDOW.select("p_home", "p_draw", "p_away").to_numpy()
    assert summary.live_log_loss == pytest.approx(log_loss(p, WINDOW["outcome"].to_numpy()))
    assert apart_table(report).select("forecasts of", "forecasts").rows() == [
        ("fixture with odds of the request", 300)
    ]


def test_a_feed_that_stops_is_reported_and_no_reason_to_train(bucket: LocalBucket) -> None:
    before, after = reference_like(400, seed=7), reference_like(60, seed=8)
    listed = fixtures_of(WINDOW, ASKED.date()).with_columns(odds_home=pl.lit(None, pl.Float64))
    landed = [
        results_of(played, day).with_columns(odds_home=pl.lit(odds, pl.Float64))
        for played, day, odds in ((before, date(2015, 8, 1), 2.0), (after, date(2015, 11, 25), None))
    ]

    report = report_on(bucket, WINDOW, pl.concat([*landed, listed]))

    summary = report.summary
    assert (summary.status, summary.stopped_feeds) == ("ok", {"odds": 2})
    assert summary.feeds == [
        "No odds have landed since 2015-08-01 in 2 of the 2 leagues that had them (de.1, eng.1): check the source."
    ]
    assert reasons_to_retrain(summary, 30) == []
    assert f"<strong>Feed:</strong> {summary.feeds[0]}</p>" in render(report, {}).decode()


def test_the_same_football_asked_about_real_fixtures_is_drift(bucket: LocalBucket) -> None:
    summary = report_on(bucket, STRANGE).summary

    assert (summary.status, summary.predictions) == ("drift", 300)
    assert reasons_to_retrain(summary, 30) == summary.reasons


def test_what_was_asked_before_the_window_is_not_compared_but_its_results_are_tested(
    bucket: LocalBucket,
) -> None:
    earlier = NOW - timedelta(days=60)
    upload(bucket, "a-000000", lines(*records_of(WINDOW, earlier)), day=str(earlier.date()))
    compact(bucket)

    summary = examine(collect(bucket, results_of(WINDOW, earlier.date()), CONFIG, NOW), CONFIG).summary

    assert (summary.predictions, summary.results, summary.status) == (0, 300, "ok")
    assert summary.finding("inputs").drifted is None
    assert summary.finding("outcomes").drifted is False


def test_a_reference_of_before_results_were_kept_compares_inputs_and_says_what_it_cannot(
    tmp_path: Path,
) -> None:
    bucket = LocalBucket(tmp_path / "bucket")
    publish_production(bucket, tmp_path / "version", REFERENCE.drop(*SCORED, "home_team_id", "away_team_id"))

    summary = report_on(bucket, WINDOW, results_of(WINDOW, ASKED.date())).summary

    assert (summary.status, summary.drift_share, summary.expected_log_loss) == ("ok", 0.0, None)
    assert summary.finding("scores").note.endswith(
        "The reference of this model holds no results: its log loss cannot be compared."
    )


def test_the_reference_is_that_of_production_not_of_the_candidate(
    bucket: LocalBucket, tmp_path: Path
) -> None:
    other = REFERENCE.with_columns(pl.col("home_elo", "away_elo") * 0 + 10)
    publish_production(bucket, tmp_path / "other", other, as_of=date(2015, 11, 20))
    Registry(bucket).promote(1)

    summary = report_on(bucket, WINDOW).summary

    assert (summary.model_version, summary.drift_share) == (1, 0.0)
    Registry(bucket).promote(2)
    listed = fixtures_of(WINDOW, ASKED.date())
    after = examine(collect(bucket, listed, CONFIG, NOW), CONFIG).summary
    assert (after.model_version, after.status) == (2, "drift")


def test_forecasts_of_a_version_that_was_withdrawn_do_not_count(bucket: LocalBucket, tmp_path: Path) -> None:
    publish_production(bucket, tmp_path / "other", REFERENCE.head(3000))
    Registry(bucket).rollback()

    assert report_on(bucket, WINDOW, model_version=2).summary.predictions == 0


def test_inputs_of_versions_with_other_inputs_are_not_compared(bucket: LocalBucket, tmp_path: Path) -> None:
    fewer = DEFAULT_SPEC.model_copy(update={"context": DEFAULT_SPEC.context[:2]})
    publish_production(bucket, tmp_path / "other", REFERENCE, spec=fewer)
    Registry(bucket).promote(1)
    others = [
        item | {"model_version": 2, "features": [1.0, 2.0], "away_team_id": f"other {number}"}
        for number, item in enumerate(records_of(WINDOW, ASKED))
    ]
    upload(bucket, "b-000000", lines(*others), day=str(ASKED.date()))

    listed = fixtures_of(WINDOW, ASKED.date())
    also = listed.with_columns(
        match_id=pl.format("other {}", "match_id"), away_team_id=pl.format("other {}", pl.int_range(pl.len()))
    )

    summary = report_on(bucket, WINDOW, pl.concat([listed, also])).summary

    assert (summary.predictions, summary.status) == (600, "ok")
    assert summary.finding("inputs").note.endswith(
        "300 forecasts are of versions with other inputs, or none."
    )


def test_leagues_that_the_reference_does_not_have_are_quiet_not_drift(bucket: LocalBucket) -> None:
    summary = report_on(bucket, reference_like(200, leagues=["se.1"])).summary

    assert summary.status == "insufficient_data"
    assert summary.reasons[0].startswith("0 of 200 forecasts can be compared with the training of version 1")


@pytest.mark.parametrize(
    ("newest", "age"), [(date(2015, 11, 8), 0), (date(2015, 11, 30), 22), (date(2015, 11, 1), 0)]
)
def test_the_models_age_is_what_it_lacks_of_the_results(bucket: LocalBucket, newest: date, age: int) -> None:
    summary = report_on(bucket, WINDOW, results_of(WINDOW, newest)).summary

    assert (summary.model_as_of, summary.newest_result, summary.model_age_days) == (
        date(2015, 11, 8),
        newest,
        age,
    )


def test_what_a_version_has_learnt_before_it_was_rolled_back_is_learnt(
    bucket: LocalBucket, tmp_path: Path
) -> None:
    matches = results_of(WINDOW, date(2015, 11, 30))
    assert report_on(bucket, WINDOW, matches).summary.unlearnt_days == 22

    publish_production(bucket, tmp_path / "newer", REFERENCE, date(2015, 11, 28))
    publish_inputs(bucket, tmp_path / "without-teams")
    Registry(bucket).rollback()
    summary = examine(collect(bucket, matches, CONFIG, NOW), CONFIG).summary

    assert (summary.model_version, summary.model_age_days, summary.unlearnt_days) == (1, 22, 2)
