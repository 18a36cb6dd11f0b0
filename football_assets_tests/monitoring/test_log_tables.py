"""Tables of the prediction log are counted and checked from their footers and keys, in any bucket."""

import io

import polars as pl
import pytest

from football_assets.errors import ObjectNotFound
from football_assets.monitoring import log_tables
from football_assets.monitoring.log_tables import count_repeated, count_rows, read_batches
from football_assets.storage.bucket import Bucket
from football_assets.storage.opening import open_bucket
from football_assets.storage.tables import table_object, write_table

NAME = table_object("prediction_log", "2015-11-21")


@pytest.fixture
def bucket(bucket_url: str) -> Bucket:
    return open_bucket(bucket_url)


def rows(*keys: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame(keys, schema={"segment": pl.String, "line": pl.Int64}, orient="row")


def test_rows_and_those_that_another_has_the_key_of_are_counted(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tables, "ROWS_AT_ONCE", 2)
    frame = rows(("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 1), ("c", 2), ("a", 1))
    write_table(bucket, "prediction_log", frame, "2015-11-21")

    assert count_rows(bucket, NAME) == 7
    assert count_repeated(bucket, NAME) == (7, 2)
    with bucket.open(NAME) as source:
        assert pl.concat(read_batches(source, ["line", "segment", "unknown"])).rows() == frame.rows()


def test_an_empty_table_has_no_rows_and_a_missing_one_is_an_error(bucket: Bucket) -> None:
    write_table(bucket, "prediction_log", rows(), "2015-11-21")

    assert count_repeated(bucket, NAME) == (0, 0)
    with pytest.raises(ObjectNotFound):
        count_rows(bucket, "tables/prediction_log/2015-11-22.parquet")


def test_rows_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_tables, "ROWS_AT_ONCE", 10)
    buffer = io.BytesIO()
    rows(*(("a", line) for line in range(35))).write_parquet(buffer, row_group_size=15)

    batches = list(read_batches(buffer))

    assert all(batch.height <= 10 for batch in batches)
    assert pl.concat(batches)["line"].to_list() == list(range(35))
