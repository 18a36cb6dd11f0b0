"""`football up` and `serve`."""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from football_assets.cli import main
from football_assets.runtime import processes
from football_assets.runtime.home import project_root
from football_assets.runtime.serve_discovery import UI_CLAIM, claimed
from football_assets.settings import Settings
from football_assets_tests.builders.command_states import FOOTBALL
from football_assets_tests.builders.ports import free_port


def test_an_endpoint_on_a_port_that_is_taken_is_refused(refused: Callable[..., str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert f"127.0.0.1:{port} cannot be listened on" in refused("serve", "--port", port)


def test_the_ui_on_a_port_that_is_taken_is_refused(refused: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = refused("up", "--no-serve", "--port", port)
    assert f"127.0.0.1:{port} cannot be listened on" in shown
    assert "FOOTBALL_PORT" in shown


def test_the_ui_on_an_unknown_host_is_refused(refused: Callable[..., str]) -> None:
    shown = refused("up", "--no-serve", "--host", "999.1.1.1")
    assert "Host 999.1.1.1 is not known" in shown
    assert "FOOTBALL_HOST" in shown


def test_the_ui_and_the_endpoint_on_one_port_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    port = str(free_port())
    assert main(["up", "--port", port, "--serve-port", port]) == 2
    assert f"cannot share port {port}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_second_server_on_a_home_is_refused_with_the_address_of_the_first(
    refused: Callable[..., str], home: Path, command: str
) -> None:
    with claimed(Settings(home=home), "football up", "http://127.0.0.1:3000"):
        shown = refused(command)
    assert f"`football up` already runs on home {home}, on http://127.0.0.1:3000" in shown


def test_a_key_that_is_too_short_is_refused_without_showing_it(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_API_KEY", "secret")

    shown = refused("serve")

    assert shown == "football: FOOTBALL_API_KEY is not usable: the key has less than 8 characters.\n"


@pytest.mark.parametrize("command", ["serve", "up"])
def test_an_endpoint_for_other_machines_does_not_start_without_a_key(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("FOOTBALL_SERVE_HOST", "0.0.0.0")
    shown = refused(command)
    assert "On host 0.0.0.0 the endpoint would answer other machines without a key" in shown
    assert "FOOTBALL_SERVE_WITHOUT_KEY=true" in shown


def test_further_keys_that_are_too_short_are_refused_without_showing_them(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTBALL_API_KEY", "a key of a test")
    monkeypatch.setenv("FOOTBALL_API_KEYS", "another key,secret")

    shown = refused("serve")

    assert shown == "football: FOOTBALL_API_KEYS is not usable: a key has less than 8 characters.\n"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Command lines of what a command would run, by name; nothing is started, and `up` ends with 5."""
    found: dict[str, list[str]] = {}

    def run_together(programs: Mapping[str, Sequence[str]], folder: Path, keep_open: Sequence[int]) -> int:
        found.update({name: list(command) for name, command in programs.items()})
        assert folder.is_dir()
        assert keep_open
        return 5

    monkeypatch.setattr(processes, "run_together", run_together)
    return found


def test_up_runs_dagster_and_the_endpoint_on_their_ports(
    programs: dict[str, list[str]], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()

    assert main(["up", "--host", "127.0.0.2", "--port", "3456", "--serve-port", str(port)]) == 5

    assert programs == {
        "dagster": [
            *(sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.2", "--port", "3456"),
            *("--workspace", str(project_root() / "workspace.yaml")),
        ],
        "serve": [*FOOTBALL, "serve", "--supervised", "--port", str(port)],
    }
    assert capsys.readouterr().err == f"Dagster UI on http://127.0.0.2:3456, home {home}. Ctrl-C ends it.\n"


def test_up_without_the_endpoint_runs_beside_a_server_of_the_home(
    programs: dict[str, list[str]], home: Path
) -> None:
    with claimed(Settings(home=home), "football serve", "http://127.0.0.1:8000"):
        assert main(["up", "--no-serve", "--port", str(free_port())]) == 5

    assert list(programs) == ["dagster"]


def test_up_without_the_endpoint_is_refused_a_second_time(refused: Callable[..., str], home: Path) -> None:
    with claimed(Settings(home=home), "football up", "http://127.0.0.1:3000", UI_CLAIM):
        assert "`football up` already runs" in refused("up", "--no-serve")


def test_serve_passes_address_and_replicas_on(programs: dict[str, list[str]]) -> None:
    port = str(free_port())

    assert main(["serve", "--port", port, "--replicas", "3"]) == 5

    arguments = ["--host", "127.0.0.1", "--port", port, "--replicas", "3"]
    assert programs == {"serve": [*FOOTBALL, "serve", "--supervised", *arguments]}


def test_an_option_starts_an_endpoint_for_other_machines_without_a_key(
    programs: dict[str, list[str]],
) -> None:
    port = str(free_port())

    assert main(["serve", "--host", "0.0.0.0", "--port", port, "--without-key"]) == 5

    arguments = ["--host", "0.0.0.0", "--port", port, "--without-key"]
    assert programs == {"serve": [*FOOTBALL, "serve", "--supervised", *arguments]}


@pytest.mark.parametrize(
    "variable", [("FOOTBALL_API_KEY", "a key of a test"), ("FOOTBALL_SERVE_WITHOUT_KEY", "true")]
)
def test_a_key_or_a_setting_starts_the_endpoint_of_up_for_other_machines(
    programs: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, variable: tuple[str, str]
) -> None:
    monkeypatch.setenv("FOOTBALL_SERVE_HOST", "0.0.0.0")
    monkeypatch.setenv(*variable)

    assert main(["up", "--serve-port", str(free_port())]) == 5

    assert list(programs) == ["dagster", "serve"]


@pytest.mark.parametrize("command", ["serve", "up"])
@pytest.mark.parametrize("variable", ["FOOTBALL_SIGNING_KEY", "FOOTBALL_VERIFY_KEYS"])
def test_a_server_whose_key_cannot_be_read_does_not_start(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))

    assert f"{variable} {tmp_path / 'missing.pem'} cannot be read: No such file or directory" in refused(
        command
    )
