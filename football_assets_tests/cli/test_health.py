"""`football health`: exit codes and messages for the health check of a container."""

import pytest

from football_assets.cli import main
from football_assets.runtime import health
from football_assets.runtime.health import Server

ENDPOINT = Server("HTTP endpoint", "127.0.0.1", 8000)
DAEMON = Server("daemon", "127.0.0.1", None)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> dict[Server, str | None]:
    """What runs, with the problem of each; a test fills it."""
    found: dict[Server, str | None] = {}
    monkeypatch.setattr(health, "running_servers", lambda port: list(found))
    monkeypatch.setattr(health, "problem_of", lambda server: found[server])
    return found


def test_a_machine_without_servers_is_healthy(
    servers: dict[Server, str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["health"]) == 0
    assert capsys.readouterr().out == ""


def test_every_server_is_listed_with_its_state(
    servers: dict[Server, str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    servers.update({ENDPOINT: None, DAEMON: None})

    assert main(["health"]) == 0
    assert capsys.readouterr().out == "HTTP endpoint on 127.0.0.1:8000: healthy\ndaemon: healthy\n"


def test_one_server_that_does_not_answer_fails_the_check(
    servers: dict[Server, str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    servers.update({ENDPOINT: "does not answer: ConnectError", DAEMON: None})

    assert main(["health"]) == 1
    assert (
        "football: HTTP endpoint on 127.0.0.1:8000 does not answer: ConnectError.\n"
        in capsys.readouterr().err
    )
