"""`make faults`: fault injection on a running `football serve` under load.

    python -m benchmarks.speed.faults [kill] [swap] [saturate] [scale] [slow] [end]    all six by default

- kill: a replica is killed. Every answered request is in the prediction log; all replicas answer again within 15 s.
- swap: the served version changes 20 times, by alias and by `user_config`. No request fails, no answer mixes versions.
- saturate: four times the capacity is offered. Memory stays bounded, 503 responses are complete, capacity recovers.
- scale: replicas come with the load and go with it.
- slow: 110 clients send a part of a request. They get 408; all others, `/health` and `/ready` are answered.
- end: SIGTERM to the process group, SIGKILL to the command. 5 s after it has ended nothing runs; the port is free.

Each prints a summary and its figures as JSON. Exit code 1 if a check fails.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.speed.fault_kill import kill
from benchmarks.speed.fault_saturate import saturate
from benchmarks.speed.fault_scale import scale
from benchmarks.speed.fault_swap import SWAPS, swap
from benchmarks.speed.interruptions import end, slow
from benchmarks.speed.outcome import Outcome
from benchmarks.speed.workload import Workload, prepared


def main() -> int:
    """Cause the faults asked for; exit code 1 if a promise is broken."""
    faults: dict[str, Callable[[Workload, argparse.Namespace], Outcome]] = {
        "kill": kill,
        "swap": swap,
        "saturate": saturate,
        "scale": scale,
        "slow": slow,
        "end": end,
    }
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(faults))
    parser.add_argument(
        "--home", type=Path, help="home with a production model; default: as of bench_serve.py"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--replicas", type=int, default=2, help="of all faults but scale")
    parser.add_argument("--swaps", type=int, default=SWAPS)
    parser.add_argument("--saturated-seconds", type=float, default=60)
    parser.add_argument("--scale-seconds", type=float, default=40, help="of the load step")
    parser.add_argument("--most-replicas", type=int, default=2, help="bound of the autoscaling")
    arguments = parser.parse_args()
    if unknown := set(arguments.faults) - set(faults):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}: choose from {', '.join(faults)}")
    outcomes = []
    for name in arguments.faults or faults:
        with prepared(arguments.home) as workload:
            outcome = faults[name](workload, arguments)
        outcomes.append({"fault": name, "broken": outcome.broken, **outcome.figures})
        sys.stdout.write(json.dumps(outcomes[-1]) + "\n")
        sys.stdout.flush()
    if arguments.json:
        arguments.json.write_text(json.dumps(outcomes, indent=2) + "\n", encoding="utf-8")
    return 1 if any(outcome["broken"] for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
