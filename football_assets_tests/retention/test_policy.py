"""The policy is what the environment configures; its defaults are those of the settings."""

import pytest
from pydantic import ValidationError

from football_assets.errors import FootballError
from football_assets.monitoring.config import DriftConfig
from football_assets.retention.policy import RetentionPolicy
from football_assets.settings import Settings


def test_the_defaults_are_those_of_the_settings() -> None:
    assert RetentionPolicy.of(Settings()) == RetentionPolicy()


def test_the_environment_changes_a_limit_or_switches_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTBALL_RETENTION_LOG_DAYS", "off")
    monkeypatch.setenv("FOOTBALL_RETENTION_VERSIONS", "5")
    monkeypatch.setenv("FOOTBALL_RETENTION_RUN_DAYS", "")

    policy = RetentionPolicy.of(Settings())

    assert (policy.log_days, policy.versions, policy.run_days) == (None, 5, 90)


@pytest.mark.parametrize(
    ("run_days", "window", "least"), [("1", "7", 30), ("29", "7", 30), ("30", "30.5", 31), ("89", "90", 90)]
)
def test_runs_are_kept_for_as_long_as_sensors_count_them(
    monkeypatch: pytest.MonkeyPatch, run_days: str, window: str, least: int
) -> None:
    monkeypatch.setenv("FOOTBALL_RETRAIN_WINDOW_DAYS", window)
    monkeypatch.setenv("FOOTBALL_RETENTION_RUN_DAYS", run_days)
    with pytest.raises(
        FootballError,
        match=rf"FOOTBALL_RETENTION_RUN_DAYS={run_days} is not usable.*at least {least}, or off",
    ):
        RetentionPolicy.of(Settings())

    for allowed, kept in ((str(least), least), ("off", None)):
        monkeypatch.setenv("FOOTBALL_RETENTION_RUN_DAYS", allowed)
        assert RetentionPolicy.of(Settings()).run_days == kept


def test_the_log_is_kept_for_longer_than_the_drift_report_reads() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 91"):
        RetentionPolicy(log_days=DriftConfig().results_days)
    assert RetentionPolicy(log_days=91).log_days == 91
