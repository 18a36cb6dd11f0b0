"""Sizes of the pods of runs."""

import pytest

from football_assets.orchestration.run_resources import (
    COUNTRY_MIB,
    GPU,
    LEAGUE_MIB,
    POD_TAG,
    feature_pod,
    training_pod,
)
from football_assets.settings import Settings


def test_a_training_has_what_the_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"GPUS": "2", "MEMORY_GIB": "24", "CPUS": "6", "IMAGE": "trainer:1"}.items():
        monkeypatch.setenv(f"FOOTBALL_TRAINING_{name}", value)
    amounts = {"cpu": "6", "memory": "24Gi", GPU: "2"}
    assert training_pod(Settings()) == {
        POD_TAG: {
            "container_config": {"resources": {"requests": amounts, "limits": amounts}, "image": "trainer:1"}
        }
    }


def test_without_variables_no_gpu_is_asked_for() -> None:
    container = training_pod(Settings())[POD_TAG]["container_config"]
    assert container == {
        "resources": {name: {"cpu": "4", "memory": "8Gi"} for name in ("requests", "limits")}
    }


def memory(*countries: str) -> int:
    limits = feature_pod(countries)[POD_TAG]["container_config"]["resources"]["limits"]
    return int(limits["memory"].removesuffix("Mi"))


def test_memory_grows_with_the_leagues_of_the_countries() -> None:
    assert memory("eng") > memory("at") >= COUNTRY_MIB + LEAGUE_MIB
    assert memory("eng", "at") == memory("eng") + memory("at") - COUNTRY_MIB
    assert memory("xx") == COUNTRY_MIB + LEAGUE_MIB
