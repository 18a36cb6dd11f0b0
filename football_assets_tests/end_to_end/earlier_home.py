"""The home of an earlier release, as a file of this folder: `python -m football_assets_tests.end_to_end.earlier_home`.

Run it once at each release with the code of that release. It lands Austria's results of the sample, trains, registers
and promotes a version, forecasts the fixtures, answers requests, and packs the bucket without what can be rebuilt, and
Dagster's storage. `test_upgrade.py` reads the file with the present code.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from football_assets.monitoring.compaction import compact
from football_assets.runtime.home import project_root
from football_assets.sample import sample_folder
from football_assets.storage.log_segments import SEGMENTS, read_segment
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.running import fixture_query
from football_assets_tests.end_to_end.serving import COMMAND
from serve.metrics import ServingMetrics
from serve.service import ForecastService, ModelChoice

EXPECTED = "expected.json"
MATCH = ("at.1", "SK Rapid Wien", "SK Sturm Graz")
DAY = date(2016, 6, 1)
PACKED = ("bucket/registry", "bucket/raw", "bucket/prediction_log", "bucket/tables", "dagster")
LEFT_OUT = ("bucket/tables/match_features", "bucket/tables/team_", "dagster/storage", "dagster/dagster.yaml")


def homes() -> list[Path]:
    """The homes of earlier releases."""
    return sorted(Path(__file__).parent.glob("home-*.tar.xz"))


def unpack_home(file: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Unpack a home into a folder; return it with the answers and objects of its release."""
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    return folder, json.loads((folder / EXPECTED).read_text())


def make_home(home: Path) -> None:
    """Build a home with the present code, and write its contents beside it."""
    results = home.with_name("results")
    for season in sample_folder().iterdir():
        if season.is_dir():
            shutil.copytree(season, results / season.name, ignore=shutil.ignore_patterns("[!a]*.json"))
    for arguments in (
        ("land", results),
        ("materialize", "--select", "+registered_model"),
        ("models", "promote", "1"),
        ("materialize", "--select", "fixture_predictions"),
    ):
        subprocess.run([COMMAND, *arguments, "--home", home], check=True)
    bucket = open_bucket(str(home / "bucket"))
    probabilities = []
    for start in (
        0,
        2,
    ):  # the records of the first service are in the table, those of the second in a segment
        service = ForecastService(bucket, home / "scratch", ServingMetrics())
        service.load(ModelChoice())
        queries = [fixture_query(f"r{start + n}", "predict", *MATCH, DAY) for n in range(2)]
        probabilities = [outcome.probabilities for outcome in service.answer(queries)[1]]  # type: ignore[union-attr]
        service.close()
        if not start:
            compact(bucket)
    segments = [
        record for item in bucket.list(f"{SEGMENTS}/") for record in read_segment(bucket.read(item.name))
    ]
    expected = {"probabilities": probabilities[0], "in_table": ["r0", "r1"], "in_segments": len(segments)}
    (home / EXPECTED).write_text(json.dumps(expected))


def pack_home(home: Path, file: Path) -> None:
    """Pack a home.

    Raises
    ------
    ValueError
        A file holds a path of this machine.
    """

    def keep(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if entry.name.startswith(LEFT_OUT):
            return None
        if entry.isfile():
            content = (home / entry.name).read_bytes()
            for path in (project_root(), home.parent, Path(sys.base_prefix)):
                if str(path).encode() in content:
                    raise ValueError(
                        f"{entry.name} holds the path {path} of this machine: leave the file out."
                    )
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        return entry

    with tarfile.open(file, "w:xz", preset=9) as archive:
        for name in (*PACKED, EXPECTED):
            archive.add(home / name, name, filter=keep)


def main() -> None:
    """Write the home of the present release into this folder."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        make_home(home)
        pack_home(home, Path(__file__).with_name(f"home-{version('football-assets')}.tar.xz"))


if __name__ == "__main__":
    main()
