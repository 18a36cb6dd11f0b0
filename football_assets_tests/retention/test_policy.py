"""The policy is what the environment configures; its defaults are those of the settings."""

import pytest
from pydantic import ValidationError

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


def test_the_log_is_kept_for_longer_than_the_drift_report_reads() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 91"):
        RetentionPolicy(log_days=DriftConfig().results_days)
    assert RetentionPolicy(log_days=91).log_days == 91
