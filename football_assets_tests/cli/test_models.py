"""`football models`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.registry.gate import rejection
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.signing_keys import make_key


@pytest.fixture
def registry(home: Path, tmp_path: Path) -> Registry:
    """Two versions, the second in production."""
    registry = Registry(open_bucket(str(home / "bucket")))
    for number in (1, 2):
        bundle = tmp_path / f"bundle{number}"
        bundle.mkdir()
        (bundle / "model_card.md").write_text(f"# Forecaster number {number}\n")
        registry.promote(registry.publish(bundle, {}))
    return registry


def test_versions_are_listed_with_their_aliases(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert any("1" in line and "previous" in line for line in lines)
    assert any("2" in line and "production" in line for line in lines)


def test_a_model_card_is_shown_by_number_and_by_alias(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    for version, number in (("1", 1), ("production", 2), ("previous", 1)):
        assert main(["models", "show", version]) == 0
        assert f"Forecaster number {number}" in capsys.readouterr().out


def test_the_reasons_of_the_gate_are_shown_and_a_corrupt_decision_is_named(
    registry: Registry, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    registry.record_decision(2, rejection("Too few matches.").to_dict())
    assert main(["models", "show"]) == 0
    assert "gate: Too few matches." in capsys.readouterr().out

    registry.bucket.write("registry/decisions/2.json", b'{"accepted": true}')
    assert "registry/decisions/2.json" in refused("models", "show")
    assert "is corrupt (reasons: Field required)" in refused("models")


def test_rollback_and_promotion_move_production(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "rollback"]) == 0
    assert "production: version 1" in capsys.readouterr().out
    assert registry.aliases()["production"] == 1

    assert main(["models", "promote", "2"]) == 0
    assert registry.aliases() == {"production": 2, "previous": 1}


def test_a_version_that_does_not_exist_is_refused(refused: Callable[..., str], registry: Registry) -> None:
    assert "99" in refused("models", "promote", "99")
    assert "candidate" in refused("models", "show", "candidate")
    assert registry.aliases()["production"] == 2


def test_stored_versions_are_signed_and_verified(
    registry: Registry,
    capsys: pytest.CaptureFixture[str],
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    key = make_key(tmp_path / "keys")
    assert "no signer is accepted: set FOOTBALL_VERIFY_KEYS" in refused("models", "verify")
    assert "FOOTBALL_SIGNING_KEY" in refused("models", "sign")

    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    assert main(["models", "sign", "production"]) == 0
    assert capsys.readouterr().out.startswith("Version 2 is signed by key ")
    monkeypatch.delenv("FOOTBALL_SIGNING_KEY")
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(key.public))
    assert main(["models", "verify", "2"]) == 0
    assert capsys.readouterr().out.startswith("Version 2: verified by key ")
    assert main(["models", "verify", "previous"]) == 1
    assert "Version 1: Model version 1 in" in capsys.readouterr().err
    assert "is not signed" in refused("models", "rollback")
    assert registry.aliases() == {"production": 2, "previous": 1}


def test_every_version_is_verified_and_one_that_is_not_valid_fails_the_command(
    registry: Registry,
    capsys: pytest.CaptureFixture[str],
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    key = make_key(tmp_path / "keys")
    monkeypatch.setenv("FOOTBALL_SIGNING_KEY", str(key.private))
    assert main(["models", "sign", "2"]) == 0
    capsys.readouterr()

    assert main(["models", "verify", "1", "2", "77"]) == 1

    shown = capsys.readouterr()
    assert shown.out.startswith("Version 2: verified by key ")
    first, missing = shown.err.splitlines()
    assert first.startswith("Version 1: ")
    assert "is not signed" in first
    assert missing.startswith("Version 77: There is no model version 77")

    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(tmp_path / "absent.pem"))
    assert "FOOTBALL_VERIFY_KEYS" in refused("models", "verify")
