"""The directives with which HAProxy answers; `test_haproxy.py` reads the answers of a running one."""

import pytest

from serve.haproxy_problems import KEY_CHALLENGE, problem_directive


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, f" hdr WWW-Authenticate '{KEY_CHALLENGE}'"),
        (408, ""),
        (429, " hdr Retry-After 7"),
        (503, " hdr Retry-After 7"),
    ],
)
def test_a_directive_has_the_document_and_the_headers_of_its_status(status: int, headers: str) -> None:
    document = f'{{"type": "about:blank", "title": "A title", "status": {status}, "detail": "A detail"}}'
    assert problem_directive("http-error", status, "A title", "A detail", 7) == (
        f"http-error status {status} content-type application/problem+json{headers} string '{document}'"
    )
