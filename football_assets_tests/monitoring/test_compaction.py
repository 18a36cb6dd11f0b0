"""Each logged line is in the tables exactly once, despite crashes, repeated uploads and concurrent compactions."""

import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow.parquet as pq
import pytest

from football_assets.monitoring import log_records, log_tables
from football_assets.monitoring.compaction import REJECTED, Problem, compact, describe, repeated
from football_assets.monitoring.schema import LOG_SCHEMA, UNNAMED, feature_columns
from football_assets.sequences.spec import DEFAULT_SPEC
from football_assets.storage.bucket import Bucket
from football_assets.storage.local import LocalBucket
from football_assets.storage.log_segments import SEGMENTS, compress_segment
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import read_table_of, table_object
from football_assets_tests.builders.gcs_server import Front
from football_assets_tests.builders.prediction_logs import (
    DAY,
    ids,
    lines,
    publish_inputs,
    record,
    table,
    upload,
)


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    """With a version 1 whose inputs have names."""
    bucket = LocalBucket(tmp_path / "bucket")
    publish_inputs(bucket, tmp_path / "version")
    return bucket


def segments(bucket: Bucket) -> list[str]:
    return [item.name for item in bucket.list(f"{SEGMENTS}/")]


def test_each_record_is_a_row_with_named_features_and_where_it_came_from(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1), record(2)))
    upload(bucket, "b-000000", lines(record(3, kind="sequences", home_team_id=None, away_team_id=None)))

    done = compact(bucket)

    rows = table(bucket)
    assert (done.rows, done.segments, done.days, done.problems) == (3, 2, [date(2015, 11, 21)], [])
    assert rows.columns == [*LOG_SCHEMA, *DEFAULT_SPEC.context_names]
    assert feature_columns(rows) == DEFAULT_SPEC.context_names
    assert rows["home_elo"].to_list() == [1.0, 2.0, 3.0]
    assert rows["away_elo"].to_list() == [None] * 3
    assert rows.select("segment", "line").rows() == [
        ("a-000000.jsonl", 1),
        ("a-000000.jsonl", 2),
        ("b-000000.jsonl", 1),
    ]
    assert rows["home_team_id"].to_list() == ["eng:Arsenal", "eng:Arsenal", None]
    assert rows.select("p_home", "p_draw", "p_away", "xg_home", "xg_away").row(0) == (
        0.5,
        0.25,
        0.25,
        1.5,
        1.0,
    )
    assert str(rows["time"][0]) == "2015-11-21 12:00:01+00:00"
    assert segments(bucket) == []


def test_a_day_has_a_table_of_its_own_and_grows_with_later_segments(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)))
    upload(bucket, "a-000001", lines(record(2)), day="2015-11-22")
    compact(bucket)
    untouched = bucket.stat(table_object("prediction_log", "2015-11-22"))
    upload(bucket, "c-000000", lines(record(3)))

    done = compact(bucket)

    assert (done.rows, done.days) == (1, [date(2015, 11, 21)])
    assert sorted(read_table_of(bucket, "prediction_log", [DAY])["request_id"]) == [
        "request-1",
        "request-3",
    ]
    assert bucket.stat(table_object("prediction_log", "2015-11-22")) == untouched


def test_an_empty_log_is_no_error(bucket: LocalBucket) -> None:
    assert (compact(bucket).rows, segments(bucket)) == (0, [])


def test_a_segment_that_is_still_there_after_a_crash_or_comes_again_adds_nothing(bucket: LocalBucket) -> None:
    # What a crash between the table's write and the segment's deletion leaves is what an upload again makes.
    content = lines(record(1), record(2))
    upload(bucket, "a-000000", content)
    compact(bucket)
    before = bucket.stat(table_object("prediction_log", DAY))
    upload(bucket, "a-000000", content)

    done = compact(bucket)

    assert (done.rows, done.segments) == (0, 1)
    assert bucket.stat(table_object("prediction_log", DAY)) == before
    assert segments(bucket) == []


def test_lines_that_a_segment_has_gained_when_it_comes_again_are_added(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)))
    compact(bucket)
    upload(bucket, "a-000000", lines(record(1), record(2)))

    assert compact(bucket).rows == 1
    assert ids(bucket) == ["request-1", "request-2"]


def test_compactions_at_once_while_serving_uploads_more_lose_and_repeat_nothing(
    bucket_url: str, tmp_path: Path
) -> None:
    publish_inputs(open_bucket(bucket_url), tmp_path / "version")
    uploaded = threading.Event()

    def serve(writer: int) -> None:
        bucket = open_bucket(bucket_url)
        for number in range(6):
            content = lines(record(100 * writer + 2 * number), record(100 * writer + 2 * number + 1))
            upload(bucket, f"writer{writer}-{number:06}", content)

    def keep_compacting(_: int) -> int:
        bucket, rows = open_bucket(bucket_url), 0
        while not uploaded.is_set():
            rows += compact(bucket).rows
        return rows

    with ThreadPoolExecutor(5) as pool:
        compactions = [pool.submit(keep_compacting, number) for number in range(3)]
        for writing in [pool.submit(serve, writer) for writer in (1, 2)]:
            writing.result()
        uploaded.set()
        rows = sum(compaction.result() for compaction in compactions)

    bucket = open_bucket(bucket_url)
    rows += compact(bucket).rows
    expected = [f"request-{100 * writer + number}" for writer in (1, 2) for number in range(12)]
    assert ids(bucket) == sorted(expected)
    assert rows == len(expected)
    assert segments(bucket) == []


def test_two_compactions_of_a_day_in_google_cloud_storage_both_succeed(
    gcs_front: Front, gcs_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, other = gcs_front.open(gcs_url), gcs_front.open(gcs_url)
    upload(bucket, "a-000000", lines(record(1)))
    compact(bucket)
    upload(bucket, "b-000000", lines(record(2)))
    open_table, done = bucket.open, []

    def overtaken(name: str) -> BinaryIO:
        file = open_table(name)
        monkeypatch.undo()
        upload(other, "c-000000", lines(record(3)))
        done.append(compact(other))
        return file

    monkeypatch.setattr(bucket, "open", overtaken)
    done.append(compact(bucket))

    assert [one.rows for one in done] == [2, 0]
    assert ids(bucket) == ["request-1", "request-2", "request-3"]
    assert segments(bucket) == []


def test_a_compaction_that_is_killed_is_finished_by_the_next(bucket: LocalBucket) -> None:
    for day in range(1, 29):
        upload(
            bucket, "a-000000", lines(*(record(100 * day + n) for n in range(20))), day=f"2015-10-{day:02}"
        )
    code = (
        "import sys; from football_assets.storage.opening import open_bucket;"
        "from football_assets.monitoring.compaction import compact; compact(open_bucket(sys.argv[1]))"
    )
    with subprocess.Popen([sys.executable, "-c", code, bucket.url]) as process:
        while not list(bucket.list("tables/")) and process.poll() is None:
            time.sleep(0.001)
        process.kill()

    compact(bucket)

    assert Counter(ids(bucket)) == Counter(
        f"request-{100 * day + n}" for day in range(1, 29) for n in range(20)
    )
    assert segments(bucket) == []


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"request_id": ', "unexpected end of data"),
        (b"[1, 2]", "starts with b'[1, 2]'"),
        (lines({"request_id": "half"}).rstrip(), "lacks 'time'"),
        (lines(record(9, time="2015-11-21T12:00:00")).rstrip(), "has no offset"),
        (lines(record(9, p=[0.5, 0.5])).rstrip(), "not a list of 3 numbers"),
        (lines(record(9, p=["a", 0, 0])).rstrip(), "could not convert"),
        (lines(record(9, features="none")).rstrip(), "are not a list"),
        (lines(record(9, league_id=7)).rstrip(), "7 is not a string"),
        (lines(record(9, kickoff_date="soon")).rstrip(), "Invalid isoformat"),
        (lines(record(9, inputs=None)).rstrip(), "None is not a string"),
        (lines(record(9, traceparent=7)).rstrip(), "7 is not a string"),
    ],
)
def test_a_line_that_is_no_record_is_reported_and_kept_and_loses_no_other(
    bucket: LocalBucket, broken: bytes, reason: str
) -> None:
    name = upload(bucket, "a-000000", lines(record(1)) + broken + b"\n" + lines(record(3)))

    done = compact(bucket)

    assert ids(bucket) == ["request-1", "request-3"]
    assert table(bucket)["line"].to_list() == [1, 3]
    (problem,) = done.problems
    assert (problem.object, problem.line) == (name, 2)
    assert reason in problem.reason
    assert bucket.read(f"{REJECTED}/{DAY}/a-000000.jsonl") == broken + b"\n"
    assert segments(bucket) == []


def test_a_last_line_that_was_cut_off_is_reported_and_kept(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)) + b'{"request_id": "to')

    (problem,) = compact(bucket).problems

    assert problem.line == 2
    assert "cut off" in problem.reason
    assert ids(bucket) == ["request-1"]
    assert bucket.read(f"{REJECTED}/{DAY}/a-000000.jsonl") == b'{"request_id": "to\n'


@pytest.mark.parametrize(
    "name",
    [
        f"{SEGMENTS}/{DAY}/notes.txt",
        f"{SEGMENTS}/stray.jsonl",
        f"{SEGMENTS}/someday/a.jsonl",
        f"{SEGMENTS}/{DAY}/x/a.jsonl",
    ],
)
def test_a_foreign_object_is_reported_and_left_alone(bucket: LocalBucket, name: str) -> None:
    bucket.write(name, lines(record(7)))
    upload(bucket, "a-000000", lines(record(1)))

    done = compact(bucket)

    assert done.problems == [
        Problem(name, None, "is not a segment of the prediction log: it is left as it is.")
    ]
    assert segments(bucket) == [name]
    assert ids(bucket) == ["request-1"]


def test_a_segment_without_any_record_is_left_alone(bucket: LocalBucket) -> None:
    name = upload(bucket, "a-000000", b"<html>\n</html>\n")
    upload(bucket, "b-000000", lines(record(1)))

    done = compact(bucket)

    assert [problem.line for problem in done.problems] == [1, 2]
    assert "left alone" in done.problems[0].reason
    assert segments(bucket) == [name]
    assert ids(bucket) == ["request-1"]


def test_features_of_a_version_that_is_gone_are_kept_without_names(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1), record(2, model_version=8, features=[1.0, None])))

    (problem,) = compact(bucket).problems

    rows = table(bucket)
    assert "model version 8" in problem.reason
    assert rows["home_elo"].to_list() == [1.0, None]
    assert rows[UNNAMED].to_list() == [None, [1.0, None]]


def test_features_that_are_not_as_many_as_their_version_says_are_kept_without_names(
    bucket: LocalBucket,
) -> None:
    upload(bucket, "a-000000", lines(record(1, features=[1.0, 2.0])))

    (problem,) = compact(bucket).problems

    assert f"2 features, and the version has {len(DEFAULT_SPEC.context)}" in problem.reason
    assert table(bucket)[UNNAMED].to_list() == [[1.0, 2.0]]


def test_a_record_of_before_there_were_tiers_is_from_results(bucket: LocalBucket) -> None:
    earlier = record(1)
    del earlier["inputs"]
    upload(bucket, "a-000000", lines(earlier, record(2, inputs="results+shots+odds")))

    compact(bucket)

    assert table(bucket).sort("line")["inputs"].to_list() == ["results", "results+shots+odds"]


def test_the_trace_context_of_a_record_is_in_its_row_and_earlier_tables_and_records_have_none(
    bucket: LocalBucket,
) -> None:
    upload(bucket, "a-000000", lines(record(1)))
    compact(bucket)
    name = table_object("prediction_log", DAY)
    table(bucket).drop("traceparent", "tracestate").write_parquet(bucket.local_path(name) or "")
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    upload(
        bucket,
        "b-000000",
        lines(
            record(2, traceparent=trace, tracestate="rojo=1"), record(3, traceparent=trace, tracestate=None)
        ),
    )

    assert compact(bucket).problems == []

    rows = table(bucket).sort("request_id").select("request_id", "traceparent", "tracestate").rows()
    assert rows == [("request-1", None, None), ("request-2", trace, "rojo=1"), ("request-3", trace, None)]


def test_versions_with_other_inputs_share_a_table(bucket: LocalBucket, tmp_path: Path) -> None:
    other = DEFAULT_SPEC.model_copy(update={"context": DEFAULT_SPEC.context[2:4]})
    version = publish_inputs(bucket, tmp_path / "other", other)
    upload(bucket, "a-000000", lines(record(1), record(2, model_version=version, features=[0.5, 0.25])))

    assert compact(bucket).problems == []

    rows = table(bucket)
    assert rows["home_elo"].to_list() == [1.0, None]
    assert rows[other.context_names].row(1) == (0.5, 0.25)


def test_records_that_name_their_features_are_read_too(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1, features={"home_elo": 1500.0, "away_elo": None})))

    assert compact(bucket).problems == []
    assert table(bucket).select("home_elo", "away_elo").row(0) == (1500.0, None)


def test_problems_are_shown_as_a_table() -> None:
    shown = describe([Problem("a.jsonl", 3, "is not a record")])

    assert shown.rows() == [("a.jsonl", 3, "is not a record")]
    assert describe([]).schema == pl.Schema({"object": pl.String, "line": pl.Int64, "what": pl.String})


class Compared(str):
    """A name that counts how often it is compared with another."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Compared.comparisons += 1
        return str.__eq__(self, other)


def test_segments_that_lie_there_twice_are_found_without_comparing_each_with_each() -> None:
    names = [Compared(f"a-{number:06}.jsonl") for number in range(500)]

    assert repeated([*names, Compared("a-000007.jsonl"), Compared("a-000009.jsonl")]) == [
        "a-000007.jsonl",
        "a-000009.jsonl",
    ]
    assert Compared.comparisons < 100


def gz(content: bytes) -> bytes:
    return compress_segment(iter([content]))


def test_compressed_segments_are_compacted_and_named_as_if_they_were_not(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)))
    bucket.write(f"{SEGMENTS}/{DAY}/b-000000.jsonl.gz", gz(lines(record(2), record(3))))

    done = compact(bucket)

    assert (done.rows, done.segments, done.problems) == (3, 2, [])
    assert table(bucket).select("segment", "line").rows() == [
        ("a-000000.jsonl", 1),
        ("b-000000.jsonl", 1),
        ("b-000000.jsonl", 2),
    ]
    assert segments(bucket) == []


def test_a_segment_that_comes_again_compressed_after_an_upgrade_adds_nothing(bucket: LocalBucket) -> None:
    content = lines(record(1), record(2))
    upload(bucket, "a-000000", content)
    bucket.write(f"{SEGMENTS}/{DAY}/a-000000.jsonl.gz", gz(content + lines(record(3))))
    assert compact(bucket).rows == 3
    bucket.write(f"{SEGMENTS}/{DAY}/a-000000.jsonl.gz", gz(content))

    assert compact(bucket).rows == 0
    assert ids(bucket) == ["request-1", "request-2", "request-3"]
    assert segments(bucket) == []


def test_a_compressed_segment_that_was_cut_off_is_kept_beside_its_whole_lines(bucket: LocalBucket) -> None:
    cut = gz(b"".join(lines(record(n, request_id=f"request-{n * 7919}")) for n in range(400)))[:-400]
    bucket.write(f"{SEGMENTS}/{DAY}/a-000000.jsonl.gz", cut)

    done = compact(bucket)

    assert 100 < done.rows < 400
    assert [problem.line for problem in done.problems] == [done.rows + 1]
    assert bucket.read(f"{REJECTED}/{DAY}/a-000000.jsonl.gz") == cut
    assert segments(bucket) == []


@pytest.mark.parametrize("kept_bytes", [2, 10, 12])
def test_a_compressed_segment_of_which_no_line_is_left_is_reported_and_kept(
    bucket: LocalBucket, kept_bytes: int
) -> None:
    name, cut = f"{SEGMENTS}/{DAY}/a-000000.jsonl.gz", gz(lines(record(1)))[:kept_bytes]
    bucket.write(name, cut)
    upload(bucket, "b-000000", lines(record(2)))

    done = compact(bucket)

    assert [(problem.object, problem.line) for problem in done.problems] == [(name, None)]
    assert "was cut off: 0 whole lines of it are read" in done.problems[0].reason
    assert bucket.read(f"{REJECTED}/{DAY}/a-000000.jsonl.gz") == cut
    assert (ids(bucket), segments(bucket)) == (["request-2"], [])


def test_a_compressed_segment_that_was_cut_off_at_the_end_of_a_line_is_reported(bucket: LocalBucket) -> None:
    name = f"{SEGMENTS}/{DAY}/a-000000.jsonl.gz"
    bucket.write(name, gz(lines(record(1), record(2)))[:-8])  # all but the checksum

    (problem,) = compact(bucket).problems

    assert (problem.object, problem.line) == (name, None)
    assert "2 whole lines" in problem.reason
    assert ids(bucket) == ["request-1", "request-2"]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_an_empty_segment_is_reported_and_deleted(bucket: LocalBucket, suffix: str) -> None:
    name = f"{SEGMENTS}/{DAY}/a-000000{suffix}"
    bucket.write(name, b"")
    upload(bucket, "b-000000", lines(record(1)))

    (problem,) = compact(bucket).problems

    assert (problem.object, problem.line) == (name, None)
    assert "is empty" in problem.reason
    assert (ids(bucket), segments(bucket)) == (["request-1"], [])


def test_a_corrupt_segment_is_reported_left_alone_and_loses_no_other(bucket: LocalBucket) -> None:
    corrupt = bytearray(gz(lines(record(1), record(2))))
    corrupt[-6] ^= 1
    name = f"{SEGMENTS}/{DAY}/a-000000.jsonl.gz"
    bucket.write(name, bytes(corrupt))
    upload(bucket, "b-000000", lines(record(3)))

    (problem,) = compact(bucket).problems

    assert (problem.object, problem.line) == (name, None)
    assert "left alone" in problem.reason
    assert segments(bucket) == [name]
    assert ids(bucket) == ["request-3"]


def test_of_a_segment_without_end_of_broken_lines_the_first_are_reported(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)) + b"broken\n" * 50)

    problems = compact(bucket).problems

    assert [problem.line for problem in problems] == [*range(2, 22), None]
    assert problems[-1].reason == "has 30 more lines that are no record."
    assert bucket.read(f"{REJECTED}/{DAY}/a-000000.jsonl") == b"broken\n" * 50


def test_a_day_of_many_row_groups_has_each_line_once_however_it_comes(
    bucket: LocalBucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(log_tables, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(log_records, "_RECORDS_AT_ONCE", 3)
    contents = {name: lines(*(record(100 * n + i) for i in range(10))) for n, name in enumerate("abcde")}
    for name in "abc":
        upload(bucket, f"{name}-000000", contents[name])
    assert compact(bucket, tmp_path / "scratch").rows == 30
    old = lines(record(999, features={"home_elo": 1500.0, "other_input": 2.0}))
    for name in "bcde":
        upload(bucket, f"{name}-000000", contents[name] + old)

    assert compact(bucket, tmp_path / "scratch").rows == 24

    path = bucket.local_path(table_object("prediction_log", DAY))
    assert pq.ParquetFile(path).metadata.num_row_groups == 8
    rows = table(bucket)
    assert Counter(rows["request_id"]) == Counter(
        [f"request-{100 * n + i}" for n in range(5) for i in range(10)] + ["request-999"] * 4
    )
    assert not rows.select("segment", "line").is_duplicated().any()
    assert rows.filter(request_id="request-999")["other_input"].to_list() == [2.0] * 4
    assert rows.filter(request_id="request-403")["home_elo"].to_list() == [403.0]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_table_of_an_earlier_release_keeps_its_rows(bucket: LocalBucket) -> None:
    upload(bucket, "a-000000", lines(record(1)))
    compact(bucket)
    name = table_object("prediction_log", DAY)
    earlier = table(bucket).drop("inputs").with_columns(retired_input=pl.lit(3.5, pl.Float64))
    earlier.write_parquet(bucket.local_path(name) or "")
    upload(bucket, "b-000000", lines(record(2)))

    assert compact(bucket).rows == 1
    rows = table(bucket)
    assert rows["inputs"].to_list() == [None, "results"]
    assert rows["retired_input"].to_list() == [3.5, None]
