"""Errors of the Google Cloud Storage client: which are transient, and the error message for each."""

import re

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from football_assets.errors import BucketError

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_ROLE = "Storage Object User (roles/storage.objectUser)"
_LOGIN = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file"
CLIENT_ERRORS = (
    GoogleAPICallError,
    GoogleAuthError,
    InvalidResponse,
    DataCorruption,
    requests.RequestException,
    ConnectionError,
)


def is_transient(error: BaseException) -> bool:
    """Return whether the same call may succeed if it is repeated."""
    if isinstance(error, TransportError):
        return not error.args or not isinstance(error.args[0], Exception) or is_transient(error.args[0])
    if isinstance(error, GoogleAuthError):
        return bool(error.retryable)
    if isinstance(error, requests.RequestException):
        return isinstance(
            error,
            (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError),
        )
    return status_code(error) in _TRANSIENT or isinstance(error, (ConnectionError, DataCorruption))


def explain_client_error(
    error: BaseException, url: str, doing: str, permission: str, deadline_seconds: float
) -> BucketError:
    """Build the BucketError for an error of the client: what failed, why, and what to do.

    Parameters
    ----------
    url
        The bucket's, as the message names it.
    doing
        What the call was to do, after "could not".
    permission
        The permission of the service that the call needs.
    deadline_seconds
        How long transient errors were retried.
    """
    code, words = status_code(error), _words(error)
    if isinstance(error, DefaultCredentialsError):
        return BucketError(f"There are no Google Cloud credentials for bucket {url} ({words}): {_LOGIN}.")
    if isinstance(error, RefreshError) or code == 401:
        return BucketError(
            f"The Google Cloud credentials for bucket {url} have expired or were revoked ({words}): {_LOGIN}."
        )
    if code == 403:
        account = re.search(r"(\S+@\S+) does not have", words)
        denied = re.search(r"storage\.[a-zA-Z]+\.[a-zA-Z]+", words)
        who = account[1] if account else "The account in use"
        said = "" if denied else f" ({words})"
        return BucketError(
            f"{who} may not {doing} in bucket {url}: it lacks the permission "
            f"{denied[0] if denied else permission}{said}. Grant it the role {_ROLE} on the bucket."
        )
    if code == 404:
        name = url.removeprefix("gs://").partition("/")[0]
        return BucketError(f"There is no bucket gs://{name}: create it, or set FOOTBALL_BUCKET to another.")
    tried = f"for {deadline_seconds:.0f} s"
    if code is None and is_transient(error):
        return BucketError(
            f"Bucket {url} could not be reached to {doing} {tried} ({words}): check the network, and "
            "STORAGE_EMULATOR_HOST if you use a local server."
        )
    if code in _TRANSIENT:
        return BucketError(f"Bucket {url} could not {doing} {tried} ({code} {words}): try again later.")
    return BucketError(f"Bucket {url} could not {doing}: {code or type(error).__name__} {words}.")


def status_code(error: BaseException) -> int | None:
    """Return the HTTP status of an answer; None for an error without one."""
    if isinstance(error, DataCorruption):
        return None
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return int(error.code) if isinstance(error, GoogleAPICallError) and error.code else None


def _words(error: BaseException) -> str:
    """Return the message of the service or of the client, in one short line."""
    said = error.args[0] if error.args else type(error).__name__
    text = str(getattr(said, "reason", None) or said)  # of a connection, why it failed
    response = getattr(error, "response", None)
    if response is not None:
        try:
            text = response.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            text = response.text or text
    return " ".join(text.split()).rstrip(".")[:300]
