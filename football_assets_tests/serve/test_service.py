"""The service: which model answers when versions change or are corrupt; every forecast is logged before it is sent."""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from football_assets.errors import FootballError
from football_assets.registry.store import ALIASES_OBJECT, VERSIONS, Registry
from football_assets.sequences.custom_histories import CustomTeam
from football_assets.sequences.fixture_days import FIXTURE_TABLE
from football_assets.storage.local import LocalBucket
from football_assets.storage.log_segments import segment_lines
from football_assets.storage.tables import read_table, write_table
from football_assets_tests.builders.demo import publish_reversed
from football_assets_tests.builders.model_versions import copy_version
from football_assets_tests.builders.queries import QUERIES, logged
from football_assets_tests.builders.running import Client, ServingLog, metric
from serve import service as service_module
from serve.metrics import ServingMetrics
from serve.prediction_log import SEGMENTS
from serve.served_model import CustomQuery, FixtureQuery, MatchForecast, ServedModel
from serve.service import ForecastService, ModelChoice, NotReady

BODY = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}

MakeClient = Callable[..., Client]


@pytest.fixture
def registry(demo_bucket: LocalBucket) -> Registry:
    return Registry(demo_bucket)


@pytest.fixture
def second(demo_bucket: LocalBucket, tmp_path: Path) -> int:
    """A second version with other forecasts, not in production."""
    return publish_reversed(demo_bucket, tmp_path / "publishing")


def answers_of(service: ForecastService) -> tuple[int, list[list[float]]]:
    version, answers = service.answer(QUERIES)
    return version, [answer.probabilities for answer in answers if isinstance(answer, MatchForecast)]


def corrupt(bucket: LocalBucket, version: int, name: str) -> bytes:
    """Flip a byte of a version's file; returns what it was."""
    intact = bucket.read(f"{VERSIONS}{version}/{name}")
    broken = bytearray(intact)
    broken[len(broken) // 2] ^= 0xFF
    bucket.write(f"{VERSIONS}{version}/{name}", bytes(broken))
    return intact


# Which model answers


def test_a_service_becomes_ready_when_a_model_is_promoted(
    demo_bucket: LocalBucket, registry: Registry, tmp_path: Path
) -> None:
    aliases = demo_bucket.read(ALIASES_OBJECT)
    demo_bucket.delete(ALIASES_OBJECT)
    service = ForecastService(demo_bucket, tmp_path / "scratch", ServingMetrics())
    service.load(ModelChoice())
    service.refresh()
    with pytest.raises(NotReady, match="production"):
        service.answer(QUERIES)
    with pytest.raises(NotReady):
        service.answer_custom(CustomQuery("r", "eng.1", CustomTeam(), CustomTeam()))
    assert metric(service, "model_load_failing") == 1

    demo_bucket.write(ALIASES_OBJECT, aliases)
    service.refresh()

    assert answers_of(service)[0] == 1
    assert service.model_error is None
    assert metric(service, "model_load_failing") == 0
    service.close()


def test_the_alias_is_followed_forward_and_back(
    service: ForecastService, registry: Registry, second: int
) -> None:
    first = answers_of(service)
    registry.promote(second)
    assert answers_of(service) == first, "the switch is made by refresh alone"

    service.refresh()
    promoted = answers_of(service)
    registry.rollback()
    service.refresh()

    assert (first[0], promoted[0]) == (1, second)
    assert np.abs(np.subtract(first[1], promoted[1])).min() > 0.001
    assert answers_of(service) == first
    assert metric(service, "model_info", version="1") == 1
    assert metric(service, "model_info", version=str(second)) == 0


def test_a_pinned_version_stays_whatever_the_alias_does(
    service: ForecastService, registry: Registry, second: int
) -> None:
    service.load(ModelChoice(version=1))
    registry.promote(second)
    service.refresh()
    assert answers_of(service)[0] == 1

    service.load(ModelChoice(version=second))
    registry.promote(1)
    service.refresh()
    assert answers_of(service)[0] == second

    service.load(ModelChoice(version="production"))
    assert answers_of(service)[0] == 1


@pytest.mark.parametrize("name", ["model.onnx", "team_state.parquet", "feature_spec.json", "manifest.json"])
def test_a_corrupt_version_leaves_the_old_one_answering_and_says_so(
    service: ForecastService, registry: Registry, second: int, name: str
) -> None:
    before = answers_of(service)
    registry.promote(second)
    corrupt(service.bucket, second, name)  # type: ignore[arg-type]

    service.refresh()
    service.refresh()

    assert answers_of(service) == before
    assert service.model_error is not None
    assert "corrupt" in service.model_error
    assert str(second) in service.model_error
    assert metric(service, "model_load_failing") == 1
    assert metric(service, "model_load_failures_total") == 1


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_version_with_a_missing_file_leaves_the_old_one_answering(
    service: ForecastService, registry: Registry, second: int, name: str
) -> None:
    registry.promote(second)
    service.bucket.delete(f"{VERSIONS}{second}/{name}")

    service.refresh()

    assert answers_of(service)[0] == 1
    assert service.model_error is not None
    assert metric(service, "model_load_failing") == 1


@pytest.mark.parametrize("content", [b"not json", b'{"production": 99}', b'{"production": null}', b"[]"])
def test_aliases_that_lead_nowhere_leave_the_old_version_answering(
    service: ForecastService, content: bytes
) -> None:
    service.bucket.write(ALIASES_OBJECT, content)
    service.refresh()
    assert answers_of(service)[0] == 1
    assert service.model_error is not None


def test_a_choice_that_cannot_be_met_leaves_the_old_version_answering(service: ForecastService) -> None:
    for version in (99, "staging", "candidate-2"):
        service.load(ModelChoice(version=version))
        assert service.model_error is not None
        assert answers_of(service)[0] == 1


def test_files_that_agree_with_their_digests_but_make_no_model_are_not_served(
    service: ForecastService, registry: Registry, tmp_path: Path
) -> None:
    bundle = copy_version(registry.open(1), tmp_path / "bundle")
    for name, content in (
        ("model.onnx", b"no model"),
        ("team_state.parquet", b"no table"),
        ("metrics.json", b"{"),
        ("feature_spec.json", b"[]"),
    ):
        intact = (bundle / name).read_bytes()
        (bundle / name).write_bytes(content)
        version = registry.publish(bundle, {})
        (bundle / name).write_bytes(intact)

        service.load(ModelChoice(version=version))

        assert answers_of(service)[0] == 1, name
        assert service.model_error, name


def test_a_disk_that_takes_no_bundle_leaves_the_old_version_answering(
    service: ForecastService, registry: Registry, second: int, tmp_path: Path
) -> None:
    registry.promote(second)
    shutil.rmtree(tmp_path / "scratch" / "models")
    (tmp_path / "scratch" / "models").write_bytes(b"a file where the folder was")

    service.refresh()

    assert answers_of(service)[0] == 1
    assert service.model_error is not None
    assert metric(service, "model_load_failing") == 1


@pytest.fixture
def failing(service: ForecastService, registry: Registry, second: int) -> bytes:
    """A service that cannot load the production version; returns the model file as it was before it was corrupted."""
    registry.promote(second)
    intact = corrupt(service.bucket, second, "model.onnx")  # type: ignore[arg-type]
    service.refresh()
    assert metric(service, "model_load_failing") == 1
    return intact


def test_a_repaired_version_is_taken_up(service: ForecastService, second: int, failing: bytes) -> None:
    service.bucket.write(f"{VERSIONS}{second}/model.onnx", failing)
    service.refresh()
    assert answers_of(service)[0] == 1, "a broken version is tried again after a while only"

    service.load(ModelChoice())

    assert answers_of(service)[0] == second
    assert service.model_error is None
    assert metric(service, "model_load_failing") == 0


def test_a_repaired_version_is_taken_up_after_a_while(
    service: ForecastService, registry: Registry, second: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve.service.RETRY_SECONDS", 0.0)
    registry.promote(second)
    intact = corrupt(service.bucket, second, "model.onnx")  # type: ignore[arg-type]
    service.refresh()
    assert service.model_error is not None

    service.bucket.write(f"{VERSIONS}{second}/model.onnx", intact)
    service.refresh()

    assert answers_of(service)[0] == second
    assert service.model_error is None


@pytest.mark.usefixtures("failing")
def test_an_alias_that_moves_back_to_the_version_that_answers_ends_the_error(
    service: ForecastService, registry: Registry
) -> None:
    registry.rollback()
    service.refresh()

    assert answers_of(service)[0] == 1
    assert service.model_error is None
    assert metric(service, "model_load_failing") == 0


def test_versions_swapped_twenty_times_under_load_fail_no_answer_and_mix_none(
    service: ForecastService, second: int
) -> None:
    service.load(ModelChoice(version=second))
    expected = {second: answers_of(service)[1]}
    service.load(ModelChoice(version=1))
    expected[1] = answers_of(service)[1]
    assert np.abs(np.subtract(expected[1], expected[second])).min() > 0.001
    ended = threading.Event()
    seen: list[set[int]] = []
    problems: list[object] = []

    def ask() -> None:
        versions = set()
        while not ended.is_set():
            try:
                version, answers = service.answer(QUERIES)
            except Exception as error:  # the test shows it
                problems.append(error)
                break
            versions.add(version)
            for answer, probabilities in zip(answers, expected[version], strict=True):
                if not isinstance(answer, MatchForecast) or answer.model_version != version:
                    problems.append(answer)
                elif not np.allclose(answer.probabilities, probabilities, atol=1e-6):
                    problems.append((version, answer))
        seen.append(versions)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for swap in range(20):
        service.load(ModelChoice(version=(second, 1)[swap % 2]))
        assert service.ready().version == (second, 1)[swap % 2]
    ended.set()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(seen) == 3
    assert set().union(*seen) == {1, second}
    assert {record["model_version"] for record in logged(service)} == {1, second}


# The fixture list


def test_a_new_fixture_list_is_followed(service: ForecastService) -> None:
    write_table(service.bucket, FIXTURE_TABLE, read_table(service.bucket, FIXTURE_TABLE).head(3))
    service.refresh()
    assert len(service.fixtures.rows) == 3


def test_a_fixture_list_that_cannot_be_read_leaves_the_old_one(service: ForecastService) -> None:
    service.bucket.write("tables/fixture_predictions.parquet", b"no table")
    service.refresh()
    assert len(service.fixtures.rows) == 1368
    assert answers_of(service)[0] == 1


# The log


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading of the service's performance counter is 12.5678 ms after the one before."""
    looks = count(start=1)
    counter = SimpleNamespace(monotonic=time.monotonic, perf_counter=lambda: next(looks) * 0.0125678)
    monkeypatch.setattr(service_module, "time", counter)


@pytest.mark.usefixtures("clock")
def test_latency_is_that_of_the_whole_answer_in_milliseconds_and_inference_a_part_of_it(
    service: ForecastService,
) -> None:
    service.answer(QUERIES)

    assert [record["latency_ms"] for record in logged(service)] == [37.703] * 3
    assert metric(service, "inference_seconds_count") == 1
    assert metric(service, "inference_seconds_sum") == pytest.approx(0.0125678)


@pytest.mark.usefixtures("clock")
def test_latency_of_given_histories_is_that_of_their_inference(service: ForecastService) -> None:
    service.answer_custom(CustomQuery("given", "eng.1", CustomTeam(), CustomTeam()))

    assert [record["latency_ms"] for record in logged(service)] == [12.568]
    assert metric(service, "inference_seconds_sum") == pytest.approx(0.0125678)


def test_a_new_service_has_no_error_before_it_has_looked_for_a_model(tmp_path: Path) -> None:
    service = ForecastService(LocalBucket(tmp_path / "bucket"), tmp_path / "scratch", ServingMetrics())

    assert (service.model, service.model_error, service.config_error) == (None, None, None)
    with pytest.raises(NotReady, match="^No model is loaded yet: try again in a moment.$"):
        service.ready()


def test_a_query_on_which_the_model_fails_does_not_fail_the_others(
    service: ForecastService,
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    serving_log: ServingLog,
) -> None:
    forecast = ServedModel.forecast

    def fail_for_bayern(
        model: ServedModel, queries: Sequence[FixtureQuery], *others: Any
    ) -> list[MatchForecast | FootballError]:
        if any(query.fixture.home_team.startswith("FC Bayern") for query in queries):
            raise RuntimeError("a secret of the model")
        return forecast(model, queries, *others)

    monkeypatch.setattr(ServedModel, "forecast", fail_for_bayern)
    client = make_client(service)
    fixtures = [
        {"league": asked.league, "home_team": asked.home_team, "away_team": asked.away_team}
        for _, _, asked, _ in QUERIES
    ]

    _, outcomes = service.answer(QUERIES)
    alone = client.post("/predict", json=fixtures[1], headers={"X-Request-ID": "alone"})
    batch = client.post("/predict/batch", json={"fixtures": fixtures}, headers={"X-Request-ID": "batch"})

    assert [type(outcome) for outcome in outcomes] == [MatchForecast, RuntimeError, MatchForecast]
    assert (alone.status_code, batch.status_code) == (500, 200)
    problem = batch.json()["forecasts"][1]["problem"]
    assert problem["status"] == 500
    assert problem["detail"].endswith("its log has the cause under batch/1.")
    assert ["fixture" in item for item in batch.json()["forecasts"]] == [True, False, True]
    assert "secret" not in alone.text + batch.text
    for failure in ("Request alone to /predict failed", "Request batch/1 to /predict/batch failed"):
        traceback = serving_log.text().partition(failure + "\n")[2]
        assert "RuntimeError: a secret of the model" in traceback.partition("Request")[0]
    kept = ["r/0", "r/2", "batch/0", "batch/2"]
    assert [record["request_id"] for record in logged(service)] == kept


def test_a_closed_service_leaves_its_log_in_the_bucket(service: ForecastService) -> None:
    service.answer(QUERIES)
    service.close()
    assert logged(service) == []
    (segment,) = service.bucket.list(f"{SEGMENTS}/")
    lines = list(segment_lines(service.bucket.read(segment.name)))
    assert [line.record and line.record["request_id"] for line in lines] == ["r/0", "r/1", "r/2"]
    written = sum(len(line.content) + 1 for line in lines)
    assert metric(service, "prediction_log_bytes_total") == written
