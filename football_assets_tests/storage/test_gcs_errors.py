"""Errors of the Google Cloud Storage client: which are retried, and what a person reads about each."""

from types import SimpleNamespace

import pytest
import requests
from google.api_core.exceptions import Forbidden, NotFound, ServiceUnavailable, Unauthorized
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from football_assets.storage.gcs_errors import explain_client_error, is_transient, status_code


def invalid_response(status: int) -> InvalidResponse:
    response = SimpleNamespace(
        status_code=status, text="", json=lambda: {"error": {"message": "of the service"}}
    )
    return InvalidResponse(response, "an invalid response")


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ServiceUnavailable("busy"), True),
        (invalid_response(429), True),
        (invalid_response(400), False),
        (NotFound("no object"), False),
        (Forbidden("no"), False),
        (requests.ConnectionError("broken"), True),
        (requests.Timeout("slow"), True),
        (requests.exceptions.ChunkedEncodingError("cut"), True),
        (requests.exceptions.InvalidURL("no URL"), False),
        (TransportError(requests.ConnectionError("broken")), True),
        (TransportError(requests.exceptions.InvalidURL("no URL")), False),
        (RefreshError("revoked"), False),
        (RefreshError("busy", retryable=True), True),
        (DataCorruption(None, "checksum"), True),
        (ConnectionResetError("reset"), True),
        (ValueError("a fault of the program"), False),
    ],
)
def test_transient_errors_are_told_from_others(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


def test_an_error_without_an_answer_has_no_status() -> None:
    assert status_code(NotFound("no object")) == 404
    assert status_code(invalid_response(429)) == 429
    assert status_code(requests.ConnectionError("broken")) is None
    assert status_code(DataCorruption(None, "checksum")) is None


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            DefaultCredentialsError("none found"),
            r"There are no Google Cloud credentials for bucket gs://b/p \(none",
        ),
        (Unauthorized("expired"), r"credentials for bucket gs://b/p have expired or were revoked"),
        (
            Forbidden("me@example.org does not have storage.objects.get access"),
            r"^me@example.org may not read 'a' in bucket gs://b/p: it lacks the permission storage.objects.get\. ",
        ),
        (
            Forbidden("no"),
            r"^The account in use may not .* lacks the permission storage\.objects\.list \(no\)\.",
        ),
        (NotFound("no bucket"), r"^There is no bucket gs://b: create it"),
        (
            requests.ConnectionError("broken"),
            r"could not be reached to read 'a' for 60 s \(broken\): check the network",
        ),
        (ServiceUnavailable("busy"), r"could not read 'a' for 60 s \(503 busy\): try again later\."),
        (invalid_response(400), r"could not read 'a': 400 of the service\."),
    ],
)
def test_each_error_has_a_sentence_with_what_to_do(error: Exception, sentence: str) -> None:
    explained = explain_client_error(error, "gs://b/p", "read 'a'", "storage.objects.list", 60.0)

    with pytest.raises(type(explained), match=sentence):
        raise explained
