"""Landing objects are validated as `football land` validates files."""

from pathlib import Path

import pytest

from football_assets.raw.landing.validation import validate_objects
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put

GOOD = csv_of("Sat Aug 9 2014,Arsenal,2-1,1-0,Chelsea", "Sun Aug 10 2014,Everton,?,,Fulham")


@pytest.fixture
def bucket(tmp_path: Path) -> LocalBucket:
    return LocalBucket(tmp_path / "bucket")


def problem(bucket: LocalBucket, name: str) -> str:
    (found,) = validate_objects(bucket, [name], TODAY)
    assert not found.is_valid
    assert found.problem is not None
    return found.problem


def test_a_readable_object_has_its_counts_and_no_problem(bucket: LocalBucket) -> None:
    put(bucket, "footballcsv/2014-15/eng.1.csv", GOOD)
    put(bucket, "openfootball/2014-15/eng.2.json", json_of(listed("2014-08-09", "Leeds", "Derby", "0-0")))

    table, document = validate_objects(
        bucket, ["raw/footballcsv/2014-15/eng.1.csv", "raw/openfootball/2014-15/eng.2.json"], TODAY
    )

    assert table.is_valid
    assert (table.summary.results, table.summary.fixtures, table.summary.rejected) == (1, 1, 0)
    assert document.is_valid
    assert document.summary.results == 1


def test_an_object_that_is_not_there_or_not_in_its_place_is_a_problem(bucket: LocalBucket) -> None:
    put(bucket, "footballcsv/eng.1.csv", GOOD)
    put(bucket, "footballcsv/2014-15/eng.1.txt", GOOD)
    put(bucket, "footballcsv/2014-15/premier.csv", GOOD)

    assert problem(bucket, "raw/footballcsv/2014-15/eng.9.csv") == "There is no such object."
    assert problem(bucket, "registry/aliases.json") == "It is not below raw/."
    assert "not a season" in problem(bucket, "raw/footballcsv/eng.1.csv")
    assert "neither .json nor .csv" in problem(bucket, "raw/footballcsv/2014-15/eng.1.txt")
    assert "premier" in problem(bucket, "raw/footballcsv/2014-15/premier.csv")
    assert "raw/../aliases.json" in problem(bucket, "raw/../aliases.json")


def test_a_truncated_or_foreign_object_is_a_problem(bucket: LocalBucket) -> None:
    put(bucket, "footballcsv/2014-15/eng.1.csv", "<html>Not found</html>")
    put(
        bucket, "openfootball/2014-15/eng.2.json", json_of(listed("2014-08-09", "Leeds", "Derby", "0-0"))[:-9]
    )
    put(bucket, "data/2014-15/eng.1.csv", "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nD1,09/08/14,Ulm,Mainz,1,0\n")

    assert problem(bucket, "raw/footballcsv/2014-15/eng.1.csv")
    assert problem(bucket, "raw/openfootball/2014-15/eng.2.json")
    assert "name it after its own division" in problem(bucket, "raw/data/2014-15/eng.1.csv")


def test_an_object_with_more_than_a_twentieth_rejected_is_a_problem(bucket: LocalBucket) -> None:
    day = "Sat Aug 9 2014"
    rows = [f"{day},Home {number},1-0,,Away {number}" for number in range(38)]
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*rows, f"{day},X,31-0,,Y", f"{day},V,32-0,,W"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*rows[:-1], f"{day},X,31-0,,Y", f"{day},V,32-0,,W"))

    (just,) = validate_objects(bucket, ["raw/a/2014-15/eng.1.csv"], TODAY)

    assert just.is_valid
    assert just.summary.rejected == 2
    assert problem(bucket, "raw/b/2014-15/eng.1.csv").startswith(
        "2 of 39 records are rejected. The first is line 39"
    )
