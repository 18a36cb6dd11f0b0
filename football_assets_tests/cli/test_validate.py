"""`football validate`."""

import json
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.landings import csv_of, put
from football_assets_tests.builders.signing_keys import make_key

GOOD, BAD = "raw/footballcsv/2014-15/eng.1.csv", "raw/footballcsv/2014-15/eng.2.csv"


@pytest.fixture
def landed(home: Path) -> Path:
    """A home in which a good and a bad object have landed."""
    bucket = open_bucket(str(home / "bucket"))
    put(bucket, GOOD.removeprefix("raw/"), csv_of("Sat Aug 9 2014,Arsenal,2-1,1-0,Chelsea"))
    put(bucket, BAD.removeprefix("raw/"), "nothing of the kind")
    return home


def test_good_results_end_with_0_and_bad_ones_with_1(
    landed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["validate", "results", GOOD]) == 0
    assert capsys.readouterr().out == f"{GOOD}: 1 results, 0 fixtures, 0 rejected\n"

    assert main(["validate", "results", GOOD, BAD, "--json", str(tmp_path / "found.json")]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"{BAD}: ")
    assert GOOD in shown.out
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["valid"] is False
    assert [item["name"] for item in found["objects"]] == [GOOD, BAD]
    assert found["objects"][0]["results"] == 1
    assert found["objects"][0]["problem"] is None
    assert found["objects"][1]["problem"]


def test_a_version_that_cannot_be_loaded_ends_with_1(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    registry = Registry(open_bucket(str(home / "bucket")))
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "model_card.md").write_text("# Not a whole bundle\n")
    registry.set_alias("candidate", registry.publish(tmp_path / "bundle", {}))

    assert main(["validate", "model", "--json", str(tmp_path / "found.json")]) == 1
    assert "has no model.onnx" in capsys.readouterr().err
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["valid"] is False
    assert found["version"] == 1


def test_an_unsigned_version_ends_with_1_where_keys_are_configured(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(open_bucket(str(home / "bucket")))
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "model_card.md").write_text("# Unsigned\n")
    registry.publish(tmp_path / "bundle", {})
    monkeypatch.setenv("FOOTBALL_VERIFY_KEYS", str(make_key(tmp_path / "keys").public))

    assert main(["validate", "model", "1"]) == 1
    assert "is not signed" in capsys.readouterr().err


def test_the_version_of_the_demo_is_whole(demo_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(demo_home), "validate", "model", "production"]) == 0
    assert "is intact. Gate: " in capsys.readouterr().out
