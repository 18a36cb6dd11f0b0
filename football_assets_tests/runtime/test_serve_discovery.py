"""What `football serve` says of itself to others of its home."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from football_assets.errors import FootballError
from football_assets.runtime.serve_discovery import (
    CLAIM,
    ServeUnreachable,
    announced,
    claimed,
    find_serve,
    make_token,
    serve_folder,
)
from football_assets.settings import Settings

URL = "http://127.0.0.1:8266"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_the_token_is_made_once_and_for_its_owner_alone(settings: Settings) -> None:
    file = make_token(settings)
    token = file.read_text()

    assert len(token) == 64
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    file.chmod(0o644)
    assert make_token(settings).read_text() == token
    assert file.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in file.parent.iterdir()] == ["token"]


def test_servers_that_start_at_once_share_one_token(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda _: make_token(settings), range(16)))

    assert len({file.read_text() for file in files}) == 1


def test_a_token_of_a_persons_choice_is_what_others_read(settings: Settings) -> None:
    make_token(settings)
    make_token(settings, "chosen by a person")

    with announced(settings, URL):
        assert find_serve(settings).token == "chosen by a person"


def test_a_running_server_is_found_with_its_token(settings: Settings) -> None:
    token = make_token(settings).read_text()

    with announced(settings, URL):
        found = find_serve(settings)
        assert (found.url, found.token) == (URL, token)

    with pytest.raises(ServeUnreachable, match="start `football serve`"):
        find_serve(settings)


def test_another_process_finds_the_server(settings: Settings) -> None:
    make_token(settings)
    code = (
        "from football_assets.runtime.serve_discovery import find_serve; "
        "from football_assets.settings import get_settings;"
        "print(find_serve(get_settings()).url)"
    )
    with announced(settings, URL):
        shown = subprocess.run(
            [sys.executable, "-c", code],
            env={"FOOTBALL_HOME": str(settings.home)},
            check=True,
            capture_output=True,
            text=True,
        )

    assert shown.stdout.strip() == URL


def test_what_a_killed_server_left_behind_misleads_nobody(settings: Settings) -> None:
    make_token(settings)
    code = (
        "import os, sys; from football_assets.runtime.serve_discovery import announced;"
        "from football_assets.settings import get_settings\n"
        f"with announced(get_settings(), {URL!r}): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], env={"FOOTBALL_HOME": str(settings.home)})
    assert killed.returncode == -9
    left = settings.home / "serve" / "running.json"
    assert json.loads(left.read_text())["url"] == URL

    with pytest.raises(ServeUnreachable):
        find_serve(settings)


def test_of_two_servers_of_a_home_the_later_is_found_also_when_the_earlier_ends(settings: Settings) -> None:
    make_token(settings)
    earlier = announced(settings, "http://127.0.0.1:8265")
    earlier.__enter__()
    with announced(settings, URL):
        assert find_serve(settings).url == URL
        earlier.__exit__(None, None, None)
        assert find_serve(settings).url == URL


def test_a_server_elsewhere_is_told_by_the_environment_and_gets_no_token_of_this_home(
    settings: Settings,
) -> None:
    make_token(settings)
    elsewhere = settings.model_copy(update={"serve_api": "http://ray-head:8265/"})

    with announced(settings, URL):
        assert find_serve(elsewhere).url == "http://ray-head:8265"
        assert find_serve(elsewhere).token is None
        with_token = elsewhere.model_copy(update={"serve_token": SecretStr("theirs")})
        assert find_serve(with_token).token == "theirs"


CLAIMING = (
    "import time; from football_assets.runtime.serve_discovery import claimed;"
    "from football_assets.settings import get_settings\n"
    "with claimed(get_settings(), 'football up', 'http://127.0.0.1:3000'):\n"
    "    print('claimed', flush=True)\n"
    "    time.sleep(600)"
)


@contextmanager
def another_command(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMING],
        env={"FOOTBALL_HOME": str(settings.home)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_command_on_a_home_is_refused_with_the_address_of_the_first(settings: Settings) -> None:
    with another_command(settings) as first, pytest.raises(FootballError) as refusal:
        claimed(settings, "football serve", URL).__enter__()

    message = str(refusal.value)
    for part in ("`football up`", str(settings.home), "http://127.0.0.1:3000", f"process {first.pid}"):
        assert part in message


def test_a_home_is_free_once_the_command_has_ended_or_was_killed(settings: Settings) -> None:
    with claimed(settings, "football serve", URL):
        pass
    with another_command(settings):
        pass
    with claimed(settings, "football up", URL):
        pass


def test_a_command_waits_while_what_a_killed_one_started_is_ended(settings: Settings) -> None:
    """The lock outlives the process that took it, as long as another one has the file open."""
    with ExitStack() as stack:
        first = claimed(settings, "football serve", URL)
        descriptor = first.__enter__()
        last = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[descriptor])
        )
        first.__exit__(None, None, None)
        file = serve_folder(settings) / CLAIM
        with subprocess.Popen([sys.executable, "-c", ""]) as ended:
            pass
        file.write_text(json.dumps({"command": "football serve", "address": URL, "pid": ended.pid}))

        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(claimed(settings, "football serve", URL).__enter__)
            with pytest.raises(TimeoutError):
                second.result(0.5)
            last.communicate(b"\n")
            assert second.result(30) > 0


def test_another_home_is_not_claimed(settings: Settings, tmp_path: Path) -> None:
    with another_command(settings), claimed(Settings(home=tmp_path / "other"), "football serve", URL):
        pass
