"""Measure runs from landing objects to tensors, each in a process of its own.

python -m benchmarks.speed.graph_run RESULT [COUNTRY ...]    the child process, in the home of FOOTBALL_HOME
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.processes import run_measured

WORK = "work"  # beside the assets in what the child writes: seconds of the run


@dataclass(frozen=True)
class GraphRun:
    """A run from landing objects to tensors in a process of its own."""

    seconds: float  # of the whole process
    peak: int  # bytes
    work: float  # seconds of the Dagster run alone
    matches: int
    assets: dict[str, float]  # seconds by asset


def measured_graph(data: Path, home: Path) -> GraphRun:
    """Land a folder in a new home, and measure the way to tensors."""
    from football_assets.raw.landing import land
    from football_assets.runtime.home import prepare_home
    from football_assets.storage.opening import open_bucket

    settings = prepare_home(home)
    land(open_bucket(settings.bucket_url), [data])
    return graph_in_child()


def graph_in_child(*countries: str) -> GraphRun:
    """Measure the way to tensors in this process's home, of some countries or all."""
    from football_assets.settings import get_settings
    from football_assets.storage.opening import open_bucket
    from football_assets.storage.tables import read_table

    settings = get_settings()
    result = settings.home / "graph.json"
    seconds, peak = run_measured(
        [sys.executable, "-m", "benchmarks.speed.graph_run", str(result), *countries]
    )
    assets = json.loads(result.read_bytes())
    matches = read_table(open_bucket(settings.bucket_url), "stg_matches", columns=["match_id"]).height
    return GraphRun(seconds, peak, assets.pop(WORK), matches, assets)


def main() -> None:
    """Run the graph as the child process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("result", type=Path, help="file for the seconds by asset")
    parser.add_argument("countries", nargs="*", help="countries to build; none: all")
    arguments = parser.parse_args()
    run_graph(arguments.result, arguments.countries)


def run_graph(result: Path, only: list[str]) -> None:
    """Child process: landing objects to tensors as one Dagster run; writes seconds by asset, and of the whole run."""
    from dagster import DagsterInstance

    from football_assets.definitions import defs
    from football_assets.orchestration.in_process_runs import (
        AssetFinished,
        Progress,
        materialize,
        steps_output_hidden,
    )
    from football_assets.orchestration.partitions import register_countries
    from football_assets.raw.countries import landed_countries
    from football_assets.raw.landing import inventory
    from football_assets.runtime.home import project_root
    from football_assets.settings import get_settings
    from football_assets.storage.opening import open_bucket

    seconds: dict[str, float] = {}

    def note(progress: Progress) -> None:
        if isinstance(progress, AssetFinished):
            seconds[progress.asset] = progress.seconds

    settings = get_settings()
    with DagsterInstance.get() as instance, steps_output_hidden():
        countries = landed_countries(inventory(open_bucket(settings.bucket_url)))
        register_countries(instance, countries)
        workspace = project_root() / "workspace.yaml"
        selection = "+sequence_tensors"
        run = materialize(
            defs, selection, instance=instance, countries=only or countries, workspace=workspace, report=note
        )
    seconds[WORK] = run.seconds
    result.write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    main()
