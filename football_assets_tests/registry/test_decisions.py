"""The gate's decisions, on both kinds of bucket."""

import json
import re
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from football_assets.errors import RegistryError
from football_assets.registry.decisions import DECISIONS
from football_assets.registry.gate import GateComparison, rejection
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.model_versions import published
from football_assets_tests.end_to_end.earlier_home import homes

DECISION = re.compile(r".*registry/decisions/1\.json")
COMPARISON = asdict(
    GateComparison("class prior", 100, 30, 0.9, 1.1, -0.2, -0.3, -0.1, True, "interval below 0")
)

OF_ANOTHER_TYPE: list[dict[str, Any]] = [
    {"accepted": 1},
    {"reasons": 7},
    {"reasons": [7]},
    {"refusals": "no"},
    {"comparisons": {}},
    {"comparisons": [{"reference": "class prior"}]},
    {"comparisons": [COMPARISON | {"passed": "yes"}]},
    {"comparisons": [COMPARISON | {"difference": None}]},
]


def decided() -> dict[str, Any]:
    """A decision of the gate, as `judge_and_promote` stores it."""
    return {
        "accepted": True,
        "reasons": ["Better."],
        "refusals": [],
        "comparisons": [COMPARISON],
        "judged_against": None,
    }


@pytest.fixture
def registry(bucket_url: str) -> Registry:
    return Registry(open_bucket(bucket_url))


def test_the_last_decision_about_a_version_is_kept(registry: Registry, tmp_path: Path) -> None:
    published(registry, tmp_path, 1)
    assert registry.decision(1) is None
    registry.record_decision(1, rejection("Too few.").to_dict())
    registry.record_decision(1, decided())
    assert registry.decision(1) == decided()
    assert registry.versions() == [1]


@pytest.mark.parametrize("home", homes(), ids=lambda file: str(file.name))
def test_the_decisions_of_earlier_releases_are_read(registry: Registry, home: Path) -> None:
    with tarfile.open(home) as archive:
        for name in [name for name in archive.getnames() if DECISION.fullmatch(name)]:
            content = archive.extractfile(name)
            assert content is not None
            registry.bucket.write(f"{DECISIONS}1.json", content.read())

    decision = registry.decision(1)

    assert decision is not None
    assert [item["reference"] for item in decision["comparisons"]] == ["class prior", "Elo baseline"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"<html>",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"accepted": "yes"}',
        b'{"accepted": null}',
        b'{"accepted": true}',
        *(
            json.dumps({key: value for key, value in decided().items() if key != field}).encode()
            for field in ("accepted", "reasons", "refusals", "comparisons")
        ),
        *(json.dumps(decided() | change).encode() for change in OF_ANOTHER_TYPE),
    ],
    ids=range(20),
)
def test_a_corrupt_decision_is_named(registry: Registry, damaged: bytes) -> None:
    registry.bucket.write("registry/decisions/1.json", damaged)

    with pytest.raises(RegistryError, match=r"registry/decisions/1\.json in .* is corrupt"):
        registry.decision(1)
