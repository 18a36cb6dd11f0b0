"""Each match counts once, with the last forecast that could not know its result."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from football_assets.monitoring.compaction import compact
from football_assets.monitoring.results import (
    CUSTOM_HISTORIES,
    DAYS_PREFIX,
    FIXTURE,
    GIVEN_ODDS,
    UNLISTED,
    forecasts_since,
    latest_of_each_match,
    live_scores,
    logged_days,
    rows_logged,
    scores_by,
    with_results,
)
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.prediction_logs import lines, publish_inputs, record, table, upload

MATCH_DAY = date(2015, 11, 28)


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    bucket = LocalBucket(tmp_path / "bucket")
    publish_inputs(bucket, tmp_path / "version")
    return bucket


def matches(*rows: tuple[str, date, int | None, int | None], league: str = "eng.1") -> pl.DataFrame:
    """`stg_matches` of Arsenal at home: away team, day and goals."""
    return pl.DataFrame(
        [
            {
                "match_id": f"{away} {day}",
                "league_id": league,
                "kickoff_date": day,
                "home_team_id": "eng:Arsenal",
                "away_team_id": f"eng:{away}",
                "home_goals": home_goals,
                "away_goals": away_goals,
                "outcome": None if home_goals is None else int(1 - np.sign(home_goals - (away_goals or 0))),
            }
            for away, day, home_goals, away_goals in rows
        ],
        schema_overrides={"home_goals": pl.Int16, "away_goals": pl.Int16, "outcome": pl.Int8},
    )


def logged(bucket: LocalBucket, *records: dict) -> pl.DataFrame:
    upload(bucket, "a-000000", lines(*records))
    compact(bucket)
    return table(bucket)


def forecast(number: int, time: str, **changes: object) -> dict:
    changes = {"away_team_id": "eng:Chelsea", "kickoff_date": str(MATCH_DAY), **changes}
    return record(number, time=f"{time}:00Z", **changes)


def test_a_forecast_gets_the_result_of_its_match(bucket: LocalBucket) -> None:
    log = logged(bucket, forecast(1, "2015-11-27T10:00"))

    (row,) = with_results(log, matches(("Chelsea", MATCH_DAY, 2, 1))).iter_rows(named=True)

    assert (row["match_id"], row["home_goals"], row["away_goals"], row["outcome"]) == (
        f"Chelsea {MATCH_DAY}",
        2,
        1,
        0,
    )
    assert row["asked_about"] == FIXTURE


def test_a_thousand_requests_for_one_match_are_one_forecast_the_last_of_its_version(
    bucket: LocalBucket,
) -> None:
    requests = [forecast(n, f"2015-11-2{5 + n // 500}T{n % 500 // 60:02}:{n % 60:02}") for n in range(1000)]
    log = logged(bucket, *requests, forecast(2000, "2015-11-25T00:00", model_version=2, features={}))

    found = with_results(log, matches(("Chelsea", MATCH_DAY, 0, 0)))

    assert found.select("request_id", "model_version", "requests").sort("model_version").rows() == [
        ("request-999", 1, 1000),
        ("request-2000", 2, 1),
    ]


def test_the_last_forecast_before_the_end_of_the_match_day_counts_not_a_later_one(
    bucket: LocalBucket,
) -> None:
    log = logged(
        bucket,
        forecast(1, "2015-11-27T10:00"),
        forecast(2, "2015-11-28T23:59"),
        forecast(3, "2015-11-29T00:00"),
    )

    assert with_results(log, matches(("Chelsea", MATCH_DAY, 0, 0)))["request_id"].to_list() == ["request-2"]


def test_a_match_that_was_only_asked_for_later_counts_with_its_last_forecast(bucket: LocalBucket) -> None:
    log = logged(bucket, forecast(1, "2026-11-27T10:00"), forecast(2, "2026-11-27T11:00"))

    found = with_results(log, matches(("Chelsea", MATCH_DAY, 1, 1)))

    assert found.select("request_id", "outcome").rows() == [("request-2", 1)]


@pytest.mark.parametrize(("moved", "known"), [(0, True), (7, True), (8, False), (-1, False)])
def test_a_match_that_was_moved_is_found_within_a_week_and_never_before_its_day(
    bucket: LocalBucket, moved: int, known: bool
) -> None:
    log = logged(bucket, forecast(1, "2015-11-20T10:00"))

    found = with_results(log, matches(("Chelsea", MATCH_DAY + timedelta(days=moved), 3, 0)))

    assert found["outcome"].to_list() == [0 if known else None]


def test_a_moved_match_asked_for_on_both_days_is_one_match(bucket: LocalBucket) -> None:
    log = logged(
        bucket,
        forecast(1, "2015-11-20T10:00"),
        forecast(2, "2015-11-25T10:00", kickoff_date=str(MATCH_DAY + timedelta(days=3))),
    )

    found = with_results(log, matches(("Chelsea", MATCH_DAY + timedelta(days=3), 3, 0)))

    assert found.select("request_id", "requests").rows() == [("request-2", 2)]


def test_a_match_of_the_lists_is_told_from_one_on_no_list_and_from_custom_histories(
    bucket: LocalBucket,
) -> None:
    log = logged(
        bucket,
        forecast(1, "2015-11-27T10:00", away_team_id="eng:Wanderers of 1872"),
        forecast(2, "2015-11-27T10:00", kickoff_date="2016-03-01", away_team_id="eng:Everton"),
        forecast(3, "2015-11-27T10:00", league_id="de.1"),
        forecast(4, "2015-11-27T10:00"),
        forecast(5, "2015-11-27T10:00", kind="sequences", home_team_id=None, away_team_id=None),
        forecast(6, "2015-11-27T10:00", away_team_id="eng:Fulham", kickoff_date="2015-12-27"),
        forecast(7, "2015-11-27T10:00", home_team_id="eng:Chelsea", away_team_id="eng:Arsenal"),
    )

    found = with_results(
        log, matches(("Chelsea", MATCH_DAY, None, None), ("Fulham", date(2015, 12, 28), 1, 0))
    )

    assert found.sort("request_id").select("request_id", "asked_about").rows() == [
        ("request-1", UNLISTED),
        ("request-2", UNLISTED),
        ("request-3", UNLISTED),
        ("request-4", FIXTURE),
        ("request-5", CUSTOM_HISTORIES),
        ("request-6", FIXTURE),
        ("request-7", UNLISTED),
    ]


def test_custom_histories_are_one_forecast_a_different_input(bucket: LocalBucket) -> None:
    given = {"kind": "sequences", "home_team_id": None, "away_team_id": None}
    log = logged(
        bucket,
        *(forecast(n, f"2015-11-27T10:{n:02}", **given) for n in range(3)),
        forecast(9, "2015-11-27T10:00", **given, p=[0.4, 0.3, 0.3]),
    )

    found = with_results(log, matches(("Chelsea", MATCH_DAY, 1, 0)))

    assert sorted(found["request_id"]) == ["request-2", "request-9"]
    assert found["outcome"].to_list() == [None, None]


def test_a_log_read_day_by_day_gives_the_same_forecasts_as_read_at_once(bucket: LocalBucket) -> None:
    for day in (24, 25, 26):
        content = [forecast(100 * day + n, f"2015-11-{day}T1{n}:00") for n in range(3)]
        other = forecast(day, f"2015-11-{day}T08:00", away_team_id="eng:Everton")
        upload(bucket, "a-000000", lines(*content, other), day=f"2015-11-{day}")
    compact(bucket)
    known = matches(("Chelsea", MATCH_DAY, 1, 0), ("Everton", MATCH_DAY, None, None))
    until = datetime(2015, 12, 1, tzinfo=UTC)

    found = forecasts_since(bucket, known, until - timedelta(days=30), until)

    columns = ["fixture", "request_id", "requests", "outcome"]
    at_once = with_results(table(bucket), known)
    assert found.select(columns).sort("fixture").rows() == at_once.select(columns).sort("fixture").rows()
    assert found.select("request_id", "requests").sort("request_id").rows() == [
        ("request-26", 3),
        ("request-2602", 9),
    ]
    assert [item.day.day for item in logged_days(bucket)] == [24, 25, 26]
    assert rows_logged(bucket) == 12


def test_objects_beside_the_tables_of_the_days_are_ignored(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)), day="2015-11-24")
    compact(bucket)
    for name in ("notes.txt", "2015-11-24 (1).parquet", "2015-11-24/part-0.parquet"):
        bucket.write(f"{DAYS_PREFIX}{name}", b"copied")

    assert [item.day.day for item in logged_days(bucket)] == [24]
    assert rows_logged(bucket) == 1


def test_only_the_asked_time_is_read_and_versions_can_be_left_out(bucket: LocalBucket) -> None:
    for day in (20, 24):
        content = lines(
            forecast(day, f"2015-11-{day}T10:00", away_team_id=f"eng:{day}"),
            forecast(10 * day, f"2015-11-{day}T10:00", model_version=2, features={}),
        )
        upload(bucket, "a-000000", content, day=f"2015-11-{day}")
    compact(bucket)
    since = datetime(2015, 11, 22, tzinfo=UTC)

    found = forecasts_since(
        bucket, matches(("X", MATCH_DAY, 1, 0)), since, since + timedelta(days=9), frozenset({2})
    )

    assert found["request_id"].to_list() == ["request-24"]
    nothing = forecasts_since(
        bucket, matches(("X", MATCH_DAY, 1, 0)), since - timedelta(days=99), since - timedelta(90)
    )
    assert nothing.is_empty()
    assert live_scores(nothing) is None


def test_the_latest_of_each_match_is_what_production_said_last(bucket: LocalBucket) -> None:
    log = logged(
        bucket,
        forecast(1, "2015-11-26T10:00"),
        forecast(2, "2015-11-27T10:00", model_version=2, features={}),
        forecast(3, "2015-11-30T10:00", model_version=3, features={}),
    )

    found = latest_of_each_match(with_results(log, matches(("Chelsea", MATCH_DAY, 1, 0))))

    assert found["request_id"].to_list() == ["request-2"]


def test_live_scores_are_those_of_the_matches_with_a_result(bucket: LocalBucket) -> None:
    log = logged(
        bucket,
        forecast(1, "2015-11-26T10:00", p=[0.5, 0.3, 0.2]),
        forecast(2, "2015-11-26T10:00", p=[0.2, 0.3, 0.5], away_team_id="eng:Everton"),
        forecast(3, "2015-11-26T10:00", p=[0.9, 0.1, 0.0], away_team_id="eng:Fulham"),
    )
    known = matches(
        ("Chelsea", MATCH_DAY, 2, 0), ("Everton", MATCH_DAY, 1, 1), ("Fulham", MATCH_DAY, None, None)
    )

    found = with_results(log, known)
    scores = live_scores(found)

    assert scores is not None
    assert scores.log_loss == pytest.approx(-(np.log(0.5) + np.log(0.3)) / 2)
    # Cumulated differences: (0.5, 0.2) and (0.2, 0.5).
    assert scores.rps == pytest.approx(((0.25 + 0.04) / 2 + (0.04 + 0.25) / 2) / 2)
    (row,) = scores_by(found, "model_version", "version").iter_rows(named=True)
    assert (row["version"], row["forecasts"], row["results"]) == (1, 3, 2)
    assert row["log loss"] == pytest.approx(scores.log_loss, abs=1e-4)


def test_a_match_forecast_with_odds_of_the_request_is_a_forecast_of_its_own(bucket: LocalBucket) -> None:
    log = logged(
        bucket,
        forecast(1, "2015-11-27T10:00", inputs="results+odds", p=[0.5, 0.3, 0.2]),
        forecast(2, "2015-11-27T11:00", inputs="results+odds+match_odds", p=[0.8, 0.1, 0.1]),
        forecast(3, "2015-11-27T12:00", inputs="results+match_odds", away_team_id="eng:Nobody"),
    )

    found = latest_of_each_match(with_results(log, matches(("Chelsea", MATCH_DAY, 2, 0))))

    kinds = {row["request_id"]: row["asked_about"] for row in found.iter_rows(named=True)}
    assert kinds == {"request-1": FIXTURE, "request-2": GIVEN_ODDS, "request-3": UNLISTED}
    scores = scores_by(found.filter(pl.col("match_id").is_not_null()), "inputs", "inputs")
    assert scores.select("inputs", "results", "log loss").rows() == [
        ("results+odds", 1, round(-np.log(0.5), 4)),
        ("results+odds+match_odds", 1, round(-np.log(0.8), 4)),
    ]


def test_a_table_of_before_there_were_tiers_is_from_results(bucket: LocalBucket) -> None:
    log = logged(bucket, forecast(1, "2015-11-27T10:00")).drop("inputs")

    found = with_results(log, matches(("Chelsea", MATCH_DAY, 2, 0)))

    assert found["inputs"].to_list() == ["results"]
