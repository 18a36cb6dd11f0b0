"""Messages to a real HTTP server that fails as the test says."""

import socket

import pytest

from football_assets.runtime.webhook import POST_ATTEMPTS, WebhookError, post_json
from football_assets_tests.builders.webhook_server import SECRET, Receiver


def test_a_message_arrives_as_json(receiver: Receiver) -> None:
    post_json(receiver.url, {"text": "Ärger", "steps": ["a"]})

    assert receiver.received == [(f"/hooks/{SECRET}", "application/json", {"text": "Ärger", "steps": ["a"]})]


def test_a_receiver_that_is_busy_is_asked_again_after_growing_pauses(receiver: Receiver) -> None:
    receiver.statuses = [503, 429]
    pauses: list[float] = []

    post_json(receiver.url, {"text": "x"}, pause=pauses.append)

    assert len(receiver.received) == 3
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    ("statuses", "asked"), [([500] * 9, POST_ATTEMPTS), ([404], 1), ([302], 1), ([0] * 9, POST_ATTEMPTS)]
)
def test_a_message_that_is_not_taken_is_an_error_without_the_address(
    receiver: Receiver, statuses: list[int], asked: int
) -> None:
    receiver.statuses = list(statuses)

    with pytest.raises(WebhookError, match="The webhook at 127.0.0.1") as caught:
        post_json(receiver.url, {"text": "x"}, timeout_seconds=0.2, pause=lambda seconds: None)

    assert len(receiver.received) == asked
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_receiver_that_is_not_there_is_an_error_without_the_address() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]

        with pytest.raises(WebhookError, match="did not answer") as caught:
            post_json(f"http://127.0.0.1:{port}/{SECRET}", {}, pause=lambda seconds: None)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", [SECRET, f"file:///etc/{SECRET}", f"https:///{SECRET}", f"ftp://host/{SECRET}"]
)
def test_what_is_no_web_address_is_refused_without_naming_it(url: str) -> None:
    with pytest.raises(WebhookError, match="FOOTBALL_WEBHOOK_URL is not an address") as caught:
        post_json(url, {})

    assert SECRET not in str(caught.value)
