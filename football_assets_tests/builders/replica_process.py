"""A replica of Ray Serve in a process of its own, and what its API answers as its configuration changes.

A replica has metrics, settings and logging of its whole process.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.demo import publish_reversed
from football_assets_tests.builders.log_writers import logged
from football_assets_tests.builders.ray_private import start_replica
from football_assets_tests.builders.running import KEY, MATCH, Client

LIMITS = {"body_bytes": 2048, "requests_at_once": 16}
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60


@dataclass
class Observed:
    """What a replica did, in order of its configurations."""

    before: dict[str, Any] = field(default_factory=dict)  # /health before the first configuration
    rejected_at_first: list[tuple[int | str, ...]] = field(default_factory=list)  # places of the error
    sizes: tuple[float, float] = (0, 0)  # sum and number of batches
    statuses: dict[str, int] = field(default_factory=dict)
    after_an_invalid_one: dict[str, Any] = field(default_factory=dict)  # /health
    after_a_valid_one: dict[str, Any] = field(default_factory=dict)  # /health
    versions: dict[str, int] = field(default_factory=dict)
    answered: int = 0
    logged_before_the_end: int = 0
    logged: int = 0
    has_metrics_folder: bool = False


def observe_replica(home: Path) -> Observed:
    """Run a replica on a home whose production is version 1, through several configurations to its end."""
    os.environ |= {"FOOTBALL_HOME": str(home), "FOOTBALL_API_KEY": KEY}
    return asyncio.run(_observe(home))


async def _observe(home: Path) -> Observed:
    from serve.deployment import Forecaster
    from serve.metrics_folder import METRICS

    bucket, seen = LocalBucket(home / "bucket"), Observed()
    second = publish_reversed(bucket, home / "scratch")
    replica = await start_replica(Forecaster, LIMITS)
    client = Client(replica.__serve_build_asgi_app__(), key=KEY)

    async def health() -> dict[str, Any]:
        answer: dict[str, Any] = (await client.send("GET", "/health")).json()
        return answer

    async def version() -> int:
        answer = await client.send("POST", "/predict/batch", json={"fixtures": [MATCH]})
        seen.answered += 1
        return int(answer.json()["model_version"])

    seen.before = await health()
    try:
        await replica.reconfigure({"threads": 0})
    except ValidationError as error:
        seen.rejected_at_first = [item["loc"] for item in error.errors()]

    await replica.reconfigure({"poll_seconds": POLL_SECONDS, "max_batch_size": 4, "batch_wait_seconds": 60})
    answers = await asyncio.gather(*(client.send("POST", "/predict", json=MATCH) for _ in range(8)))
    seen.answered += sum(answer.status_code == 200 for answer in answers)
    seen.sizes = await _batch_sizes(client)
    seen.statuses = {
        "without the key": (await client.send("GET", "/leagues", headers={"X-API-Key": "x"})).status_code,
        "a body of the limit": (await client.send("POST", "/predict", content=b" " * 2048)).status_code,
        "a larger body": (await client.send("POST", "/predict", content=b" " * 2049)).status_code,
    }

    await replica.reconfigure({"versoin": second})
    seen.after_an_invalid_one = await health()
    seen.versions["after an invalid configuration"] = await version()
    await replica.reconfigure({"version": second, "poll_seconds": POLL_SECONDS})
    seen.after_a_valid_one = await health()
    seen.versions["by its number"] = await version()
    await replica.reconfigure({"poll_seconds": POLL_SECONDS})
    seen.versions["by the alias"] = await version()
    Registry(bucket).promote(second)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await health())["model_version"] != second:
            await asyncio.sleep(POLL_SECONDS)
    seen.versions["after a promotion"] = await version()

    seen.has_metrics_folder = (home / "scratch" / METRICS).is_dir()
    seen.logged_before_the_end = sum(map(len, logged(bucket).values()))
    await replica.__del__()
    seen.logged = sum(map(len, logged(bucket).values()))
    return seen


async def _batch_sizes(client: Client) -> tuple[float, float]:
    lines = (await client.send("GET", "/metrics")).text.splitlines()
    total, count = (
        float(line.split()[-1])
        for name in ("sum", "count")
        for line in lines
        if line.startswith(f"football_batch_size_{name} ")
    )
    return total, count
