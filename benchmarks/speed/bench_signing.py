"""`python -m benchmarks.speed.bench_signing`: seconds that signatures add to registering and loading a model version.

The version is the production version of a home, by default that of `football demo`. A replica loads it as it does
after a start, in a process that has not verified it before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from football_assets.settings import Settings

REPETITIONS = 5
_LOAD = """
import json, sys, time
from pathlib import Path
from tempfile import TemporaryDirectory
from football_assets.registry.signature_policy import SignaturePolicy
from football_assets.registry.store import Registry
from football_assets.storage.opening import open_bucket
from serve.served_model import ServedModel
bucket, version, keys = sys.argv[1:]
policy = SignaturePolicy(verify_keys=(Path(keys),)) if keys else SignaturePolicy()
with TemporaryDirectory() as scratch:
    started = time.perf_counter()
    registry = Registry(open_bucket(bucket), policy)
    ServedModel.load(registry, int(version), Path(scratch), provider="cpu", threads=1)
    first = time.perf_counter()
    registry.open(int(version)).load(Path(scratch))
    sys.stdout.write(json.dumps([first - started, time.perf_counter() - first]))
"""


def main() -> int:
    """Measure and print seconds with and without signatures, and their ratios."""
    from football_assets.registry.signature_policy import SignaturePolicy
    from football_assets.registry.store import Registry
    from football_assets.storage.opening import open_bucket
    from football_assets_tests.builders.signing_keys import make_key

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Settings().home, help="home with a production version")
    source = Registry(open_bucket(str(parser.parse_args().home / "bucket")), SignaturePolicy())
    with TemporaryDirectory(prefix="football-signing-") as folder:
        bundle = source.open("production").load(Path(folder) / "scratch")
        size = sum(len(content) for content in bundle.files.values())
        key = make_key(Path(folder) / "keys")
        publish: dict[str, list[float]] = {"without": [], "with": []}
        load: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
        for repetition in range(REPETITIONS):
            for name, policy, keys in (
                ("without", SignaturePolicy(), ""),
                ("with", key.signing, str(key.public)),
            ):
                bucket = str(Path(folder) / f"{name}-{repetition}")
                started = time.perf_counter()
                version = Registry(open_bucket(bucket), policy).publish(bundle, {})
                publish[name].append(time.perf_counter() - started)
                load[name].append(_load(bucket, version, keys))
    _report("register a version", publish)
    _report("load a version, first time", {name: [item[0] for item in items] for name, items in load.items()})
    _report("load it again", {name: [item[1] for item in items] for name, items in load.items()})
    sys.stdout.write(f"Bundle of {size / 1e6:.1f} MB, median of {REPETITIONS}.\n")
    return 0


def _load(bucket: str, version: int, keys: str) -> tuple[float, float]:
    command = [sys.executable, "-c", _LOAD, bucket, str(version), keys]
    result = subprocess.run(command, env=os.environ, check=True, capture_output=True, text=True)
    first, again = json.loads(result.stdout)
    return first, again


def _report(step: str, seconds: dict[str, list[float]]) -> None:
    without, signed = (statistics.median(seconds[name]) for name in ("without", "with"))
    sys.stdout.write(
        f"{step:28} without {without:6.3f} s   with {signed:6.3f} s   ratio {signed / without:4.1f}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
