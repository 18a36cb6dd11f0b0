"""A home of the benchmark's own with a production model, and requests for fixtures that the model knows."""

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import orjson

from benchmarks import ROOT

if TYPE_CHECKING:
    from football_assets.registry.store import Registry
from benchmarks.speed.servers import say, server_environment

FIXTURES = 2_000
BATCH = 1_000
_SHIFTED = "calibration_shift"
_SHIFT = (0.4, 0.0, -0.4)


@dataclass(frozen=True)
class Workload:
    """A home of the benchmark's own, and the requests to send: files of JSON bodies, one a line."""

    home: Path
    fixtures: list[dict[str, str]]
    single: Path
    batch: Path

    @property
    def registry(self) -> "Registry":
        """The registry of the home."""
        from football_assets.registry.store import Registry
        from football_assets.storage.opening import open_bucket

        return Registry(open_bucket(str(self.home / "bucket")))


@contextmanager
def prepared(home: Path | None) -> Iterator[Workload]:
    """A copy of a home with a production model, and requests for real fixtures of it.

    Parameters
    ----------
    home
        None: the repository's `football_home` if it has a production model, else one that `football demo` makes now.
    """
    with TemporaryDirectory(prefix="football-bench-") as folder:
        source = home or ROOT / "football_home"
        if home is None and not (source / "bucket" / "registry" / "aliases.json").is_file():
            source = Path(folder) / "demo"
            say("Making a model with `football demo` …")
            command = [sys.executable, "-m", "football_assets.cli", "--home", str(source), "demo"]
            subprocess.run(command, cwd=ROOT, env=server_environment(), check=True, capture_output=True)
        own = Path(folder) / "home"
        without_log = shutil.ignore_patterns("prediction_log")
        shutil.copytree(source / "bucket", own / "bucket", ignore=without_log)
        workload = Workload(own, [], own / "single.jsonl", own / "batch.jsonl")
        workload.fixtures.extend(real_fixtures(workload.registry, own / "scratch", FIXTURES))
        _write_lines(workload.single, workload.fixtures)
        bodies = cycle(workload.fixtures)
        _write_lines(workload.batch, [{"fixtures": list(islice(bodies, BATCH))} for _ in range(4)])
        yield workload


def real_fixtures(registry: "Registry", scratch: Path, count: int) -> list[dict[str, str]]:
    """Fixtures between teams of all leagues that the production model knows, in the fortnight after its results."""
    from football_assets.registry.predictor import load_team_state

    state = load_team_state(registry.open("production").load(scratch))
    chance = random.Random(0)
    pairs = []
    for league in state.leagues():
        teams = state.teams(league=league.league_id, limit=None)
        names = [team.team for team in teams if team.season == league.season]
        pairs += [(league.league_id, home, away) for home in names for away in names if home != away]
    chance.shuffle(pairs)
    return [
        {
            "league": league,
            "home_team": home,
            "away_team": away,
            "date": str(state.as_of + timedelta(days=chance.randint(1, 14))),
        }
        for league, home, away in islice(cycle(pairs), count)
    ]


def second_version(registry: "Registry", scratch: Path) -> int:
    """Publish the production model with its outcome logits shifted: a version whose forecasts differ everywhere."""
    import onnx
    from onnx import numpy_helper

    from football_assets.storage.model_files import MODEL

    folder = scratch / "shifted"
    folder.mkdir()
    for name, content in registry.open("production").load(scratch).files.items():
        (folder / name).write_bytes(content)
    model = onnx.load(folder / MODEL)
    weight = next(item for item in model.graph.initializer if item.name == _SHIFTED)
    values = numpy_helper.to_array(weight)
    weight.CopyFrom(numpy_helper.from_array((values + _SHIFT).astype(values.dtype), _SHIFTED))
    (folder / MODEL).unlink()
    onnx.save(model, folder / MODEL)
    return registry.publish(folder, registry.manifest("production").metadata)


def _write_lines(file: Path, items: Sequence[object]) -> None:
    file.write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in items))
