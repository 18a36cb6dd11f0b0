"""The repository event of an object of the bucket, and the request that sends it to GitHub."""

import logging
import re
from dataclasses import dataclass
from typing import Any

import httpx

RESULTS = re.compile(r"raw/.+/[^/]+\.(json|csv)", re.IGNORECASE)
MANIFEST = re.compile(r"registry/versions/([1-9]\d{0,8})/manifest\.json")
TIMEOUT_SECONDS = 20.0
_TRANSIENT = {408, 429}


@dataclass(frozen=True)
class RepositoryEvent:
    """An event for `repository_dispatch`.

    Attributes
    ----------
    kind
        `results-landed` or `model-registered`, which `.github/workflows/data.yml` and `model.yml` wait for.
    payload
        What changed.
    """

    kind: str
    payload: dict[str, str]


def event_of(name: str, generation: str) -> RepositoryEvent | None:
    """Return the event for an object that was written, or None if nothing is to be validated.

    Parameters
    ----------
    name
        The object's name, without the prefix that the bucket's URL has.
    generation
        The object's generation.
    """
    if RESULTS.fullmatch(name):
        return RepositoryEvent("results-landed", {"object": name, "generation": generation})
    if found := MANIFEST.fullmatch(name):  # written last: from then on the version exists
        return RepositoryEvent("model-registered", {"version": found[1], "generation": generation})
    return None


def send(event: RepositoryEvent, *, api: str, repository: str, token: str) -> bool:
    """Send an event to a repository; returns whether GitHub accepted it.

    A rejection that no later attempt changes is logged, so that it is not sent again. So is a redirect, which is the
    answer for a repository that was renamed.

    Parameters
    ----------
    api
        Address of GitHub's REST API.
    repository
        `owner/name`.
    token
        A token that may write the repository's contents, as repository_dispatch requires.

    Raises
    ------
    httpx.HTTPError
        GitHub cannot be reached, is busy or limits the rate: the event is delivered again.
    """
    body: dict[str, Any] = {"event_type": event.kind, "client_payload": event.payload}
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}"}
    answer = httpx.post(
        f"{api}/repos/{repository}/dispatches", json=body, headers=headers, timeout=TIMEOUT_SECONDS
    )
    if answer.is_redirect or (answer.is_client_error and not _is_transient(answer)):
        logging.error(
            "GitHub rejected %s for %s with status %d: check that the repository exists under this name and that the "
            "token of the secret may write its contents.",
            event.kind,
            repository,
            answer.status_code,
        )
        return False
    answer.raise_for_status()
    return True


def _is_transient(answer: httpx.Response) -> bool:
    """Return whether a later request may succeed: GitHub answers with 403 or 429 where a rate limit is exceeded."""
    return answer.status_code in _TRANSIENT or (
        answer.status_code == httpx.codes.FORBIDDEN
        and (
            "retry-after" in answer.headers
            or answer.headers.get("x-ratelimit-remaining") == "0"
            or "rate limit" in answer.text.lower()
        )
    )
