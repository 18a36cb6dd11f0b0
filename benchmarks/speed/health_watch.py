"""Poll `/health` during a fault: which replicas answer, and from which version."""

import threading
import time
import urllib.error
import urllib.request
from collections import Counter

import orjson

from benchmarks.speed.servers import Server

POLL_SECONDS = 0.05
SETTLED_SECONDS = 1.0  # all answers in this time are by the new version: the swap is over


class HealthWatch:
    """Asks /health all the time, each time on a new connection, and notes who answered, and by which version."""

    def __init__(self, server: Server) -> None:
        self.statuses: Counter[str] = Counter()
        self._server = server
        self._seen: list[tuple[float, str, int | None]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "HealthWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def answering_since(self, moment: float) -> set[str]:
        """Replicas that have answered since."""
        return {replica for at, replica, _ in list(self._seen) if at >= moment}

    def is_settled(self, version: int, since: float) -> bool:
        """Whether only this version has answered for a while."""
        now = time.perf_counter()
        recent = [seen for at, _, seen in list(self._seen) if at >= max(since, now - SETTLED_SECONDS)]
        return now - since > SETTLED_SECONDS and len(recent) > 5 and set(recent) == {version}

    def last_other(self, version: int, since: float) -> float:
        """When another version answered last."""
        return max((at for at, _, seen in list(self._seen) if at >= since and seen != version), default=since)

    def _ask(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            try:
                with urllib.request.urlopen(f"{self._server.url}/health", timeout=10) as response:
                    health = orjson.loads(response.read())
            except urllib.error.HTTPError as error:
                self.statuses[str(error.code)] += 1
            except OSError as error:
                self.statuses[type(error).__name__] += 1
            else:
                self.statuses["200"] += 1
                self._seen.append((time.perf_counter(), health["replica"], health["model_version"]))


def wait_for_replicas(server: Server, count: int) -> set[str]:
    """Wait until so many replicas answer; who they are."""
    deadline = time.perf_counter() + 60
    seen: Counter[str] = Counter()
    while len(seen) < count and time.perf_counter() < deadline:
        seen[server.get("/health")["replica"]] += 1
        time.sleep(POLL_SECONDS)
    return set(seen)
