"""Test the container images, isolated from this machine: `make image-test`.

Each container has no network, a read-only root, no capability and no other user than that of the image. The pipeline
image runs the demo on a volume; the image of the endpoint serves the model from it and is asked by a container that
shares its network. Then it is killed, started again and stopped, and the Dagster UI is started and stopped.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from football_assets_tests.builders.import_hiding import FORBIDDEN_IN_SERVE

PIPELINE, SERVE = "football-assets-pipeline", "football-assets-serve"
WITHOUT_KEY = ("football", "serve", "--without-key")  # no network reaches these containers
BUDGET_BYTES = {PIPELINE: 2_200_000_000, SERVE: 1_000_000_000}
START_SECONDS, STOP_SECONDS, DEMO_SECONDS = 300, 90, 1800
USER = "10001:10001"
ISOLATED = (
    *("--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--no-healthcheck"),
    *("--security-opt", "no-new-privileges"),
)
HELP = (
    "Neither podman nor docker is here. Debian and Ubuntu: apt-get install podman buildah; others: docker's own pages. "
    "CONTAINER_ENGINE names another command."
)
ASK = """
import json, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:8000" + sys.argv[1], sys.argv[2].encode() or None)
request.add_header("Content-Type", "application/json")
with urllib.request.urlopen(request, timeout=30) as response:
    print(response.read().decode())
"""
KILL_REPLICA = """
import psutil
replicas = [process for process in psutil.process_iter() if " ".join(process.cmdline()).startswith("ray::ServeReplica")]
for process in replicas:
    process.kill()
print(len(replicas))
"""
MATCH = json.dumps({"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"})
OWNED_BY_OTHERS = "find /opt /licenses /home ! -user root -o -type f -perm -o+w"


class ImageFault(Exception):
    """A check of an image has failed."""


@dataclass(frozen=True)
class Engine:
    """A container engine: the words of its command."""

    words: tuple[str, ...]
    tag: str

    def __call__(self, *arguments: str, seconds: float = 120, check: bool = True) -> str:
        """Run a command of the engine; returns what it prints."""
        done = subprocess.run(
            [*self.words, *arguments], capture_output=True, text=True, timeout=seconds, check=False
        )
        if check and done.returncode != 0:
            raise ImageFault(f"{shlex.join(arguments)}: {(done.stdout + done.stderr)[-2000:]}")
        return done.stdout.strip()

    def image(self, name: str) -> str:
        """Return the full name of an image."""
        return f"{name}:{self.tag}"

    def in_image(self, name: str, *command: str, options: tuple[str, ...] = (), seconds: float = 120) -> str:
        """Run a command to its end in an isolated container."""
        return self("run", "--rm", *ISOLATED, *options, self.image(name), *command, seconds=seconds)


def find_engine(tag: str) -> Engine:
    """Find podman or docker, or the command that CONTAINER_ENGINE names.

    Raises
    ------
    ImageFault
        There is none.
    """
    named = os.environ.get("CONTAINER_ENGINE", "")
    words = shlex.split(named) or [name for name in ("podman", "docker") if shutil.which(name)][:1]
    if not words:
        raise ImageFault(HELP)
    return Engine(tuple(words), tag)


def check_size(engine: Engine, name: str) -> str:
    """Compare the size of an image, uncompressed, with its budget."""
    size = int(engine("image", "inspect", "--format", "{{.Size}}", engine.image(name)))
    if size > BUDGET_BYTES[name]:
        raise ImageFault(f"{name} has {size / 1e9:.2f} GB, at most {BUDGET_BYTES[name] / 1e9:.1f} GB")
    return f"{size / 1e9:.2f} GB of at most {BUDGET_BYTES[name] / 1e9:.1f} GB"


def check_user_and_files(engine: Engine, name: str) -> str:
    """Check that the image's user is a number, and that no file belongs to it or may be written by it."""
    user = engine("image", "inspect", "--format", "{{.Config.User}}", engine.image(name))
    if user != USER:
        raise ImageFault(f"{name} runs as {user or 'root'}")
    if found := engine.in_image(name, "sh", "-c", OWNED_BY_OTHERS):
        raise ImageFault(f"{name}: {found[:500]} belongs to another user than root or may be written")
    licences = engine.in_image(name, "ls", "/licenses").split()
    expected = {"football-assets-Apache-2.0.txt"} | ({"HAProxy-GPL-2.0.txt"} if name == SERVE else set())
    if set(licences) != expected:
        raise ImageFault(f"{name} has the licences {licences}")
    return f"user {user}, files of root, {len(licences)} licences"


def check_imports(engine: Engine) -> str:
    """Check that the image of the endpoint has no library of the pipeline, and each image passes `pip check`'s aim."""
    code = f"import importlib.util as u; print(*(n for n in {FORBIDDEN_IN_SERVE!r} if u.find_spec(n)))"
    if found := engine.in_image(SERVE, "python", "-c", code):
        raise ImageFault(f"{SERVE} has {found}")
    missing = "the extra pipeline of the package"
    with_error = f"football demo 2>&1 | grep -c '{missing}'"
    if engine.in_image(SERVE, "sh", "-c", with_error) != "1":
        raise ImageFault(f"{SERVE}: `football demo` does not name the missing extra")
    return f"none of {len(FORBIDDEN_IN_SERVE)} libraries of the pipeline"


def run_demo(engine: Engine, volume: str) -> str:
    """Run the demo in the pipeline image; returns the scores."""
    options = ("--shm-size", "1g", "--volume", f"{volume}:/data")
    engine.in_image(
        PIPELINE, "football", "demo", "--json", "/data/demo.json", options=options, seconds=DEMO_SECONDS
    )
    figures = json.loads(engine.in_image(PIPELINE, "cat", "/data/demo.json", options=options))
    if figures["model_version"] != 1 or figures["fixtures_forecast"] == 0:
        raise ImageFault(f"the demo has put no model into production: {figures}")
    log_loss = figures["test"]["log_loss"]
    return f"log loss {log_loss:.4f}, {figures['fixtures_forecast']} fixtures, {figures['seconds']:.0f} s"


@contextmanager
def started(engine: Engine, name: str, volume: str, *command: str) -> Iterator[str]:
    """Run a container in the background while the block runs, and yield its name. A failed block prints its log."""
    container = f"football-{uuid4().hex[:8]}"
    engine(
        *(
            "run",
            "--detach",
            "--name",
            container,
            *ISOLATED,
            "--shm-size",
            "1g",
            "--volume",
            f"{volume}:/data",
        ),
        *(engine.image(name), *command),
    )
    try:
        yield container
    except BaseException:
        print(engine("logs", container, check=False)[-4000:], file=sys.stderr)
        raise
    finally:
        engine("rm", "--force", container, check=False)


def wait_until(what: str, holds: Callable[[], bool], seconds: float = START_SECONDS) -> float:
    """Wait until something holds; returns the seconds that it took."""
    begun = time.monotonic()
    while not holds():
        if time.monotonic() - begun > seconds:
            raise ImageFault(f"{what} took more than {seconds:.0f} s")
        time.sleep(1)
    return time.monotonic() - begun


def healthy(engine: Engine, container: str, *expected: str) -> bool:
    """Tell whether `football health` finds some servers in a container, and all of them answer."""
    shown = engine("exec", container, "football", "health", check=False)
    return all(f"{server}: healthy" in shown for server in expected)


def ask(engine: Engine, container: str, path: str, body: str = "") -> str:
    """Ask the endpoint of a container from another container, which shares the network of the first."""
    isolated = [word if word != "none" else f"container:{container}" for word in ISOLATED]
    command = ("python", "-c", ASK, path, body)
    return engine("run", "--rm", *isolated, engine.image(SERVE), *command, check=False)


def stop(engine: Engine, container: str) -> float:
    """Stop a container as an orchestrator does; returns the seconds that it took."""
    begun = time.monotonic()
    engine("stop", "--time", str(STOP_SECONDS), container, seconds=STOP_SECONDS + 30)
    took = time.monotonic() - begun
    code = engine("inspect", "--format", "{{.State.ExitCode}}", container)
    if code != "0" or took >= STOP_SECONDS:
        raise ImageFault(f"after SIGTERM the command ended with exit code {code} in {took:.0f} s")
    return took


def serve_forecasts(engine: Engine, volume: str) -> Iterator[str]:
    """Serve, kill a replica, kill and restart the container, and stop it; yield one line per step."""
    with started(engine, SERVE, volume, *WITHOUT_KEY) as container:
        took = wait_until(
            "the endpoint", lambda: healthy(engine, container, "HTTP endpoint on 127.0.0.1:8000")
        )
        wait_until("a model", lambda: bool(ask(engine, container, "/ready")))
        forecast = json.loads(ask(engine, container, "/predict", MATCH))
        total = sum(forecast["probabilities"].values())
        if abs(total - 1) > 1e-6 or forecast["model_version"] != 1:
            raise ImageFault(f"not a forecast of version 1: {forecast}")
        yield f"a forecast from another container after {took:.0f} s"

        if engine("exec", container, "python", "-c", KILL_REPLICA) == "0":
            raise ImageFault("no process of a replica was found")
        took = wait_until("another replica", lambda: bool(ask(engine, container, "/predict", MATCH)))
        yield f"a forecast {took:.0f} s after its replica was killed"

        engine("kill", "--signal", "KILL", container)
    with started(engine, SERVE, volume, *WITHOUT_KEY) as container:
        wait_until("a forecast after SIGKILL", lambda: bool(ask(engine, container, "/predict", MATCH)))
        yield "a forecast from a new container after SIGKILL of the first"
        yield f"stopped in {stop(engine, container):.0f} s with exit code 0"


def open_ui(engine: Engine, volume: str) -> str:
    """Start the Dagster UI with its daemon, and stop it."""
    with started(engine, PIPELINE, volume) as container:
        servers = ("webserver on 127.0.0.1:3000", "daemon")
        took = wait_until("the Dagster UI", lambda: healthy(engine, container, *servers))
        return f"UI and daemon healthy after {took:.0f} s, stopped in {stop(engine, container):.0f} s"


def main() -> int:
    """Check the images one step after the other; returns 1 after the first fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", required=True, help="Tag of both images.")
    arguments = parser.parse_args()
    try:
        engine = find_engine(arguments.tag)
        for name in (PIPELINE, SERVE):
            print(f"{name}: {check_size(engine, name)}; {check_user_and_files(engine, name)}", flush=True)
        print(f"{SERVE}: {check_imports(engine)}", flush=True)
        volume = f"football-{uuid4().hex[:8]}"
        try:
            print(f"demo: {run_demo(engine, volume)}", flush=True)
            for seen in serve_forecasts(engine, volume):
                print(f"serve: {seen}", flush=True)
            print(f"pipeline: {open_ui(engine, volume)}", flush=True)
        finally:
            engine("volume", "rm", "--force", volume, check=False)
    except (ImageFault, subprocess.TimeoutExpired) as error:
        print(f"image-test: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
