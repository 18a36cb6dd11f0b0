"""Records, segments and writers of the prediction log."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import orjson

from football_assets.storage.bucket import Bucket
from serve.prediction_log import SEGMENTS, read_segment

SPAWN = get_context("spawn")


DAY = "2015-11-21"


class Clock:
    """Seconds that advance only when the test advances them."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def record(number: int, day: str = DAY, size: int = 100) -> dict[str, object]:
    return {
        "request_id": number,
        "time": f"{day}T12:00:00.000000Z",
        "home_team": "Bayern München",
        "away_team": "Łódź 北京",
        "padding": "x" * size,
    }


def logged(bucket: Bucket) -> dict[str, list[int]]:
    """Request ids by object."""
    return {
        item.name: [entry["request_id"] for entry in read_segment(bucket.read(item.name))]
        for item in bucket.list(f"{SEGMENTS}/")
    }


def ids(bucket: Bucket) -> list[int]:
    return sorted(number for numbers in logged(bucket).values() for number in numbers)


def files(spool: Path) -> list[str]:
    return sorted(path.name for path in spool.iterdir())


def leave_dead_segment(spool: Path, name: str, content: bytes) -> None:
    spool.mkdir(parents=True, exist_ok=True)
    (spool / f"{name}.jsonl").write_bytes(content)


def lines(*numbers: int) -> bytes:
    return b"".join(orjson.dumps(record(number)) + b"\n" for number in numbers)


def start(target: Callable[..., None], *arguments: object) -> tuple[SpawnProcess, Connection]:
    """A process, and what it sends; reading fails, rather than waits, once the process is dead."""
    receiver, sender = SPAWN.Pipe(duplex=False)
    child = SPAWN.Process(target=target, args=(*arguments, sender))
    child.start()
    sender.close()
    return child, receiver
