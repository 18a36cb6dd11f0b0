"""Buckets with objects of chosen ages: versions, tables and segments of the log, artifacts, drift reports."""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from football_assets.monitoring.schema import LOG_SCHEMA
from football_assets.monitoring.summary import HISTORY
from football_assets.registry.manifest import BundleFile, Manifest, content_digest, sha256
from football_assets.registry.store import ALIASES_OBJECT, VERSIONS
from football_assets.storage.artifacts import ARTIFACTS, publish
from football_assets.storage.local import LocalBucket
from football_assets.storage.log_segments import SEGMENTS, compress_segment
from football_assets.storage.tables import table_object, write_table
from football_assets_tests.builders.prediction_logs import lines, record

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def age(path: Path, days: float) -> None:
    """Make a file, or all files of a folder, look as if written some days before NOW."""
    at = days_ago(days).timestamp()
    for entry in [*path.rglob("*"), path] if path.is_dir() else [path]:
        os.utime(entry, (at, at))


def write_aged(bucket: LocalBucket, name: str, data: bytes, days: float) -> str:
    bucket.write(name, data)
    age(bucket.root / name, days)
    return name


def add_version(bucket: LocalBucket, number: int, days: float, *, complete: bool = True) -> None:
    """A version that was published some days ago, or what a publisher that died left of one."""
    content = f"version {number}".encode()
    files = {"model_card.md": BundleFile(sha256(content), len(content))}
    manifest = Manifest(number, days_ago(days), content_digest(files), files, {})
    write_aged(bucket, f"{VERSIONS}{number}/claim.json", b"{}", days)
    write_aged(bucket, f"{VERSIONS}{number}/model_card.md", content, days)
    if complete:
        write_aged(bucket, f"{VERSIONS}{number}/manifest.json", manifest.to_json(), days)


def set_aliases(bucket: LocalBucket, **aliases: Any) -> None:
    bucket.write(ALIASES_OBJECT, orjson.dumps(aliases))


def add_table(
    bucket: LocalBucket, days: int, versions: Iterable[int], segment: str = "a-000000.jsonl"
) -> date:
    """The table of a day of the log, with one row per version."""
    day = days_ago(days).date()
    rows = [
        {"segment": segment, "line": line, "model_version": version, "time": days_ago(days)}
        for line, version in enumerate(versions, start=1)
    ]
    write_table(bucket, "prediction_log", pl.DataFrame(rows, schema=LOG_SCHEMA), str(day))
    age(bucket.root / table_object("prediction_log", str(day)), days)
    return day


def add_segment(bucket: LocalBucket, days: int, versions: Iterable[int], file: str = "a-000000.jsonl") -> str:
    """A segment of a day, closed on that day, with one record a version."""
    content = lines(*(record(number, model_version=version) for number, version in enumerate(versions)))
    name = f"{SEGMENTS}/{days_ago(days).date()}/{file}.gz"
    return write_aged(bucket, name, compress_segment(iter([content])), days)


def add_report(bucket: LocalBucket, days: float, version: int | None) -> str:
    made = days_ago(days)
    data = orjson.dumps({"model_version": version, "made_at": made.isoformat()})
    return write_aged(bucket, f"{HISTORY}{made:%Y-%m-%dT%H%M%S.%fZ}.json", data, days)


def add_artifact(bucket: LocalBucket, folder: Path, name: str, content: str, days: float) -> str:
    """A published artifact of some age; returns its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.txt").write_text(content)
    (folder / "more.txt").write_text(content * 2)
    digest = publish(bucket, name, folder)
    age(bucket.root / f"{ARTIFACTS}{name}/{digest}", days)
    return digest


def abandon_artifact(bucket: LocalBucket, name: str, digest: str, days: float) -> None:
    """What a publisher leaves that is killed before it points to its content."""
    for file in ("data.txt", "more.txt"):
        write_aged(bucket, f"{ARTIFACTS}{name}/{digest}/{file}", b"left", days)
