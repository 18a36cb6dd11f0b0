"""When a drift report leads to a training, and that it does so once."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRunStatus, RunRequest, SkipReason

from football_assets.automation.attempts import MAX_ATTEMPTS
from football_assets.automation.drift_sensor import evaluate_drift
from football_assets.automation.tags import REASON_TAG
from football_assets.errors import SignaturePolicyError
from football_assets.monitoring.summary import DriftSummary, save_summary
from football_assets.registry.store import VERSIONS, Registry
from football_assets.settings import Settings
from football_assets_tests.builders.backfills import add_backfill, end_backfill
from football_assets_tests.builders.signing_keys import make_key
from football_assets_tests.builders.small_graph import BROKEN, SmallHome

SETTINGS = Settings(retrain_window_days=7, model_max_age_days=30)
DAY = timedelta(days=1)


def report(home: SmallHome, made_at: datetime | None = None, **changes: Any) -> None:
    """Save a drift report, made now unless the test says when."""
    made_at = made_at or datetime.now(UTC)
    values: dict[str, Any] = {
        "made_at": made_at,
        "window_start": made_at - 28 * DAY,
        "window_end": made_at,
        "results_since": made_at - 28 * DAY,
        "model_version": 1,
        "model_published": made_at - 40 * DAY,
        "model_as_of": None,
        "newest_result": None,
        "model_age_days": 0,
        "unlearnt_days": 0,
        "predictions": 1000,
        "results": 500,
        "status": "drift",
        "reasons": ["9 of 20 columns drifted"],
        "findings": [],
        "drifted_columns": ["elo_difference"],
        "drift_share": 0.45,
        "live_log_loss": 1.1,
        "live_rps": 0.21,
        "expected_log_loss": 1.0,
        "calibration_error": 0.05,
        "thresholds": {},
    }
    save_summary(home.bucket, DriftSummary.model_validate(values | changes))


def tick(home: SmallHome, after: timedelta = timedelta()) -> RunRequest | str:
    """The request, or why there is none, some time from now."""
    now = (datetime.now(UTC) + after).timestamp()
    answer = evaluate_drift(home.instance, home.bucket, SETTINGS, now)
    return answer if isinstance(answer, RunRequest) else str(answer.skip_message)


def train(home: SmallHome, request: RunRequest | str) -> bool:
    assert isinstance(request, RunRequest), request
    return home.launch(request, "retrain")


def publish(home: SmallHome, folder: Path) -> int:
    folder.mkdir()
    (folder / "metrics.json").write_text(folder.name)
    return Registry(home.bucket).publish(folder, {})


@pytest.mark.parametrize("status", ["ok", "insufficient_data"])
def test_nothing_is_trained_without_a_report_or_without_drift(home: SmallHome, status: str) -> None:
    assert tick(home) == "There is no drift report yet."
    report(home, status=status, reasons=["too few predictions"])

    assert f"is {status}." in str(tick(home))


def test_drift_is_one_training_that_says_why(home: SmallHome) -> None:
    report(home, reasons=["9 of 20 columns drifted", "log loss 1.10, expected 1.00"])
    request, again = tick(home), tick(home)

    assert isinstance(request, RunRequest)
    assert isinstance(again, RunRequest)
    assert again.run_key == request.run_key
    assert request.tags[REASON_TAG] == "9 of 20 columns drifted; log loss 1.10, expected 1.00"
    assert train(home, request)
    assert "at most one training is launched in 7 days" in str(tick(home))


def test_a_model_that_lacks_many_days_of_results_is_trained_anew(local_home: SmallHome) -> None:
    report(local_home, status="ok", reasons=[], model_age_days=30, unlearnt_days=30)
    assert not isinstance(tick(local_home), RunRequest)

    report(
        local_home,
        status="insufficient_data",
        reasons=["few predictions"],
        model_age_days=31,
        unlearnt_days=31,
    )
    request = tick(local_home)

    assert isinstance(request, RunRequest)
    assert request.tags[REASON_TAG] == "version 1 lacks 31 days of results"


def test_results_that_another_version_has_learnt_are_no_reason_to_train(local_home: SmallHome) -> None:
    report(local_home, status="ok", reasons=[], model_age_days=100, unlearnt_days=0)

    assert not isinstance(tick(local_home), RunRequest)


def test_later_reports_train_again_only_after_the_window(local_home: SmallHome) -> None:
    home, now = local_home, datetime.now(UTC)
    report(home, now)
    first = tick(home)
    train(home, first)
    report(home, now + DAY)
    assert "at most one training is launched in 7 days" in str(tick(home, DAY))
    assert "at most one training is launched in 7 days" in str(tick(home, 6.9 * DAY))

    second = tick(home, 7.1 * DAY)

    assert isinstance(first, RunRequest)
    assert isinstance(second, RunRequest)
    assert second.run_key != first.run_key


def test_the_same_report_never_trains_twice(local_home: SmallHome) -> None:
    report(local_home)
    first = tick(local_home)
    train(local_home, first)

    # Dagster launches no second run with the key of the first.
    later = tick(local_home, 30 * DAY)
    assert isinstance(first, RunRequest)
    assert isinstance(later, RunRequest)
    assert later.run_key == first.run_key


def test_a_version_published_after_the_evidence_makes_training_needless(
    home: SmallHome, tmp_path: Path
) -> None:
    publish(home, tmp_path / "older")
    report(home)
    assert isinstance(tick(home), RunRequest)

    version = publish(home, tmp_path / "newer")

    assert f"Version {version} was published after the logged predictions" in str(tick(home))


def test_a_version_that_is_not_signed_is_no_reason_against_a_training(
    home: SmallHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(tmp_path / "keys")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    publish(home, tmp_path / "older")
    report(home)
    altered = publish(home, tmp_path / "altered")
    assert f"Version {altered} was published" in str(tick(home))

    name = f"{VERSIONS}{altered}/manifest.json"
    future = json.loads(home.bucket.read(name)) | {"published": "9999-01-01T00:00:00+00:00"}
    home.bucket.write(name, json.dumps(future).encode())
    assert isinstance(tick(home), RunRequest)

    version = publish(home, tmp_path / "newer")
    assert f"Version {version} was published" in str(tick(home))


def test_no_training_is_requested_while_no_signature_can_be_verified(
    local_home: SmallHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every version would count as rejected, the newest one too."""
    key = make_key(tmp_path / "keys")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    report(local_home)
    version = publish(local_home, tmp_path / "newer")
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(tmp_path / "empty"))
    (tmp_path / "empty").mkdir()

    with pytest.raises(SignaturePolicyError, match=r"empty has no file \*\.pem"):
        tick(local_home)
    shutil.copy(key.public, tmp_path / "empty")
    assert f"Version {version} was published" in str(tick(local_home))


def test_a_corrupt_version_is_no_reason_against_a_training(home: SmallHome, tmp_path: Path) -> None:
    publish(home, tmp_path / "older")
    report(home)
    version = publish(home, tmp_path / "newer")
    home.bucket.write(f"{VERSIONS}{version}/manifest.json", b"{")

    assert isinstance(tick(home), RunRequest)


def test_no_training_is_requested_beside_a_run_that_trains(local_home: SmallHome) -> None:
    home = local_home
    report(home)
    job = home.definitions.resolve_job_def("refresh_forecasts")
    running = home.instance.create_run_for_job(job, tags=job.run_tags, status=DagsterRunStatus.STARTED)

    assert f"Waiting for run {running.run_id}" in str(tick(home))
    home.instance.report_run_canceled(running)
    assert isinstance(tick(home), RunRequest)


def test_no_training_is_requested_during_a_backfill_that_trains(local_home: SmallHome) -> None:
    home = local_home
    report(home)
    backfill = add_backfill(home.instance, "trained_lstm")

    assert f"Waiting for backfill {backfill}" in str(tick(home))
    end_backfill(home.instance, backfill)
    assert isinstance(tick(home), RunRequest)


def test_a_training_that_fails_is_tried_again_a_few_times(local_home: SmallHome) -> None:
    home = local_home
    home.bucket.write(BROKEN, b"")
    report(home)
    for attempt in range(MAX_ATTEMPTS):
        assert not train(home, tick(home, attempt * timedelta(hours=1)))
        assert not isinstance(tick(home), RunRequest)

    report(home)
    assert "see its log" in str(tick(home, DAY))
    home.bucket.delete(BROKEN)
    assert train(home, tick(home, 8 * DAY))


def test_the_skip_reason_is_for_a_person(local_home: SmallHome) -> None:
    report(local_home, datetime(2026, 5, 4, 3, 2, tzinfo=UTC), status="ok", reasons=[])

    answer = evaluate_drift(local_home.instance, local_home.bucket, SETTINGS, 0)

    assert isinstance(answer, SkipReason)
    assert answer.skip_message == "The report of 2026-05-04 03:02 UTC is ok."
