"""`football models`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket


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
