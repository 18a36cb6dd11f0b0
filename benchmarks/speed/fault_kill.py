"""The fault `kill` of `faults.py`: a replica is killed under load."""

import argparse
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed.health_watch import POLL_SECONDS, HealthWatch, wait_for_replicas
from benchmarks.speed.load_process import start_load
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.servers import forecast_server, say
from benchmarks.speed.workload import Workload

RECOVERY_SECONDS = 15


def kill(workload: Workload, arguments: argparse.Namespace) -> Outcome:
    """SIGKILL a replica while single and batch requests are being answered."""
    outcome = Outcome("kill")
    say(f"kill: SIGKILL to one of {arguments.replicas} replicas under load …")
    ids = [workload.home / "single.ids", workload.home / "batch.ids"]
    with forecast_server(workload.home, replicas=arguments.replicas) as server:
        before = wait_for_replicas(server, arguments.replicas)
        with (
            start_load(server.port, workload.single, seconds=40, connections=16, ids=ids[0]) as single,
            start_load(
                server.port, workload.batch, seconds=40, connections=1, path="/predict/batch", ids=ids[1]
            ) as batch,
        ):
            time.sleep(8)
            victim = server.replicas()[0]
            os.kill(victim, signal.SIGKILL)
            killed = time.perf_counter()
            with HealthWatch(server) as watch:
                while single.is_running() and len(watch.answering_since(killed) - before) < 1:
                    time.sleep(POLL_SECONDS)
                recovered = time.perf_counter() - killed
                is_recovered = len(watch.answering_since(killed) - before) >= 1
            singles, batches = single.figures(), batch.figures()
        after = wait_for_replicas(server, arguments.replicas)
    answered = [line for file in ids for line in file.read_text().splitlines()]
    logged = Counter(logged_ids(workload))
    missing = [identifier for identifier in answered if identifier not in logged]
    twice = sum(count > 1 for count in logged.values())
    outcome.figures |= {
        "answered": len(answered),
        "not_in_log": len(missing),
        "logged_twice": twice,
        "failed_requests": singles.failed + batches.failed,
        "statuses": _added(singles.statuses, batches.statuses),
        "errors": _added(singles.errors, batches.errors),
        "unclean": _added(singles.unclean, batches.unclean),
        "seconds_without_answer": round(singles.longest_gap_seconds, 3),
        "seconds_to_recovery": round(recovered, 2),
        "timeline": singles.timeline,
    }
    say(
        f"  {len(answered):,} answered forecasts, {len(missing)} of them not in the log, {twice} twice; "
        f"{outcome.figures['failed_requests']} of {singles.sent + batches.sent:,} requests failed "
        f"({outcome.figures['statuses']}, {outcome.figures['errors']}); no answer for "
        f"{singles.longest_gap_seconds:.2f} s at most, a new replica answered after {recovered:.1f} s."
    )
    outcome.promise(bool(answered) and not missing, "every answered request is in the log")
    outcome.promise(not twice, "no request is in the log twice")
    outcome.promise(
        is_recovered and recovered < RECOVERY_SECONDS and len(after) >= arguments.replicas,
        f"all replicas answer again within {RECOVERY_SECONDS} s",
    )
    return outcome


def logged_ids(workload: Workload) -> Iterator[str]:
    """Every identifier in the prediction log: open segments in the spool, finished ones in the bucket."""
    from football_assets.storage.opening import open_bucket
    from serve.prediction_log import SEGMENTS, read_segment
    from serve.service import SPOOL

    bucket = open_bucket(str(workload.home / "bucket"))
    segments = {Path(item.name).name: bucket.read(item.name) for item in bucket.list(SEGMENTS)}
    spooled = (workload.home / "scratch" / SPOOL).glob("*.jsonl")
    # One that was uploaded but not removed from the spool is the same segment.
    segments |= {file.name: file.read_bytes() for file in spooled if file.name not in segments}
    for name, data in segments.items():
        for record in read_segment(data, name):
            yield record["request_id"]


def _added(*counts: dict[str, int]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total)
