"""`python -m benchmarks.speed.bench_compaction`: time and peak memory of compacting one day of the prediction log.

A day of ten million records is what one replica answers at saturation in two hours. Segments are of the size that
serving closes them at. The reference holds a day's rows in memory at once, as the first implementation did; it is
measured at fewer records, since ten million of them do not fit. Reading the day back, as the drift report does, and
checking it for repeated lines are measured as well.
"""

import argparse
import io
import random
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from benchmarks.speed.figures import CostFigure, report
from benchmarks.speed.processes import run_measured

RECORDS = 10_000_000
NAIVE_RECORDS = 500_000
MEMORY_LIMIT = 1.0  # GB
DAY = date(2026, 8, 1)
TABLE = f"tables/prediction_log/{DAY}.parquet"
FIXTURES = 2000
SEGMENT_RECORDS = 28_000  # some 16 MB
_KNOWN = 0.55  # share of the inputs that are known, as without odds and shots


def main() -> int:
    """Measure and print a table; exit code 1 if the limit of memory is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help="of the day")
    parser.add_argument("--naive-records", type=int, default=NAIVE_RECORDS, help="for the reference")
    parser.add_argument("--folder", type=Path, help="folder to work in: 1 GB per million records")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--bucket", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        CHILDREN[arguments.child](arguments.bucket, arguments.records)
        return 0
    with TemporaryDirectory(prefix="football-compaction-", dir=arguments.folder) as folder:
        figures = list(measure(Path(folder), arguments.records, arguments.naive_records))
    report(figures, f"{arguments.records:,} records of a day", "all in memory", "ratio")
    return 0 if all(figure.is_within_limit for figure in figures) else 1


def measure(folder: Path, records: int, naive_records: int) -> Iterator[CostFigure]:
    """Compact a day, add one more segment, read it back; and a smaller day in both ways."""
    small, naive = folder / "small", folder / "naive"
    run("write", small, naive_records)
    shutil.copytree(small, naive)
    seconds, peak = run("compact", small)
    naive_seconds, naive_peak = run("naive", naive)
    yield CostFigure(f"compaction of {naive_records:,} records", seconds, "s", naive=naive_seconds)
    yield CostFigure("  peak memory", peak, "GB", naive=naive_peak)
    large = folder / "large"
    run("write", large, records)
    size = sum(path.stat().st_size for path in large.rglob("*.gz"))
    yield CostFigure(f"{records:,} records, compressed segments", size / 1e9, "GB")
    for name, child in (
        ("compaction of the day", "compact"),
        ("compaction of a late segment of it", "late"),
        ("forecasts of the day joined with results", "read"),
        ("check for repeated lines", "check"),
    ):
        seconds, peak = run(child, large)
        yield CostFigure(name, seconds, "s")
        yield CostFigure("  peak memory", peak, "GB", limit=MEMORY_LIMIT)
    (table,) = large.rglob("*.parquet")
    yield CostFigure("table of the day", table.stat().st_size / 1e9, "GB")


def run(child: str, bucket: Path, records: int = 0) -> tuple[float, float]:
    """Seconds and peak memory in GB of a child process."""
    command = [sys.executable, "-m", "benchmarks.speed.bench_compaction", "--child", child]
    seconds, peak = run_measured([*command, "--bucket", str(bucket), "--records", str(records)])
    return seconds, peak / 1e9


def write_segments(folder: Path, records: int) -> None:
    """Child process: a bucket with a version and the segments of a day."""
    from football_assets.registry.store import Registry
    from football_assets.sequences.spec import DEFAULT_SPEC
    from football_assets.storage.local import LocalBucket

    bucket = LocalBucket(folder)
    with TemporaryDirectory() as bundle:
        DEFAULT_SPEC.save(Path(bundle))
        Registry(bucket).publish(Path(bundle), {})
    for number, start in enumerate(range(0, records, SEGMENT_RECORDS)):
        write_segment(folder, number, start / records, min(SEGMENT_RECORDS, records - start))


def write_segment(folder: Path, number: int, at: float, records: int) -> None:
    """One segment of the day; `at` is the share of the day that has passed."""
    from football_assets.storage.local import LocalBucket
    from football_assets.storage.log_segments import COMPRESSED, SEGMENTS, compress_segment

    generator = random.Random(number)
    bodies = list(fixture_bodies())
    moment = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(seconds=at * 86_000)
    lines = []
    for position in range(records):
        time = (moment + timedelta(milliseconds=position)).isoformat(timespec="microseconds")
        head = f'{{"request_id":"{generator.getrandbits(128):032x}","time":"{time}",'.encode()
        lines.append(head + generator.choice(bodies) + b'"latency_ms":%.3f}\n' % (1 + generator.random()))
    name = f"{SEGMENTS}/{DAY}/{'feedbeef' * 2}-{number:06}.jsonl{COMPRESSED}"
    LocalBucket(folder).write(name, compress_segment(iter(lines)))


def fixture_bodies() -> Iterator[bytes]:
    """What the records of some fixtures have in common, as JSON."""
    from football_assets.sequences.spec import DEFAULT_SPEC

    generator = random.Random(1)
    for number in range(FIXTURES):
        features = [
            round(generator.gauss(0, 1), 6) if generator.random() < _KNOWN else None
            for _ in DEFAULT_SPEC.context_names
        ]
        body = {
            "model_version": 1,
            "kind": "predict",
            "league_id": f"eng.{number % 5 + 1}",
            "home_team_id": f"eng:Team {number % 100}",
            "away_team_id": f"eng:Team {number // 100}",
            "kickoff_date": str(DAY + timedelta(days=number % 7)),
            "features": features,
            "p": [0.46, 0.27, 0.27],
            "xg": [1.512345, 1.123456],
            "inputs": "results",
        }
        yield orjson.dumps(body)[1:-1] + b","


def compact_day(folder: Path, _: int) -> None:
    """Child process: what the asset `prediction_log` does."""
    from football_assets.monitoring.compaction import compact
    from football_assets.storage.local import LocalBucket

    compact(LocalBucket(folder), folder.parent / "scratch")


def compact_late(folder: Path, _: int) -> None:
    """Child process: one more segment for a day that has its table."""
    write_segment(folder, 999_999, 1, 1000)
    compact_day(folder, 0)


def compact_in_memory(folder: Path, _: int) -> None:
    """Child process: the same, with all rows of the day in memory at once."""
    import polars as pl

    from football_assets.monitoring.log_records import FeatureNames, SegmentRecords
    from football_assets.registry.store import Registry
    from football_assets.storage.local import LocalBucket
    from football_assets.storage.log_segments import SEGMENTS, SegmentName

    bucket = LocalBucket(folder)
    names = FeatureNames(Registry(bucket))
    items = list(bucket.list(f"{SEGMENTS}/"))
    frames: list[pl.DataFrame] = []
    for item in items:
        name = SegmentName.parse(item.name)
        assert name is not None
        frames += SegmentRecords(name.file).frames(bucket.read(item.name), names)
    rows = pl.concat(frames, how="diagonal_relaxed")
    table = rows.clear()
    new = rows.join(table, on=["segment", "line"], how="anti")
    buffer = io.BytesIO()
    pl.concat([table, new]).sort("time", "segment", "line").write_parquet(buffer, compression="zstd")
    bucket.write(TABLE, buffer.getvalue())
    for item in items:
        bucket.delete(item.name, if_version=item.version)


def read_day(folder: Path, _: int) -> None:
    """Child process: what the drift report reads, with all inputs."""
    from football_assets.monitoring.log_tables import count_rows
    from football_assets.monitoring.results import forecasts_since
    from football_assets.storage.local import LocalBucket
    from football_assets_tests.builders.prediction_logs import no_matches

    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    found = forecasts_since(LocalBucket(folder), no_matches(), midnight, midnight + timedelta(days=2))
    if found["requests"].sum() != count_rows(LocalBucket(folder), TABLE):
        raise SystemExit("The forecasts are not of all records.")


def check_day(folder: Path, _: int) -> None:
    """Child process: what the check of the asset reads."""
    from football_assets.monitoring.log_tables import count_repeated
    from football_assets.storage.local import LocalBucket

    rows, repeated = count_repeated(LocalBucket(folder), TABLE)
    if repeated:
        raise SystemExit(f"{repeated:,} of {rows:,} rows are repeated.")


CHILDREN = {
    "write": write_segments,
    "compact": compact_day,
    "late": compact_late,
    "naive": compact_in_memory,
    "read": read_day,
    "check": check_day,
}

if __name__ == "__main__":
    sys.exit(main())
