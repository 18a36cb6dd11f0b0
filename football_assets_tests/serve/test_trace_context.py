"""The trace context of a request in the log and in the prediction log, and values that are not valid."""

from typing import Any

import httpx
import pytest

from football_assets_tests.builders.queries import logged
from football_assets_tests.builders.running import KEY, MATCH, Client, ServingLog
from football_assets_tests.serve.conftest import RealServer
from serve.api import build_api
from serve.backend import Backend
from serve.middleware import Limits
from serve.service import ForecastService
from serve.trace_context import MOST_CHARACTERS, TraceContext, read_trace_context

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{PARENT}-01"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
CUSTOM = {"league": "eng.1", "home": {"history": []}, "away": {"history": []}}


def read(traceparent: str, *tracestates: str) -> TraceContext | None:
    headers = [(b"host", b"a"), (b"traceparent", traceparent.encode())]
    return read_trace_context([*headers, *((b"tracestate", state.encode()) for state in tracestates)])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (VALID, VALID),
        (f" {VALID}\t", VALID),
        (f"00-{TRACE}-{PARENT}-fe", f"00-{TRACE}-{PARENT}-fe"),
        (f"01-{TRACE}-{PARENT}-03", f"00-{TRACE}-{PARENT}-01"),
        (f"cc-{TRACE}-{PARENT}-00-what-the-future-will-be-like", f"00-{TRACE}-{PARENT}-00"),
    ],
)
def test_a_valid_traceparent_is_kept_and_one_of_a_later_version_becomes_one_of_version_00(
    given: str, kept: str
) -> None:
    assert read(given) == TraceContext(kept, None)


@pytest.mark.parametrize(
    "given",
    [
        "",
        TRACE,
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01.",
        f"cc-{TRACE}-{PARENT}-01.more",
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}\n-{PARENT}-01",
        f"{VALID}\n",
        f"{VALID},{VALID}",
    ],
)
def test_an_invalid_traceparent_is_dropped_with_its_tracestate(given: str) -> None:
    assert read(given, STATE) is None


def test_none_or_two_traceparents_are_no_context() -> None:
    assert read_trace_context([(b"tracestate", STATE.encode())]) is None
    assert read_trace_context([(b"traceparent", VALID.encode())] * 2) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([STATE], STATE),
        (["rojo=1", " congo=2 ,, a@b=c d "], "rojo=1,congo=2,a@b=c d"),
        (["a_-*/9=!~"], "a_-*/9=!~"),
        ([], None),
        ([" , "], None),
        (["Rojo=1"], None),
        (["rojo"], None),
        (["rojo="], None),
        (["rojo=a=b"], None),
        (["rojo=é"], None),
        (["rojo=1,congo=2,rojo=3"], None),
        (["@b=1"], None),
        (
            [",".join(f"k{number}=v" for number in range(32))],
            ",".join(f"k{number}=v" for number in range(32)),
        ),
        ([",".join(f"k{number}=v" for number in range(33))], None),
        (["a=" + "x" * 257], None),
    ],
)
def test_a_tracestate_is_joined_and_an_invalid_one_dropped_alone(given: list[str], kept: str | None) -> None:
    assert read(VALID, *given) == TraceContext(VALID, kept)


def test_of_a_long_tracestate_whole_members_are_kept_the_first_and_short_ones_before_others() -> None:
    first, long, others = "a=1", "b=" + "x" * 200, [f"c{number}=" + "y" * 100 for number in range(5)]
    context = read(VALID, ",".join([first, long, *others]))
    assert context is not None
    assert context.tracestate == ",".join([first, *others[:4]])
    assert len(context.tracestate) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", MATCH),
        ("/predict?scores=true", MATCH),
        ("/predict/batch", {"fixtures": [MATCH, MATCH]}),
        ("/predict/sequences", CUSTOM),
    ],
)
def test_every_record_of_a_request_has_its_trace_context_and_no_other(
    service: ForecastService, path: str, body: dict[str, Any]
) -> None:
    client = Client(build_api(service, Backend(service), limits=Limits(), keys=()))
    answers = [
        client.post(path, json=body, headers=headers)
        for headers in (
            {"traceparent": VALID, "tracestate": STATE},
            {"traceparent": VALID},
            {"traceparent": "invalid", "tracestate": STATE},
            {},
        )
    ]
    client.close()

    assert [answer.status_code for answer in answers] == [200] * 4
    assert not [name for answer in answers for name in answer.headers if name.startswith("trace")]
    found: dict[str, set[tuple[Any, Any]]] = {}
    for record in logged(service):
        values = record.get("traceparent"), record.get("tracestate")
        found.setdefault(record["request_id"].partition("/")[0], set()).add(values)
    assert [found[answer.json()["request_id"]] for answer in answers] == [
        {(VALID, STATE)},
        {(VALID, None)},
        {(None, None)},
        {(None, None)},
    ]


@pytest.mark.ray
def test_a_running_server_logs_the_trace_context_behind_haproxy(real_server: RealServer) -> None:
    server = real_server.server
    named = {"X-API-Key": KEY, "traceparent": VALID, "tracestate": STATE}
    headers = [
        (name.encode(), value.encode()) for name, value in named.items()
    ]  # the key has letters beyond ASCII
    answer = httpx.post(f"{server.url}/predict", json=MATCH, headers=headers, timeout=60)

    assert answer.status_code == 200
    wanted = answer.json()["request_id"]
    records = [record for record in server.records() if record["request_id"] == wanted]
    assert {(record["traceparent"], record["tracestate"]) for record in records} == {(VALID, STATE)}


def test_the_log_line_of_a_failure_has_the_trace_context(
    service: ForecastService, serving_log: ServingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(build_api(service, Backend(service), limits=Limits(), keys=()))

    def fail(*_: object) -> None:
        raise ArithmeticError("a fault of the server")

    monkeypatch.setattr(service, "answer", fail)
    headers = {"X-Request-ID": "failed", "traceparent": VALID, "tracestate": STATE}
    answer = client.post("/predict", json=MATCH, headers=headers)
    client.post("/predict", json=MATCH, headers={"X-Request-ID": "without"})
    client.close()

    assert answer.status_code == 500
    assert (
        f"Request failed to /predict failed, traceparent={VALID} tracestate={STATE}\n" in serving_log.text()
    )
    assert "Request without to /predict failed\n" in serving_log.text()
