"""`make bench`: the figures that must not slip, each beside its limit and the naive way of doing the same.

Runs on the folder FOOTBALL_BENCH_DATA, else `../shared/data/footballcsv` where there is one, else the bundled results.
The limits hold for 252,000 matches on 2 cores. The time of the cold run holds all starts: of Python and Dagster.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks import ROOT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from football_assets.sequences.tensors import SequenceTensors
    from football_assets.storage.bucket import Bucket
    from football_assets.training.config import TrainingConfig
    from football_assets.training.inputs import BatchReader

FORBIDDEN = ("torch", "ray", "evidently", "wandb")
FEATURE_ASSETS = ("team_matches", "team_form", "team_ratings", "match_features")
NAIVE_MATCHES = 20_000  # the naive ways run on this many matches and are scaled up
NEW_MATCHES = 10
WORK = "work"  # beside the assets in what the child writes: seconds of the run
POLL_SECONDS = 0.05
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Figure:
    """One measurement. `naive` is the same work done the plain way, in the same unit."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    naive: float | None = None
    naive_way: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the naive way costs."""
        return self.naive / self.value if self.naive is not None else None

    @property
    def is_within_limit(self) -> bool:
        """Whether the limit holds; true without one."""
        return self.limit is None or self.value <= self.limit


def main() -> int:
    """Measure, print a table, write `--json`; exit code 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of landing files")
    parser.add_argument("--graph", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--countries", nargs="*", default=[], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.graph:
        run_graph(arguments.graph, arguments.countries)
        return 0
    with TemporaryDirectory(prefix="football-bench-") as home:
        figures = list(measure(arguments.data, Path(home)))
    report(figures, arguments.data)
    if arguments.json:
        records = [asdict(figure) | {"ratio": figure.ratio} for figure in figures]
        arguments.json.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def default_data() -> Path:
    """Folder of landing files to measure on."""
    from football_assets.sample import sample_folder

    named = os.environ.get("FOOTBALL_BENCH_DATA")
    if named:
        return Path(named)
    beside = ROOT.parent / "shared" / "data" / "footballcsv"
    return beside if beside.is_dir() else sample_folder()


def measure(data: Path, home: Path) -> Iterator[Figure]:
    """Every figure."""
    from football_assets.settings import get_settings
    from football_assets.storage.opening import open_bucket
    from football_assets.storage.tables import read_table

    whole = measured_graph(data, home)
    bucket = open_bucket(get_settings().bucket_url)
    matches = read_table(bucket, "stg_matches").sort("kickoff_date")
    yield Figure(f"landing files to tensors, cold, {whole.matches:,} matches", whole.seconds, "s", limit=45)
    yield Figure("peak memory of its processes", whole.peak / 2**30, "GiB", limit=2e9 / 2**30)
    yield from matchday_figure(bucket, whole)
    yield Figure(
        "features: " + ", ".join(FEATURE_ASSETS),
        sum(whole.assets[name] for name in FEATURE_ASSETS),
        "s",
        naive=naive_features(matches.head(NAIVE_MATCHES).to_dicts())
        * len(matches)
        / min(NAIVE_MATCHES, len(matches)),
        naive_way="a plain Python loop",
    )
    yield from training_figures(home)
    yield from loading_figures()


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
        [sys.executable, "-m", "benchmarks.speed.bench", "--graph", str(result), "--countries", *countries]
    )
    assets = json.loads(result.read_bytes())
    matches = read_table(open_bucket(settings.bucket_url), "stg_matches", columns=["match_id"]).height
    return GraphRun(seconds, peak, assets.pop(WORK), matches, assets)


def matchday_figure(bucket: "Bucket", whole: GraphRun) -> Iterator[Figure]:
    """The last ten results of one league are taken away, and land again: the run that follows is measured.

    Where results are no lines, as in the bundled ones, nothing is.

    Raises
    ------
    SystemExit
        The tables or arrays are not those of the run that made everything.
    """
    from football_assets.raw.landing import inventory

    newest = inventory(bucket).seasons[-1]
    lined = (item for item in inventory(bucket).objects if item.info.name.endswith(".csv"))
    item = next((item for item in lined if item.season == newest), None)
    if item is None:
        return
    complete, digest = bucket.read(item.info.name), tables_digest(bucket)
    bucket.write(item.info.name, b"\n".join(complete.splitlines()[:-NEW_MATCHES]) + b"\n")
    graph_in_child(item.league.country)
    bucket.write(item.info.name, complete)
    run = graph_in_child(item.league.country)
    if tables_digest(bucket) != digest:
        raise SystemExit(f"A new matchday of {item.info.name} gave other tables than a full rebuild.")
    by_asset = ", ".join(f"{name} {seconds:.1f}" for name, seconds in run.assets.items() if seconds >= 0.1)
    yield Figure(
        f"one new matchday ({item.league.league_id}) to tensors, work beyond process start: {by_asset}",
        run.work,
        "s",
        limit=15,
        naive=whole.work,
        naive_way="a full rebuild",
    )


def tables_digest(bucket: "Bucket") -> str:
    """Digest of the content of all tables and arrays, in order."""
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.tables import read_table

    digest = hashlib.blake2b()
    for name in ("stg_matches", "team_form", *FEATURE_ASSETS):
        digest.update(read_table(bucket, name).hash_rows().to_numpy().tobytes())
    for path in sorted(fetch(bucket, "sequence_tensors", Path()).glob("*.npy")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


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


def run_measured(command: list[str], memory: Callable[[int], int] | None = None) -> tuple[float, int]:
    """Seconds that a command takes, and the largest sum of memory of its processes, in bytes.

    `memory` of a process by its number; None: all that is resident.
    """
    memory = memory or resident_bytes
    started = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, cwd=ROOT) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(memory, process_tree(process.pid))))
            time.sleep(POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}")
    return time.perf_counter() - started, peak


def process_tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread ended meanwhile
            continue
        for child in children:
            yield from process_tree(int(child))


def resident_bytes(pid: int) -> int:
    """Resident memory of a process, 0 once it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def own_bytes(pid: int) -> int:
    """Resident memory of a process without the pages of files that it maps, which the system takes back at need."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def naive_features(matches: list[dict[str, Any]]) -> float:
    """Seconds for Elo, form over 5 and 10 matches, form by venue and season totals in a loop over dictionaries."""
    started = time.perf_counter()
    elo: defaultdict[str, float] = defaultdict(lambda: 1500.0)
    form: defaultdict[str, deque] = defaultdict(lambda: deque(maxlen=10))
    venue: defaultdict[tuple[str, bool], deque] = defaultdict(lambda: deque(maxlen=5))
    season: defaultdict[tuple[str, str], list] = defaultdict(lambda: [0, 0, 0])
    last_day: dict[str, object] = {}
    features = []
    for match in matches:
        teams = (match["home_team_id"], match["away_team_id"])
        row = {"match_id": match["match_id"]}
        for team, is_home in zip(teams, (True, False), strict=True):
            row |= {
                f"elo_{is_home}": elo[team],
                f"rest_{is_home}": (match["kickoff_date"], last_day.get(team)),
            }
            recent, recent_at_venue = list(form[team]), list(venue[team, is_home])
            for window in (recent[-5:], recent, recent_at_venue):
                for position in range(3):
                    values = [result[position] for result in window]
                    row[f"{is_home}_{len(row)}"] = sum(values) / len(values) if values else None
            row[f"season_{is_home}"] = tuple(season[team, match["season"]])
        features.append(row)
        if match["home_goals"] is None:
            continue
        goals = (match["home_goals"], match["away_goals"])
        expected = 1 / (1 + 10 ** ((elo[teams[1]] - elo[teams[0]] - 60) / 400))
        change = 20 * ((goals[0] > goals[1]) + 0.5 * (goals[0] == goals[1]) - expected)
        for side, team in enumerate(teams):
            scored, conceded = goals[side], goals[1 - side]
            points = 3 * (scored > conceded) + (scored == conceded)
            elo[team] += change if side == 0 else -change
            form[team].append((points, scored, conceded))
            venue[team, side == 0].append((points, scored, conceded))
            totals = season[team, match["season"]]
            totals[0] += points
            totals[1] += scored
            totals[2] += conceded
            last_day[team] = match["kickoff_date"]
    return time.perf_counter() - started


def training_figures(home: Path) -> Iterator[Figure]:
    """A training to its end, its epochs beside one that reads one row at a time, and what reading batches takes of it.

    On a GPU the time of the first epoch holds the start of its libraries.
    """
    from football_assets.sequences.tensors import open_tensors
    from football_assets.settings import get_settings
    from football_assets.storage.artifacts import fetch
    from football_assets.storage.opening import open_bucket
    from football_assets.training.config import TrainingConfig
    from football_assets.training.fit import fit_forecaster
    from football_assets.training.inputs import batch_reader
    from football_assets.training.split import split_by_time
    from football_assets.training.workers import Alone

    folder = fetch(open_bucket(get_settings().bucket_url), "sequence_tensors", home / "scratch")
    started = time.perf_counter()
    tensors = open_tensors(folder)
    config = TrainingConfig()
    split = split_by_time(tensors, config.split)
    fit = fit_forecaster(tensors, split, config)
    seconds = time.perf_counter() - started
    where = f"{len(split.train):,} matches, {fit.device}"
    yield Figure(
        f"training, {len(fit.epochs)} epochs of {where}",
        seconds,
        "s",
        limit=20 if fit.device == "cuda" else 180,
    )
    rows = split.train[:NAIVE_MATCHES]
    epoch = min(epoch.seconds for epoch in fit.epochs)
    yield Figure(
        f"its fastest epoch, {where}",
        epoch,
        "s",
        limit=8,
        naive=naive_epoch(tensors, rows, config) * len(split.train) / len(rows),
        naive_way="a DataLoader that reads one row at a time, on the CPU",
    )
    reader = batch_reader(tensors, Alone().device)
    yield Figure("of it reading batches", 100 * reading_seconds(reader, split.train, config) / epoch, "%")


def reading_seconds(reader: "BatchReader", rows: "NDArray[np.int64]", config: "TrainingConfig") -> float:
    """Seconds for reading one epoch's batches, each waited for, and nothing else."""
    import numpy as np
    import torch

    from football_assets.training.fit import batches, matches_per_step

    shuffled = list(batches(rows, matches_per_step(config, len(rows)), np.random.default_rng(0)))
    reader.read(shuffled[0])
    started = time.perf_counter()
    for batch in shuffled:
        reader.read(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    return time.perf_counter() - started


def naive_epoch(tensors: "SequenceTensors", rows: "NDArray[np.int64]", config: "TrainingConfig") -> float:
    """Seconds for one pass over some rows with a map-style data set."""
    import numpy as np
    import torch
    from torch.nn import functional
    from torch.utils.data import DataLoader, Dataset

    from football_assets.training.network import MatchForecaster

    class Rows(Dataset):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, position: int) -> tuple[torch.Tensor, ...]:
            row = rows[position]
            one = tensors.take(np.array([row]))
            arrays = (one.home_history[0], one.away_history[0], one.context[0], tensors.goals[row])
            return (
                *(torch.tensor(np.array(array)) for array in arrays),
                torch.tensor(int(tensors.outcome[row])),
            )

    network = MatchForecaster(tensors.spec, config.network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate)
    started = time.perf_counter()
    for home, away, context, goals, outcome in DataLoader(Rows(), batch_size=config.batch_size, shuffle=True):
        logits, log_rates = network.raw_outputs(home, away, context)
        loss = functional.cross_entropy(logits, outcome) + functional.poisson_nll_loss(
            log_rates, goals.float()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.perf_counter() - started


def loading_figures() -> Iterator[Figure]:
    """Loading the code location, without the interpreter's own start."""
    start = fastest([sys.executable, "-c", "pass"])
    validate = [sys.executable, "-m", "dagster", "definitions", "validate", "--workspace", "workspace.yaml"]
    imports = f"import {', '.join(FORBIDDEN)}"
    seconds = fastest(validate) - start
    yield Figure(
        "dagster definitions validate",
        seconds,
        "s",
        limit=4,
        naive=seconds + fastest([sys.executable, "-c", imports]) - start,
        naive_way=imports,
    )
    load = "import sys, football_assets.definitions as d; d.defs.get_repository_def().load_all_definitions()"
    yield Figure(
        "loading football_assets.definitions alone", fastest([sys.executable, "-c", load]) - start, "s"
    )
    loaded = f"{load}; print(*(name for name in {FORBIDDEN!r} if name in sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found = output.stdout.split()
    yield Figure(f"of {', '.join(FORBIDDEN)} imported by it", len(found), "", limit=0)


def fastest(command: list[str], repeats: int = 3) -> float:
    """The least of some runs, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return min(times)


def report(figures: list[Figure], data: Path) -> None:
    """Print the figures."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"Measured on {data}", title_justify="left")
    for column in ("figure", "measured", "limit", "naive way", "ratio"):
        table.add_column(column, justify="left" if column in ("figure", "naive way") else "right")
    for figure in figures:
        colour = "green" if figure.is_within_limit else "red"
        naive = f"{figure.naive:.1f} {figure.unit}: {figure.naive_way}" if figure.naive is not None else ""
        table.add_row(
            figure.name,
            f"[{colour}]{figure.value:.3g} {figure.unit}[/]",
            f"{figure.limit:.3g} {figure.unit}" if figure.limit is not None else "",
            naive,
            f"{figure.ratio:.1f}x" if figure.ratio is not None else "",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    sys.exit(main())
